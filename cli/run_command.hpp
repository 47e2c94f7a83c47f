// SPDX-License-Identifier: MIT
// The options of `nystromformer run`, and its work in float and in double (two sources: they
// compile slowly).
#pragma once

#include "command_line.hpp"

#include <string>

namespace command_line {

struct RunOptions : CommonOptions {
    std::string head, input, output;
    std::string scalar = "float";
    std::string inverse;
    bool hidden_states = false;
    bool attentions = false;
};

void run_head_in_float(const RunOptions& options);
void run_head_in_double(const RunOptions& options);

}  // namespace command_line
