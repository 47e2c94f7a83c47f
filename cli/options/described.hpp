// SPDX-License-Identifier: MIT
// The program as its commands describe it, for the manual page and the completion of shells.
#pragma once

#include <string>
#include <vector>

namespace command_line {

struct DescribedOption {
    std::string name;  ///< "--model"
    std::string about;
    std::string type;  ///< "DIR"; empty: takes no value
    bool is_required;
};

struct DescribedCommand {
    std::string name;
    std::string about;
    std::string footer;
    bool takes_texts;
    std::vector<DescribedOption> options;  ///< without --help
};

struct DescribedProgram {
    std::string about;
    std::string footer;
    std::vector<DescribedCommand> commands;
};

/// The script that completes commands and options in "bash", "zsh" or "fish".
std::string completion(const DescribedProgram& program, const std::string& shell);

/// The manual page, in roff.
std::string manual(const DescribedProgram& program);

}  // namespace command_line
