// SPDX-License-Identifier: MIT
// Parts of the tables that answers are on a terminal.
#pragma once

#include "requests/json_line.hpp"

#include <string>

namespace command_line {

/// The first numbers of an array, and the end of the line.
std::string first_numbers(const Json& numbers);
/// "  0.1234  ".
std::string score_text(const Json& score);
/// A line for each answer of an output (one, or an array): its score, and the text under `field`.
std::string scored_lines(const Json& output, const char* field);
/// "name        value", a line.
std::string named_row(std::string name, const std::string& value);
/// A string as it is; other values as JSON.
std::string plain(const Json& value);
/// The values of an array, with commas between; `none` for an empty one.
std::string joined(const Json& values, const char* none);

}  // namespace command_line
