// SPDX-License-Identifier: MIT
// A JSON line: its values, and its members as they were spelled, to be written back unchanged.
#pragma once

#include <nystromformer/json.hpp>

#include <string>
#include <string_view>

namespace command_line {

using nystromformer::Json;

struct JsonLine {
    Json fields;  ///< an object
    /// `"id":1.0,"text":"a"`: the members in their order, without white space between the tokens,
    /// values as they were spelled. Those that an answer sets (output, error, cut) are
    /// left out.
    std::string members;
};

/// Reads a line. FormatError if it is no JSON object. An integer may have any size; one of more
/// than 300 digits is shortened in `fields`, not in `members`. `file` names the line in errors.
JsonLine read_json_line(std::string_view line, const std::string& file = "");

/// The members of an object in that form.
std::string members_of(const Json& fields);

/// JSON on one line; invalid UTF-8 becomes U+FFFD.
std::string dump(const Json& value);

}  // namespace command_line
