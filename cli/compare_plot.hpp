// SPDX-License-Identifier: MIT
// The plot of nystromformer compare.
#pragma once

#include "command_line.hpp"

#include <string>

namespace compare_command {

/// Draws what the command put out for a text: an SVG file.
std::string plot_of(const command_line::Json& output, const std::string& title);

/// "1,803 tokens, fp32 on avx2, 2 threads, 270 masks".
std::string summary_of(const command_line::Json& output);

}  // namespace compare_command
