// SPDX-License-Identifier: MIT
// What to do about a mistake: the nearest spelling, the right folder, the right command.
#pragma once

#include <nystromformer/error.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace command_line {

/// UsageError for arguments that begin with no command, and for options that the command does not
/// have, with the nearest that there is. "--" and what follows it is not among the arguments.
void check_spelling(const CLI::App& app, const std::vector<std::string>& arguments);

/// The message of an error of the library that ended a command, or what to do where the folder of
/// --model is none.
std::string advised(const nystromformer::Error& error, const CLI::App& app);

/// The one of `words` that `word` is most like, or "" where none is like it.
std::string nearest(std::string_view word, const std::vector<std::string>& words);

}  // namespace command_line
