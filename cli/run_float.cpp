// SPDX-License-Identifier: MIT
#include "run_head.hpp"

void command_line::run_head_in_float(const RunOptions& options) { run_head<float>(options); }
