// SPDX-License-Identifier: MIT
// Files that the user names, besides the model's: read and written whole; byte order marks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace command_line {

/// The size of a regular file; IoError for anything else (a folder, a pipe, a device, nothing).
std::uint64_t file_size(const std::string& path);
/// The bytes of a regular file. IoError, or FormatError for more than `limit` bytes.
std::string read_file(const std::string& path, std::uint64_t limit);
/// Writes `bytes` as the whole of a file. IoError.
void write_file(const std::string& path, std::string_view bytes);

/// FormatError if `text`, the start of `file`, has the byte order mark of UTF-16 or UTF-32.
void refuse_utf16(std::string_view text, const std::string& file);
/// `text`, the start of `file`, without the byte order mark of UTF-8. FormatError for another's.
std::string_view without_mark(std::string_view text, const std::string& file);

}  // namespace command_line
