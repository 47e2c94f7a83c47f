// SPDX-License-Identifier: MIT
// The files that a Checkpoint opens: one or several, safetensors or torch archives.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/checkpoint/folder_contents.hpp>
#include <nystromformer/checkpoint/mapped_file.hpp>
#include <nystromformer/checkpoint/quantized_weights.hpp>
#include <nystromformer/checkpoint/shard_index.hpp>
#include <nystromformer/checkpoint/tensor_layout.hpp>
#include <nystromformer/checkpoint/torch_archive.hpp>
#include <nystromformer/core/file.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/notice.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/safetensors.hpp>

#include <algorithm>
#include <any>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

struct Checkpoint::Contents {
    static constexpr std::uint64_t max_index_bytes = std::uint64_t{32} << 20;

    std::filesystem::path source;
    FileOptions files;
    std::vector<TensorView> tensors;    // sorted by name
    std::vector<std::any> owners;       // of the bytes
    std::vector<std::string> shards;    // paths; empty for a single file
    std::vector<std::size_t> shard_of;  // for each tensor; empty for a single file
    std::uint64_t stored_bytes = 0;     // that tensors cover
    bool is_callers = false;            // the bytes are in the caller's memory
    // Tensors of a torch archive may share bytes, so that few bytes could ask for scales without
    // end.
    bool may_be_quantized = false;

    void add_safetensors(const std::filesystem::path& path) {
        add(SafetensorsFile::open(path, files));
        may_be_quantized = true;
    }
    void add_torch(const std::filesystem::path& path) { add(TorchArchive::open(path, files)); }
    void add_safetensors_shards(const std::filesystem::path& path) {
        add_shards(path, ".safetensors", &Contents::add_safetensors);
    }
    void add_torch_shards(const std::filesystem::path& path) {
        add_shards(path, ".bin", &Contents::add_torch);
    }

    /// What every checkpoint needs once all of its tensors are there.
    void complete() {
        count_stored();
        if (may_be_quantized) detail::find_quantized(tensors, shard_of);
    }

    void count_stored() {
        std::vector<std::span<const std::byte>> spans;
        for (const TensorView& tensor : tensors)
            if (!tensor.bytes.empty()) spans.push_back(tensor.bytes);
        std::sort(spans.begin(), spans.end(),
                  [](const auto& a, const auto& b) { return std::less<>()(a.data(), b.data()); });
        const std::byte* covered = nullptr;  // the end of the spans so far
        for (const auto& span : spans) {
            const std::byte* end = span.data() + span.size();
            const std::byte* begin =
                covered ? std::max(covered, span.data(), std::less<>()) : span.data();
            if (std::less<>()(begin, end)) stored_bytes += static_cast<std::uint64_t>(end - begin);
            covered = covered ? std::max(covered, end, std::less<>()) : end;
        }
    }

    template <typename File>
    void add(File file) {
        tensors.insert(tensors.end(), file.tensors().begin(), file.tensors().end());
        owners.emplace_back(std::move(file));
    }

    /// Opens every shard that the index names and takes what they hold, as transformers does: where
    /// a tensor stands in several, the last counts. Which tensors the index names does not matter.
    void add_shards(const std::filesystem::path& path, const std::string& extension,
                    void (Contents::*add_file)(const std::filesystem::path&)) {
        const auto index = detail::ShardIndex::parse(
            detail::read_file(path, max_index_bytes, files), path_to_utf8(path), extension);
        std::vector<std::pair<TensorView, std::size_t>> found;
        for (const std::string& shard : index.shards) {
            const std::filesystem::path file = path.parent_path() / shard;
            if (!detail::is_there(file, files)) {
                throw IoError({path_to_utf8(file), "",
                               "a shard that " + path_to_utf8(path) + " names", "nothing"});
            }
            (this->*add_file)(file);
            for (TensorView& tensor : tensors) found.emplace_back(std::move(tensor), shards.size());
            tensors.clear();
            shards.push_back(path_to_utf8(file));
        }
        // Of one name the last shard's first, which the others are dropped for.
        std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
            return a.first.name != b.first.name ? detail::by_name(a.first, b.first)
                                                : a.second > b.second;
        });
        for (auto& [tensor, shard] : found) {
            if (!tensors.empty() && tensors.back().name == tensor.name) {
                note_repeated(tensor, shard);
                continue;
            }
            tensors.push_back(std::move(tensor));
            shard_of.push_back(shard);
        }
        note_differences(index, path);
    }

    void note_repeated(const TensorView& tensor, std::size_t shard) {
        if (std::exchange(has_noted_repeat, true)) return;
        detail::give_notice(files, shards[shard], "tensor " + in_quotes(tensor.name),
                            "not used: " + shards[shard_of.back()] + " has it, too, and counts");
    }
    /// One notice for what the index names and no shard has, one for what stands elsewhere.
    void note_differences(const detail::ShardIndex& index,
                          const std::filesystem::path& path) const {
        const auto note = [&](const std::string& name, const std::string& what) {
            detail::give_notice(files, path_to_utf8(path), "tensor " + in_quotes(name), what);
        };
        for (const auto& [name, shard] : index.weight_map) {
            if (detail::find_tensor(tensors, name) != nullptr) continue;
            note(name, "in no shard: the index has it in " + shard);
            break;
        }
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            const std::string shard = path_to_utf8(path_from_utf8(shards[shard_of[i]]).filename());
            const auto listed = index.weight_map.find(tensors[i].name);
            if (listed != index.weight_map.end() && listed->second == shard) continue;
            note(tensors[i].name, "in " + shard + ", where the index does not have it");
            break;
        }
    }

    bool has_noted_repeat = false;
};

