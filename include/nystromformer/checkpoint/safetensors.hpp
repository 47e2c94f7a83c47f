// SPDX-License-Identifier: MIT
// safetensors files: save_safetensors, and a strict reader that copies nothing, as
// huggingface/safetensors' README and tensor.rs define the format.
#pragma once

#include <nystromformer/checkpoint/byte_cursor.hpp>
#include <nystromformer/checkpoint/mapped_file.hpp>
#include <nystromformer/checkpoint/safetensors_header.hpp>
#include <nystromformer/checkpoint/safetensors_writer.hpp>
#include <nystromformer/checkpoint/tensor.hpp>
#include <nystromformer/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer {

namespace detail {

/// Checks that each entry's bytes are those of its shape, and that the entries cover the data once:
/// from 0, without hole or overlap, to `data_size`.
inline void check_coverage(const std::vector<SafetensorsEntry>& entries, std::uint64_t data_size,
                           const std::string& file) {
    const auto place = [](const SafetensorsEntry& entry) {
        return "tensor " + in_quotes(entry.name);
    };
    const auto range = [](const SafetensorsEntry& entry) {
        return '[' + std::to_string(entry.begin) + ", " + std::to_string(entry.end) + ')';
    };
    for (const auto& entry : entries) {
        const auto size = checked_size(entry.shape);
        const auto bytes = size ? checked_bytes(*size, entry.dtype) : std::nullopt;
        const std::uint64_t expected = bytes.value_or(0);
        const std::string what = std::string(name(entry.dtype)) + ' ' + shape_text(entry.shape);
        if (!bytes)
            throw FormatError({file, place(entry), "a shape of whole bytes below 2^63", what});
        if (entry.begin > entry.end || entry.end > data_size) {
            throw FormatError({file, place(entry),
                               "data_offsets in order and inside the " + std::to_string(data_size) +
                                   " bytes of data",
                               range(entry)});
        }
        if (entry.end - entry.begin != expected) {
            throw FormatError({file, place(entry), std::to_string(expected) + " bytes for " + what,
                               std::to_string(entry.end - entry.begin) + " at " + range(entry)});
        }
    }
    std::vector<const SafetensorsEntry*> sorted;
    sorted.reserve(entries.size());
    for (const auto& entry : entries) sorted.push_back(&entry);
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
        return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
    });
    std::uint64_t covered = 0;
    std::string before = "the header";
    for (const auto* entry : sorted) {
        if (entry->begin != covered) {
            throw FormatError(
                {file, place(*entry),
                 "data from byte " + std::to_string(covered) + ", where " + before + " ends",
                 (entry->begin < covered ? "an overlap: " : "a hole: ") + range(*entry)});
        }
        covered = entry->end;
        before = place(*entry);
    }
    if (covered != data_size) {
        throw FormatError({file, "data", std::to_string(covered) + " bytes, where the tensors end",
                           std::to_string(data_size)});
    }
}

}  // namespace detail

/// The tensors of one file, each a view into the map, which the object and its copies keep alive.
class SafetensorsFile {
public:
    /// Maps and checks a file. Throws IoError and FormatError.
    static SafetensorsFile open(const std::filesystem::path& path, const FileOptions& files = {}) {
        auto map = std::make_shared<const MappedFile>(MappedFile::open(path, files));
        SafetensorsFile file = parse(map->bytes(), path.string(), files.max_header_bytes);
        file.map_ = std::move(map);
        return file;
    }

    /// Checks bytes that must outlive the result; `file` names them in errors. Throws FormatError.
    static SafetensorsFile parse(
        std::span<const std::byte> bytes, const std::string& file,
        std::uint64_t max_header_bytes = detail::longest_safetensors_header) {
        const std::string_view header_text = header_of(bytes, file, max_header_bytes);
        auto header = detail::SafetensorsHeader::parse(header_text, file);
        const auto data = bytes.subspan(8 + header_text.size());
        detail::check_coverage(header.entries, data.size(), file);
        SafetensorsFile result;
        result.tensors_.reserve(header.entries.size());
        for (auto& entry : header.entries) {
            const auto begin = static_cast<std::size_t>(entry.begin);
            const auto size = static_cast<std::size_t>(entry.end - entry.begin);
            result.tensors_.push_back({std::move(entry.name),
                                       entry.dtype,
                                       std::move(entry.shape),
                                       data.subspan(begin, size),
                                       {}});
        }
        std::sort(result.tensors_.begin(), result.tensors_.end(), detail::by_name);
        const auto twice = std::adjacent_find(
            result.tensors_.begin(), result.tensors_.end(),
            [](const TensorView& a, const TensorView& b) { return a.name == b.name; });
        if (twice != result.tensors_.end()) {
            throw FormatError(
                {file, "header: /", "no duplicate key", detail::in_quotes(twice->name) + " twice"});
        }
        result.metadata_ = std::move(header.metadata);
        return result;
    }

    /// Sorted by name.
    const std::vector<TensorView>& tensors() const { return tensors_; }
    /// Null where there is none of that name.
    const TensorView* find(std::string_view name) const {
        return detail::find_tensor(tensors_, name);
    }
    /// `__metadata__`, which is never interpreted.
    const std::map<std::string, std::string>& metadata() const { return metadata_; }

private:
    SafetensorsFile() = default;

    /// The JSON after the 8 bytes of its length, both checked before anything is allocated.
    static std::string_view header_of(std::span<const std::byte> bytes, const std::string& file,
                                      std::uint64_t max_header_bytes) {
        if (bytes.size() < 8) {
            throw FormatError({file, "byte 0", "the 8 bytes of the header's length",
                               std::to_string(bytes.size()) + " bytes"});
        }
        const auto length = detail::load_little<std::uint64_t>(bytes.data());
        const std::uint64_t most = std::min<std::uint64_t>(
            {bytes.size() - 8, max_header_bytes, detail::longest_safetensors_header});
        // A clone without its large files has this text in their place: say so, not a strange
        // number.
        if (detail::as_text(bytes).starts_with("version https://git-lfs")) {
            throw FormatError({file, "byte 0", "a safetensors file",
                               "a Git LFS pointer: the weights were never downloaded"});
        }
        if (length < 2 || length > most) {
            throw FormatError({file, "byte 0",
                               "a header length from 2 to " + std::to_string(most) +
                                   " in a file of " + std::to_string(bytes.size()) + " bytes",
                               std::to_string(length)});
        }
        return detail::as_text(bytes.subspan(8, static_cast<std::size_t>(length)));
    }

    std::shared_ptr<const MappedFile> map_;
    std::vector<TensorView> tensors_;
    std::map<std::string, std::string> metadata_;
};

}  // namespace nystromformer
