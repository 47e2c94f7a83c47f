// SPDX-License-Identifier: MIT
// Exit codes, and the error of a command that was called wrongly.
#pragma once

#include <stdexcept>

namespace command_line {

enum ExitCode { good = 0, run_time_failure = 1, usage = 2, some_lines_failed = 3 };

/// An option or argument is wrong: the program ends with the exit code `usage`.
class UsageError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace command_line
