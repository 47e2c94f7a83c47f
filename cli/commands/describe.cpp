// SPDX-License-Identifier: MIT
// nystromformer completion and nystromformer manual
#include "commands/commands.hpp"
#include "options/described.hpp"
#include "options/usage.hpp"
#include "streams/standard_streams.hpp"

#include <memory>
#include <string>

void add_describe(command_line::Program& program) {
    using namespace command_line;
    auto shell = std::make_shared<std::string>();
    Command completion = program.add("completion", "A script that completes commands and options");
    completion.option("--shell", *shell, "bash, zsh or fish")
        .required()
        .one_of({"bash", "zsh", "fish"})
        .type("NAME");
    completion.footer("bash: source <(nystromformer completion --shell bash)");
    completion.runs([shell, &program](const auto&) {
        write_out(command_line::completion(program.described(), *shell));
        return good;
    });
    Command manual = program.add("manual", "The manual page, in roff");
    manual.footer("To read it: nystromformer manual | man -l -");
    manual.runs([&program](const auto&) {
        write_out(command_line::manual(program.described()));
        return good;
    });
}
