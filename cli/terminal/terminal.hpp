// SPDX-License-Identifier: MIT
// Messages on stderr.
#pragma once

#include <nystromformer/options.hpp>
#include <nystromformer/text.hpp>

#include <functional>
#include <string_view>

namespace command_line {

using nystromformer::for_terminal;

/// One line on stderr, made safe for a terminal.
void print_message(std::string_view text);
/// Prints each notice of the library on stderr, once.
std::function<void(const nystromformer::Notice&)> notice_printer();

}  // namespace command_line
