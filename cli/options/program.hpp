// SPDX-License-Identifier: MIT
// The program: its commands, its arguments, and what becomes of an error.
#pragma once

#include "options/command.hpp"
#include "options/described.hpp"

#include <memory>
#include <string>
#include <vector>

namespace command_line {

class Program {
public:
    Program();
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    /// Commands appear in --help in the order in which they are added.
    Command add(const std::string& name, const std::string& about);

    DescribedProgram described() const;

    /// Runs the command that the arguments of main name. Returns the exit code; an error is a
    /// message on stderr.
    int run(std::vector<std::string> arguments);

private:
    std::unique_ptr<CLI::App> app_;
    Session session_;
};

}  // namespace command_line
