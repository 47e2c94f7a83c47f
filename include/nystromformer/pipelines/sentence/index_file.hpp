// SPDX-License-Identifier: MIT
// SemanticIndex as a safetensors file.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/pipelines/sentence/semantic_search.hpp>
#include <nystromformer/safetensors.hpp>
#include <nystromformer/tensor.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

namespace detail {

/// What a file of an index must hold.
class IndexFile {
public:
    IndexFile(SafetensorsFile file, std::string path)
        : file_(std::move(file)), path_(std::move(path)) {}

    const SafetensorsFile& file() const { return file_; }

    /// A tensor of this name, dtype and number of dimensions.
    const TensorView& tensor(const char* name, DType dtype, std::size_t dimensions) const {
        const TensorView* found = file_.find(name);
        if (found == nullptr) fail(name, "a tensor", "none");
        if (found->dtype != dtype || found->shape.size() != dimensions) {
            fail(name,
                 std::string(nystromformer::name(dtype)) + " of " + std::to_string(dimensions) +
                     " dimensions",
                 std::string(nystromformer::name(found->dtype)) + " of " +
                     std::to_string(found->shape.size()));
        }
        return *found;
    }
    std::string metadata(const char* key) const {
        const auto found = file_.metadata().find(key);
        if (found == file_.metadata().end()) fail(place_of(key), "a value", "none");
        return found->second;
    }
    Similarity similarity() const {
        const std::string name = metadata("similarity");
        const auto result = similarity_named(name);
        if (!result) fail(place_of("similarity"), similarity_names.list(), in_quotes(name));
        return *result;
    }
    std::uint64_t fingerprint() const {
        const std::string text = metadata("fingerprint");
        std::uint64_t result = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
        if (error != std::errc() || end != text.data() + text.size())
            fail(place_of("fingerprint"), "a whole number of 64 bits", in_quotes(text));
        return result;
    }

    [[noreturn]] void fail(std::string place, std::string expected, std::string found) const {
        throw FormatError({path_, std::move(place), std::move(expected), std::move(found)});
    }

private:
    static std::string place_of(const char* key) { return std::string("/__metadata__/") + key; }

    SafetensorsFile file_;
    std::string path_;
};

/// Its rows as floats; the writer aligns them, and what is not aligned is copied.
inline bool is_aligned(std::span<const std::byte> bytes) {
    return reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(float) == 0;
}

}  // namespace detail

NYSTROMFORMER_INLINE void SemanticIndex::save(const std::filesystem::path& path) const {
    std::vector<float> values;
    for (const auto& block : body_->blocks) {
        const Matrix<float> rows = block->matrix();
        values.insert(values.end(), rows.data(), rows.data() + rows.size());
    }
    std::vector<std::byte> erased;
    for (Index row = 0; row < rows(); ++row)
        erased.push_back(std::byte{body_->is_erased(row) ? std::uint8_t{1} : std::uint8_t{0}});
    TensorView embeddings, flags;
    embeddings.name = "embeddings";
    embeddings.shape = {rows(), cols()};
    embeddings.bytes = std::as_bytes(std::span(values));
    flags.name = "erased";
    flags.dtype = DType::u8;
    flags.shape = {rows()};
    flags.bytes = erased;
    save_safetensors(path, {embeddings, flags},
                     {{"format", "nystromformer-index"},
                      {"similarity", std::string(name(similarity()))},
                      {"fingerprint", std::to_string(fingerprint())}});
}

NYSTROMFORMER_INLINE SemanticIndex SemanticIndex::load(const std::filesystem::path& path,
                                                       const FileOptions& files) {
    const detail::IndexFile file(SafetensorsFile::open(path, files), path_to_utf8(path));
    const TensorView& rows = file.tensor("embeddings", DType::f32, 2);
    const TensorView& flags = file.tensor("erased", DType::u8, 1);
    const Index num_rows = rows.shape[0], cols = rows.shape[1];
    if (flags.shape[0] != num_rows)
        file.fail("erased", std::to_string(num_rows) + " rows, as the embeddings have",
                  std::to_string(flags.shape[0]));
    Body body{file.similarity(), 0, cols, file.fingerprint(), {}, {}, {}};
    if (cols == 0 || !detail::is_aligned(rows.bytes)) {
        Matrix<float> copy(num_rows, cols);
        convert(rows, copy.data());
        body.add_rows(copy);
    } else {
        const std::span all(reinterpret_cast<const float*>(rows.bytes.data()),
                            rows.bytes.size() / sizeof(float));
        for (Index first = 0; first < num_rows; first += detail::IndexBlock::max_rows) {
            const Index count = std::min(detail::IndexBlock::max_rows, num_rows - first);
            body.add(std::make_shared<const detail::IndexBlock>(
                all.subspan(static_cast<std::size_t>(first * cols),
                            static_cast<std::size_t>(count * cols)),
                cols, body.similarity, file.file()));
        }
    }
    for (const std::int64_t flag : to_int64(flags)) body.erased.push_back(flag != 0);
    return SemanticIndex(std::move(body));
}

}  // namespace nystromformer::inline v0_2
