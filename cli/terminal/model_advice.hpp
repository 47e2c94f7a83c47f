// SPDX-License-Identifier: MIT
// What to do about a --model that is no model folder.
#pragma once

#include <nystromformer/error.hpp>

#include <string>

namespace command_line {

/// The message of an error of the library that ended a command, or what to do if the folder of
/// --model, `model`, is no model folder.
std::string advised(const nystromformer::Error& error, const std::string& model);

}  // namespace command_line
