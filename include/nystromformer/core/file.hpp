// SPDX-License-Identifier: MIT
// Small files read whole and written whole.
#pragma once

#include <nystromformer/core/error.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

namespace nystromformer::detail {

/// True for an existing regular file (symbolic links followed).
inline bool is_regular_file(const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::is_regular_file(path, ignored);
}

/// The size of a regular file; IoError for anything else (a folder, a pipe, a device, nothing).
inline std::uint64_t regular_file_size(const std::filesystem::path& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) {
        throw IoError({path.string(), "", "a readable file", error ? error.message() : "nothing"});
    }
    if (!std::filesystem::is_regular_file(status)) {
        throw IoError({path.string(), "", "a regular file", "a folder, pipe or device"});
    }
    const auto size = std::filesystem::file_size(path, error);
    if (error) throw IoError({path.string(), "", "a readable file", error.message()});
    return size;
}

/// The bytes of a regular file of at most `limit` bytes.
inline std::string read_file(const std::filesystem::path& path, std::uint64_t limit) {
    const std::uint64_t size = regular_file_size(path);
    if (size > limit) {
        throw FormatError({path.string(), "", "at most " + std::to_string(limit) + " bytes",
                           std::to_string(size)});
    }
    std::ifstream stream(path, std::ios::binary);
    std::string bytes(static_cast<std::size_t>(size), '\0');
    if (!stream || !stream.read(bytes.data(), static_cast<std::streamsize>(size))) {
        throw IoError({path.string(), "", "a readable file of " + std::to_string(size) + " bytes",
                       "a read error"});
    }
    return bytes;
}

/// Writes `bytes` as the whole of `path`.
inline void write_file(const std::filesystem::path& path, std::string_view bytes) {
    std::ofstream stream(path, std::ios::binary | std::ios::trunc);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    stream.close();
    if (!stream) throw IoError({path.string(), "", "a writable file", "a write error"});
}

}  // namespace nystromformer::detail
