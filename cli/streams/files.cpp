// SPDX-License-Identifier: MIT
#include "streams/files.hpp"

#include <nystromformer/error.hpp>
#include <nystromformer/text.hpp>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace command_line {

namespace nf = nystromformer;
namespace fs = std::filesystem;

std::uint64_t file_size(const std::string& path) {
    std::error_code error;
    const fs::file_status status = fs::status(nf::path_from_utf8(path), error);
    if (!fs::exists(status))
        throw nf::IoError({path, "", "a readable file", error ? error.message() : "nothing"});
    if (!fs::is_regular_file(status))
        throw nf::IoError({path, "", "a regular file", "a folder, pipe or device"});
    const std::uint64_t size = fs::file_size(nf::path_from_utf8(path), error);
    if (error) throw nf::IoError({path, "", "a readable file", error.message()});
    return size;
}

std::string read_file(const std::string& path, std::uint64_t limit) {
    const std::uint64_t size = file_size(path);
    if (size > limit) {
        throw nf::FormatError(
            {path, "", "at most " + std::to_string(limit) + " bytes", std::to_string(size)});
    }
    std::ifstream stream(nf::path_from_utf8(path), std::ios::binary);
    if (!stream)
        throw nf::IoError({path, "", "a readable file", std::generic_category().message(errno)});
    std::string bytes(static_cast<std::size_t>(size), '\0');
    if (!stream.read(bytes.data(), static_cast<std::streamsize>(size)))
        throw nf::IoError({path, "", "a readable file", "a read error"});
    return bytes;
}

void write_file(const std::string& path, std::string_view bytes) {
    std::ofstream stream(nf::path_from_utf8(path), std::ios::binary | std::ios::trunc);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    stream.close();
    if (!stream) throw nf::IoError({path, "", "a writable file", "a write error"});
}

void refuse_utf16(std::string_view text, const std::string& file) {
    constexpr std::pair<std::string_view, const char*> marks[] = {
        {std::string_view("\xFF\xFE\0\0", 4), "UTF-32"},
        {std::string_view("\0\0\xFE\xFF", 4), "UTF-32"},
        {"\xFF\xFE", "UTF-16"},
        {"\xFE\xFF", "UTF-16"}};
    for (const auto& [mark, name] : marks) {
        if (text.starts_with(mark))
            throw nf::FormatError({file, "byte 0", "UTF-8",
                                   std::string(name) + ", by its byte order mark (convert it)"});
    }
}

std::string_view without_mark(std::string_view text, const std::string& file) {
    refuse_utf16(text, file);
    return text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text;
}

}  // namespace command_line
