// SPDX-License-Identifier: MIT
// The bodies of text.hpp.
#pragma once

#include <nystromformer/core/error_text.hpp>
#include <nystromformer/text.hpp>
#include <nystromformer/tokenizer/unicode/unicode.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <algorithm>
#include <cstddef>

namespace nystromformer::inline v0_2 {

NYSTROMFORMER_INLINE std::string_view strip(std::string_view text) {
    std::size_t begin = text.size(), end = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto [size, valid] = detail::utf8::scan(text, at);
        const char32_t point = valid ? detail::utf8::decode(text, at).point : 0;
        const bool is_separator = point >= 0x1C && point <= 0x1F;
        if (!is_separator && !detail::unicode::is_white(point)) {
            begin = std::min(begin, at);
            end = at + size;
        }
        at += size;
    }
    return begin < end ? text.substr(begin, end - begin) : text.substr(0, 0);
}

NYSTROMFORMER_INLINE bool is_utf8(std::string_view text) { return detail::utf8::is_valid(text); }

NYSTROMFORMER_INLINE std::string for_terminal(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const auto [size, valid] = detail::utf8::scan(text, 0);
        const std::string_view character = text.substr(0, size);
        const char32_t point = valid ? detail::utf8::decode(character, 0).point : 0;
        const bool is_control = point < 0x20 || (point >= 0x7F && point < 0xA0);
        if (is_control) {
            result += detail::printable(character);
        } else {
            result += character;
        }
        text.remove_prefix(size);
    }
    return result;
}

}  // namespace nystromformer::inline v0_2
