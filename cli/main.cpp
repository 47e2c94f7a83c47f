// SPDX-License-Identifier: MIT
// The command line: nystromformer COMMAND --model DIR ...
#include "commands/commands.hpp"
#include "options/program.hpp"
#include "platform/platform.hpp"

int main(int argc, char** argv) {
    command_line::Program program;
    for (const auto& add : add_command) add(program);
    return program.run(command_line::arguments_of_main(argc, argv));
}
