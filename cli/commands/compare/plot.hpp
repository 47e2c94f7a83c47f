// SPDX-License-Identifier: MIT
// The plot of nystromformer compare.
#pragma once

#include "requests/json_line.hpp"

#include <string>

namespace compare_command {

/// Draws what the command put out for a text: an SVG file.
std::string plot_of(const command_line::Json& output, const std::string& title);

}  // namespace compare_command