NYSTROMFORMER_INLINE Checkpoint::Checkpoint(std::shared_ptr<const Contents> contents)
    : contents_(std::move(contents)) {}

NYSTROMFORMER_INLINE Checkpoint Checkpoint::open(const std::filesystem::path& folder,
                                                 const FileOptions& files) {
    using Opener = void (Contents::*)(const std::filesystem::path&);
    constexpr std::array<std::pair<const char*, Opener>, 4> forms{{
        {"model.safetensors", &Contents::add_safetensors},
        {"model.safetensors.index.json", &Contents::add_safetensors_shards},
        {"pytorch_model.bin", &Contents::add_torch},
        {"pytorch_model.bin.index.json", &Contents::add_torch_shards},
    }};
    std::string looked_for;
    for (const auto& [name, opener] : forms) {
        if (detail::is_there(folder / name, files)) {
            auto contents = std::make_shared<Contents>();
            contents->source = folder / name;
            contents->files = files;
            contents->is_callers = !files.memory.empty();
            ((*contents).*opener)(contents->source);
            contents->complete();
            return Checkpoint(std::move(contents));
        }
        looked_for += (looked_for.empty() ? "" : ", ") + std::string(name);
    }
    throw IoError({path_to_utf8(folder), "", "a folder with one of " + looked_for,
                   detail::what_is_there(folder, files)});
}
NYSTROMFORMER_INLINE Checkpoint Checkpoint::from_bytes(FileBytes bytes, const std::string& name,
                                                       const FileOptions& files) {
    const auto view = std::as_bytes(std::span(bytes.view()));
    detail::check_size(name, view.size(), files.max_weight_bytes);
    auto contents = std::make_shared<Contents>();
    contents->source = name;
    contents->is_callers = true;
    contents->add(SafetensorsFile::parse(view, name, files.max_header_bytes));
    contents->may_be_quantized = true;
    contents->complete();
    return Checkpoint(std::move(contents));
}

NYSTROMFORMER_INLINE const TensorView* Checkpoint::find(std::string_view name) const& {
    return detail::find_tensor(contents_->tensors, name);
}
NYSTROMFORMER_INLINE const std::vector<TensorView>& Checkpoint::tensors() const& {
    return contents_->tensors;
}
NYSTROMFORMER_INLINE std::uint64_t Checkpoint::stored_bytes() const {
    return contents_->stored_bytes;
}
NYSTROMFORMER_INLINE std::vector<std::string> Checkpoint::names() const {
    std::vector<std::string> result;
    result.reserve(tensors().size());
    for (const auto& tensor : tensors()) result.push_back(tensor.name);
    return result;
}
NYSTROMFORMER_INLINE void Checkpoint::release(const TensorView& tensor) const noexcept {
    if (!contents_->is_callers) MappedFile::release(tensor.bytes);
}
NYSTROMFORMER_INLINE const std::filesystem::path& Checkpoint::source() const& {
    return contents_->source;
}
NYSTROMFORMER_INLINE std::string Checkpoint::file_of(std::string_view name) const {
    const TensorView* tensor = find(name);
    if (tensor == nullptr || contents_->shard_of.empty()) return path_to_utf8(source());
    const auto index = static_cast<std::size_t>(tensor - contents_->tensors.data());
    return contents_->shards[contents_->shard_of[index]];
}

}  // namespace nystromformer::inline v0_2
