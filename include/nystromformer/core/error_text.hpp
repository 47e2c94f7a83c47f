// SPDX-License-Identifier: MIT
// The text of errors: names and bytes of files made printable, and the message of an Error.
#pragma once

#include <nystromformer/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace nystromformer::inline v0_2::detail {

/// `text` for a message: control characters and invalid bytes escaped, cut to 128 bytes.
inline std::string printable(std::string_view text) {
    constexpr std::size_t limit = 128;
    constexpr char digits[] = "0123456789abcdef";
    std::string result;
    for (const char character : text.substr(0, limit)) {
        const auto byte = static_cast<unsigned char>(character);
        if (byte >= 0x20 && byte < 0x7F) {
            result += character;
        } else {
            result += "\\x";
            result += digits[byte >> 4];
            result += digits[byte & 15];
        }
    }
    if (text.size() > limit) result += "...";
    return result;
}

/// Throws FormatError for a Git LFS pointer: the short text that a clone without git-lfs has in
/// place of a large file.
inline void refuse_lfs_pointer(std::string_view bytes, const std::string& file) {
    if (!bytes.starts_with("version https://git-lfs")) return;
    throw FormatError({file, "byte 0", "the file itself (git lfs pull)",
                       "a Git LFS pointer: the file was never downloaded"});
}

}  // namespace nystromformer::inline v0_2::detail

namespace nystromformer::inline v0_2 {

inline std::string in_quotes(std::string_view text) { return '"' + detail::printable(text) + '"'; }

inline std::string Error::message_of(const ErrorDetails& details) {
    std::string message;
    if (!details.file.empty()) message += details.file + ": ";
    if (details.input) message += "text " + std::to_string(*details.input) + ": ";
    if (!details.place.empty()) message += details.place + ": ";
    if (!details.expected.empty()) message += "expected " + details.expected;
    if (!details.expected.empty() && !details.found.empty()) message += ", ";
    if (!details.found.empty()) message += "found " + details.found;
    return message;
}

}  // namespace nystromformer::inline v0_2
