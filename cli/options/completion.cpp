// SPDX-License-Identifier: MIT
#include "options/described.hpp"

namespace command_line {

namespace {

/// Words that a shell reads as one word each: names of commands and options are plain.
std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

std::vector<std::string> names_of(const DescribedProgram& program) {
    std::vector<std::string> names;
    for (const DescribedCommand& command : program.commands) names.push_back(command.name);
    return names;
}

std::vector<std::string> options_of(const DescribedCommand& command) {
    std::vector<std::string> names{"--help"};
    for (const DescribedOption& option : command.options) names.push_back(option.name);
    return names;
}

/// `text` between single quotes; a shell has no escape there.
std::string quoted(const std::string& text, const std::string& quote) {
    std::string result = "'";
    for (const char c : text) result += c == '\'' ? quote : std::string(1, c);
    return result + '\'';
}

std::string bash(const DescribedProgram& program) {
    std::string cases;
    for (const DescribedCommand& command : program.commands)
        cases += "        " + command.name + ") words=\"" + joined(options_of(command)) + "\" ;;\n";
    return "# bash completion of nystromformer\n"
           "_nystromformer() {\n"
           "    local words word=${COMP_WORDS[COMP_CWORD]}\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "        COMPREPLY=($(compgen -W \"--help --version " +
           joined(names_of(program)) +
           "\" -- \"$word\"))\n"
           "        return\n"
           "    fi\n"
           "    [[ $word == -* ]] || return  # a value or a text: bash offers files\n"
           "    case ${COMP_WORDS[1]} in\n" +
           cases +
           "    esac\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
           "}\n"
           "complete -o default -F _nystromformer nystromformer\n";
}

std::string zsh(const DescribedProgram& program) {
    // _describe splits at colons, _arguments at brackets and colons.
    const auto plain = [](std::string text) {
        for (char& c : text)
            if (c == ':' || c == '[' || c == ']') c = ' ';
        return text;
    };
    std::string names, cases;
    for (const DescribedCommand& command : program.commands) {
        names += "        " + quoted(command.name + ":" + plain(command.about), "'\\''") + "\n";
        cases += "        " + command.name + ") _arguments";
        for (const DescribedOption& option : command.options) {
            const std::string value =
                option.type.empty() ? "" : ":" + plain(option.type) + ":_files";
            cases += " \\\n            " +
                     quoted(option.name + "[" + plain(option.about) + "]" + value, "'\\''");
        }
        cases += " \\\n            '*:text:_files' ;;\n";
    }
    return "#compdef nystromformer\n"
           "_nystromformer() {\n"
           "    local -a commands=(\n" +
           names +
           "    )\n"
           "    if (( CURRENT == 2 )); then\n"
           "        _describe command commands\n"
           "        return\n"
           "    fi\n"
           "    local command=$words[2]\n"
           "    shift words\n"
           "    (( CURRENT-- ))\n"
           "    case $command in\n" +
           cases +
           "    esac\n"
           "}\n"
           // zsh runs an installed script as the body of the function when it first completes.
           "if [[ ${funcstack[1]} == _nystromformer ]]; then\n"
           "    _nystromformer \"$@\"\n"
           "else\n"
           "    compdef _nystromformer nystromformer\n"
           "fi\n";
}

std::string fish(const DescribedProgram& program) {
    const std::string all = joined(names_of(program));
    std::string script = "# fish completion of nystromformer\n";
    for (const DescribedCommand& command : program.commands) {
        script += "complete -c nystromformer -f -n \"not __fish_seen_subcommand_from " + all +
                  "\" -a " + command.name + " -d " + quoted(command.about, "\\'") + "\n";
        for (const DescribedOption& option : command.options) {
            script += "complete -c nystromformer -n \"__fish_seen_subcommand_from " + command.name +
                      "\" -l " + option.name.substr(2) + (option.type.empty() ? "" : " -r") +
                      " -d " + quoted(option.about, "\\'") + "\n";
        }
    }
    return script;
}

}  // namespace

std::string completion(const DescribedProgram& program, const std::string& shell) {
    if (shell == "zsh") return zsh(program);
    return shell == "fish" ? fish(program) : bash(program);
}

}  // namespace command_line
