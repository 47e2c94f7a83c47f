// SPDX-License-Identifier: MIT
#include "options/described.hpp"

#include <nystromformer/version.hpp>

#include <cstddef>
#include <string>

namespace command_line {

namespace {

/// Text as roff prints it: no line begins a request, and hyphens stay what was typed.
std::string roff(const std::string& text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool begins = i == 0 || text[i - 1] == '\n';
        if (begins && (text[i] == '.' || text[i] == '\'')) result += "\\&";
        if (text[i] == '\\') {
            result += "\\e";
        } else if (text[i] == '-') {
            result += "\\-";
        } else {
            result += text[i];
        }
    }
    return result;
}

std::string section(const DescribedCommand& command) {
    std::string text = ".SS " + roff(command.name) + "\n" + roff(command.about) +
                       ".\n.PP\n.B nystromformer " + roff(command.name) + "\n";
    for (const DescribedOption& option : command.options) {
        if (option.is_required)
            text += ".BI \"" + roff(option.name) + " \" \"" + roff(option.type) + "\"\n";
    }
    text += command.takes_texts ? ".RI [ options \"] [\" TEXT ...]\n" : ".RI [ options ]\n";
    for (const DescribedOption& option : command.options) {
        text += option.type.empty()
                    ? ".TP\n.B " + roff(option.name) + "\n"
                    : ".TP\n.BI \"" + roff(option.name) + " \" \"" + roff(option.type) + "\"\n";
        text += roff(option.about) + "\n";
    }
    if (!command.footer.empty()) text += ".PP\n.nf\n" + roff(command.footer) + "\n.fi\n";
    return text;
}

}  // namespace

std::string manual(const DescribedProgram& program) {
    std::string text =
        ".\\\" Made by: nystromformer manual\n.TH NYSTROMFORMER 1 \"\" \"nystromformer " +
        std::string(nystromformer::version()) +
        "\" \"User Commands\"\n"
        ".SH NAME\nnystromformer \\- runs Nystromformer and BERT text encoders\n"
        ".SH SYNOPSIS\n.B nystromformer\n.I COMMAND\n.RI [ options "
        "\"] [\" TEXT ...]\n"
        ".SH DESCRIPTION\n" +
        roff(program.about) + "\n.SH COMMANDS\n";
    for (const DescribedCommand& command : program.commands) text += section(command);
    text += ".SH EXIT STATUS\n" + roff(program.footer) +
            "\n.SH ENVIRONMENT\n"
            ".TP\n.B NYSTROMFORMER_MODELS\nFolders that hold models, separated by colons: "
            "\\-\\-model takes the name of one.\n"
            ".TP\n.BR HF_HUB_CACHE \", \" HF_HOME\nWhere the Hugging Face cache is, for "
            "\\-\\-model org/name.\n"
            ".TP\n.B NYSTROMFORMER_ISA\nThe instruction set to use, by name; an error if the CPU "
            "lacks it.\n";
    return text;
}

}  // namespace command_line
