// SPDX-License-Identifier: MIT
// Reads safetensors files strictly and without copying, as huggingface/safetensors' README and
// tensor.rs define the format.
#pragma once

#include <nystromformer/checkpoint/byte_cursor.hpp>
#include <nystromformer/checkpoint/mapped_file.hpp>
#include <nystromformer/checkpoint/safetensors_header.hpp>
#include <nystromformer/checkpoint/tensor_layout.hpp>
#include <nystromformer/core/checked.hpp>
#include <nystromformer/core/error_text.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/safetensors.hpp>

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

namespace nystromformer::inline v0_2 {

namespace detail {

/// "[0, 24)", the place of a tensor in the data.
inline std::string range_text(const SafetensorsEntry& entry) {
    return '[' + std::to_string(entry.begin) + ", " + std::to_string(entry.end) + ')';
}

/// Checks that each entry's bytes are those of its shape, and that they are inside the data.
inline void check_sizes(const std::vector<SafetensorsEntry>& entries, std::uint64_t data_size,
                        const std::string& file) {
    for (const auto& entry : entries) {
        const std::string place = "tensor " + in_quotes(entry.name);
        const auto size = checked_size(entry.shape);
        const auto bytes = size ? checked_bytes(*size, entry.dtype) : std::nullopt;
        const std::uint64_t expected = bytes.value_or(0);
        const std::string what = std::string(name(entry.dtype)) + ' ' + shape_text(entry.shape);
        if (!bytes) throw FormatError({file, place, "a shape of whole bytes below 2^63", what});
        if (entry.begin > entry.end || entry.end > data_size) {
            throw FormatError({file, place,
                               "data_offsets in order and inside the " + std::to_string(data_size) +
                                   " bytes of data",
                               range_text(entry)});
        }
        if (entry.end - entry.begin != expected) {
            throw FormatError(
                {file, place, std::to_string(expected) + " bytes for " + what,
                 std::to_string(entry.end - entry.begin) + " at " + range_text(entry)});
        }
    }
}

/// Checks that the entries cover the data once: from 0, without hole or overlap, to `data_size`.
inline void check_coverage(const std::vector<SafetensorsEntry>& entries, std::uint64_t data_size,
                           const std::string& file) {
    std::vector<const SafetensorsEntry*> sorted;
    sorted.reserve(entries.size());
    for (const auto& entry : entries) sorted.push_back(&entry);
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
        return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
    });
    std::uint64_t covered = 0;
    std::string before = "the header";
    for (const auto* entry : sorted) {
        const std::string place = "tensor " + in_quotes(entry->name);
        if (entry->begin != covered) {
            throw FormatError(
                {file, place,
                 "data from byte " + std::to_string(covered) + ", where " + before + " ends",
                 (entry->begin < covered ? "an overlap: " : "a hole: ") + range_text(*entry)});
        }
        covered = entry->end;
        before = place;
    }
    if (covered != data_size) {
        throw FormatError({file, "data", std::to_string(covered) + " bytes, where the tensors end",
                           std::to_string(data_size)});
    }
}

/// The JSON after the 8 bytes of its length, both checked before anything is allocated.
inline std::string_view header_of(std::span<const std::byte> bytes, const std::string& file,
                                  std::uint64_t max_header_bytes) {
    if (bytes.size() < 8) {
        throw FormatError({file, "byte 0", "the 8 bytes of the header's length",
                           std::to_string(bytes.size()) + " bytes"});
    }
    const auto length = load_little<std::uint64_t>(bytes.data());
    const std::uint64_t limit =
        std::min<std::uint64_t>({bytes.size() - 8, max_header_bytes, max_safetensors_header});
    refuse_lfs_pointer(as_text(bytes), file);
    if (length < 2 || length > limit) {
        throw FormatError({file, "byte 0",
                           "a header length from 2 to " + std::to_string(limit) + " in a file of " +
                               std::to_string(bytes.size()) + " bytes",
                           std::to_string(length)});
    }
    return as_text(bytes.subspan(8, static_cast<std::size_t>(length)));
}

}  // namespace detail

struct SafetensorsFile::Contents {
    std::shared_ptr<const MappedFile> map;  // null if the bytes live elsewhere
    std::vector<TensorView> tensors;        // sorted by name
    std::map<std::string, std::string> metadata;

    Contents(std::span<const std::byte> bytes, const std::string& file,
             std::uint64_t max_header_bytes) {
        const std::string_view header_text = detail::header_of(bytes, file, max_header_bytes);
        auto header = detail::SafetensorsHeader::parse(header_text, file);
        const auto data = bytes.subspan(8 + header_text.size());
        detail::check_sizes(header.entries, data.size(), file);
        detail::check_coverage(header.entries, data.size(), file);
        tensors.reserve(header.entries.size());
        for (auto& entry : header.entries) {
            const auto begin = detail::as<std::size_t>(entry.begin);
            const auto size = detail::as<std::size_t>(entry.end - entry.begin);
            tensors.push_back({std::move(entry.name),
                               entry.dtype,
                               std::move(entry.shape),
                               data.subspan(begin, size),
                               {}});
        }
        std::sort(tensors.begin(), tensors.end(), detail::by_name);
        const auto twice = std::adjacent_find(
            tensors.begin(), tensors.end(),
            [](const TensorView& a, const TensorView& b) { return a.name == b.name; });
        if (twice != tensors.end()) {
            throw FormatError(
                {file, "header: /", "no duplicate key", in_quotes(twice->name) + " twice"});
        }
        metadata = std::move(header.metadata);
    }
};

NYSTROMFORMER_INLINE SafetensorsFile::SafetensorsFile(std::shared_ptr<const Contents> contents)
    : contents_(std::move(contents)) {}

NYSTROMFORMER_INLINE SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path,
                                                           const FileOptions& files) {
    auto map = std::make_shared<const MappedFile>(MappedFile::open(path, files));
    auto contents =
        std::make_shared<Contents>(map->bytes(), path_to_utf8(path), files.max_header_bytes);
    contents->map = std::move(map);
    return SafetensorsFile(std::move(contents));
}
NYSTROMFORMER_INLINE SafetensorsFile SafetensorsFile::parse(FileBytes bytes,
                                                            const std::string& file,
                                                            std::uint64_t max_header_bytes) {
    const auto view = std::as_bytes(std::span(bytes.view()));
    return SafetensorsFile(std::make_shared<Contents>(view, file, max_header_bytes));
}

NYSTROMFORMER_INLINE const std::vector<TensorView>& SafetensorsFile::tensors() const& {
    return contents_->tensors;
}
NYSTROMFORMER_INLINE const TensorView* SafetensorsFile::find(std::string_view name) const& {
    return detail::find_tensor(contents_->tensors, name);
}
NYSTROMFORMER_INLINE const std::map<std::string, std::string>& SafetensorsFile::metadata() const& {
    return contents_->metadata;
}

}  // namespace nystromformer::inline v0_2
