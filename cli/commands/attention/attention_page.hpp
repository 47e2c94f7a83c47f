// SPDX-License-Identifier: MIT
// The file that `nystromformer attention --html` writes: one HTML page that needs nothing else.
#pragma once

#include <string>
#include <string_view>

namespace attention_command {

/// The page of a picture's JSON; `plot` is an SVG below it, or empty.
std::string page_of(const std::string& picture, std::string_view text, const std::string& plot);

}  // namespace attention_command
