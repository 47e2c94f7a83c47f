// SPDX-License-Identifier: MIT
// Whole numbers as Python's int() reads them from text: the keys of id2label and
// added_tokens_decoder.
#pragma once

#include <nystromformer/core/index.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace nystromformer::inline v0_2::detail {

/// Allows white space around the number, a sign, and single "_" between digits. Returns nothing for
/// any other text, and for a number beyond 64 bits. (Python also takes digits of other scripts.)
inline std::optional<Index> python_int(std::string_view text) {
    constexpr std::string_view spaces = " \t\n\r\f\v";
    text.remove_prefix(std::min(text.find_first_not_of(spaces), text.size()));
    text = text.substr(0, text.find_last_not_of(spaces) + 1);
    const bool is_negative = text.starts_with('-');
    if (is_negative || text.starts_with('+')) text.remove_prefix(1);
    std::string digits;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool joins = text[i] == '_' && i > 0 && i + 1 < text.size() && text[i - 1] != '_';
        if (!joins) digits += text[i];
    }
    Index value = 0;
    const char* end = digits.data() + digits.size();
    const auto [last, error] = std::from_chars(digits.data(), end, value);
    if (error != std::errc() || last != end || value < 0) return std::nullopt;
    return is_negative ? -value : value;
}

}  // namespace nystromformer::inline v0_2::detail
