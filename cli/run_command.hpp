// SPDX-License-Identifier: MIT
// The options of `nystromformer run`.
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

}  // namespace command_line
