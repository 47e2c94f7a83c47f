// SPDX-License-Identifier: MIT
// The members of a JSON object in the order and the spelling of its text, which a parsed Json
// loses.
#pragma once

#include <nystromformer/core/json.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace nystromformer::inline v0_2::detail {

/// The size of the JSON string that begins with the quote at the start of `text`.
inline std::size_t json_string_size(std::string_view text) {
    std::size_t at = 1;
    while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2U : 1U;
    return std::min(at + 1, text.size());
}

/// The value of a valid JSON string with its quotes.
inline std::string json_string_value(std::string_view spelled) {
    if (spelled.find('\\') == spelled.npos)
        return std::string(spelled.substr(1, spelled.size() - 2));
    return parse_json(spelled, "a string").value.get<std::string>();
}

/// Calls visit(key, value) for each member of the object in a valid JSON text, in order: the key,
/// and the text of the value, with white space around it. Any other value has no members.
template <typename Visit>
void for_each_member(std::string_view object, const Visit& visit) {
    const std::size_t first = object.find_first_not_of(" \t\r\n");
    if (first == object.npos || object[first] != '{') return;
    std::size_t depth = 0, value_begin = 0;
    std::string_view key;  // as it is spelled; empty: none yet
    for (std::size_t at = 0; at < object.size();) {
        const char c = object[at];
        const std::size_t size = c == '"' ? json_string_size(object.substr(at)) : 1;
        if (c == '}' || c == ']') --depth;
        if (c == '"' && depth == 1 && key.empty()) {
            key = object.substr(at, size);
        } else if (c == ':' && depth == 1) {
            value_begin = at + 1;
        } else if (!key.empty() && (depth == 0 || (depth == 1 && c == ','))) {
            visit(json_string_value(key), object.substr(value_begin, at - value_begin));
            key = {};
        }
        if (c == '{' || c == '[') ++depth;
        at += size;
    }
}

}  // namespace nystromformer::inline v0_2::detail
