// SPDX-License-Identifier: MIT
// Strict JSON: the reader that the library uses for untrusted files, for programs that read such
// text themselves. nystromformer.hpp leaves this header out, because it needs nlohmann_json.
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/core/json_members.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace nystromformer::inline v0_2 {

using Json = nlohmann::json;

/// Parses `text`. FormatError for invalid JSON, and for what nlohmann would let pass: a byte order
/// mark, a zero byte, a duplicate key, more than 32 levels, numbers that no double holds, strings
/// of more than 8 MiB, and values that take much more memory than the text. `file` names the text
/// in errors.
[[nodiscard]] inline Json read_json(std::string_view text, const std::string& file = "") {
    return std::move(detail::parse_json(text, file).value);
}

/// A value in the words of an error message: "an object", "an array of 3", "\"a\"", "1.5".
[[nodiscard]] inline std::string describe(const Json& value) {
    return detail::describe_json(value);
}

/// The bytes of the JSON string, quotes included, with which `text` begins.
[[nodiscard]] inline std::size_t json_string_size(std::string_view text) {
    return detail::json_string_size(text);
}

/// Calls visit(key, value) for each member of a valid JSON object: the value of the key, and the
/// text of the value with the white space around it. Keeps the order and the spelling of the text,
/// which a parsed Json does not.
template <typename Visit>
void for_each_json_member(std::string_view object, const Visit& visit) {
    detail::for_each_member(object, visit);
}

}  // namespace nystromformer::inline v0_2
