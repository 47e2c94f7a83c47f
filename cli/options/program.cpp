// SPDX-License-Identifier: MIT
#include "options/program.hpp"

#include "options/spelling.hpp"
#include "options/usage.hpp"
#include "options/version_text.hpp"
#include "platform/platform.hpp"
#include "terminal/model_advice.hpp"
#include "terminal/terminal.hpp"

#include <nystromformer/error.hpp>
#include <nystromformer/text.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <new>
#include <system_error>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

namespace command_line {

namespace {

/// The arguments before "--". Everything after it is a text, even if it looks like an option.
std::vector<std::string> arguments_of(std::vector<std::string> arguments, Session& session) {
    if (!arguments.empty()) arguments.erase(arguments.begin());
    // "--name=" is an empty value, for which CLI11 would take the next argument.
    for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
        std::string& argument = arguments[i];
        if (argument.size() < 4 || !argument.starts_with("--") ||
            argument.find('=') != argument.size() - 1)
            continue;
        argument.pop_back();
        arguments.insert(arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, "");
    }
    const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
    if (dashes != arguments.end()) session.after_dashes.assign(dashes + 1, arguments.end());
    arguments.erase(dashes, arguments.end());
    return arguments;
}

/// Refuses values that no number, name or path is, of every option that takes one.
void refuse_empty_values(CLI::App& app) {
    const CLI::Validator not_empty(
        [](const std::string& value) { return value.empty() ? "a value, not nothing" : ""; }, "");
    const CLI::Validator is_number(
        [](const std::string& value) {
            return whole_number(value) ? "" : "a whole number of 64 bits, not " + value;
        },
        "");
    for (CLI::App* command : app.get_subcommands({})) {
        for (CLI::Option* option : command->get_options()) {
            const std::string type = option->get_type_name();
            if (option->get_expected_min() == 0 || type == "TEXT" || type == "A,B,...") continue;
            // CLI11 adds what an option is checked for: "N:POSITIVE".
            option->check(type == "N" || type.starts_with("N:") ? is_number : not_empty);
        }
    }
}

std::vector<std::string> command_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
        names.push_back(command->get_name());
    return names;
}

std::vector<std::string> option_names(const CLI::App& command) {
    std::vector<std::string> names;
    for (const CLI::Option* option : command.get_options()) {
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
}

/// UsageError unless the command has the option; `at` moves on to its value.
void check_option(const CLI::App& command, const std::string& argument, std::size_t& at) {
    const std::string name = argument.substr(0, argument.find('='));
    const CLI::Option* option = command.get_option_no_throw(name);
    if (option == nullptr) {
        throw UsageError("unknown option " + name + did_you_mean(name, option_names(command)) +
                         " (see nystromformer " + command.get_name() + " --help)");
    }
    // Its value may look like an option.
    if (name.size() == argument.size())
        at += static_cast<std::size_t>(std::max(0, option->get_expected_min()));
}

/// UsageError for arguments that begin with no command, and for options that the command does not
/// have, with the nearest that there is.
void check_spelling(const CLI::App& app, const std::vector<std::string>& arguments) {
    const std::vector<std::string> names = command_names(app);
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    if (arguments.empty()) throw UsageError("a command is required: " + all + " (see --help)");
    const std::string& first = arguments.front();
    if (app.get_option_no_throw(first) != nullptr) return;
    if (first.starts_with('-'))
        throw UsageError("the command comes first, then " + first + ": " + all);
    if (std::find(names.begin(), names.end(), first) == names.end()) {
        throw UsageError("unknown command " + first + did_you_mean(first, names) + " There are " +
                         all);
    }
    const CLI::App& command = *app.get_subcommand(first);
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        if (arguments[i].size() > 1 && arguments[i][0] == '-')
            check_option(command, arguments[i], i);
    }
}

/// The value of the parsed command's --model, or "".
std::string model_of(const CLI::App& app) {
    for (const CLI::App* command : app.get_subcommands()) {
        const CLI::Option* option = command->get_option_no_throw("--model");
        if (option != nullptr && option->count() > 0) return option->as<std::string>();
    }
    return "";
}

/// "; did you mean --model DIR?" with the first TEXT that is a folder, or "" if none is.
std::string folder_given(const CLI::App& app) {
    for (const CLI::App* command : app.get_subcommands()) {
        for (const std::string& text : command->remaining()) {
            std::error_code ignored;
            if (std::filesystem::is_directory(nystromformer::path_from_utf8(text), ignored))
                return "; did you mean --model " + text + "?";
        }
    }
    return "";
}

int failed(ExitCode code, const std::string& message) {
    print_message(message);
    return code;
}

void parse_and_run(CLI::App& app, std::vector<std::string> arguments) {
    prepare_streams();
    refuse_empty_values(app);
    check_spelling(app, arguments);
    std::reverse(arguments.begin(), arguments.end());  // the order in which CLI11 takes them
    app.parse(arguments);
}

}  // namespace

Program::Program()
    : app_(std::make_unique<CLI::App>("Runs Nystromformer encoders from Hugging Face folders.",
                                      "nystromformer")) {
    app_->set_version_flag("--version", version_text);
    app_->require_subcommand(1);
    app_->footer("Exit codes: 0 good, 1 run-time failure, 2 usage, 3 some input lines failed.");
}

Program::~Program() = default;

Command Program::add(const std::string& name, const std::string& about) {
    return {*app_->add_subcommand(name, about), session_};
}

DescribedProgram Program::described() const {
    DescribedProgram program{app_->get_description(), app_->get_footer(), {}};
    for (const CLI::App* app : app_->get_subcommands([](const CLI::App*) { return true; })) {
        DescribedCommand command{app->get_name(),
                                 app->get_description(),
                                 app->get_footer(),
                                 app->get_allow_extras(),
                                 {}};
        for (const CLI::Option* option : app->get_options()) {
            const std::string name = option->get_name();
            if (name == "-h,--help" || option->get_lnames().empty()) continue;
            const bool takes_value = option->get_expected_min() > 0;
            // CLI11 adds what an option is checked for: "N:POSITIVE".
            const std::string type = option->get_type_name();
            command.options.push_back(
                {"--" + option->get_lnames().front(), option->get_description(),
                 takes_value ? type.substr(0, type.find(':')) : "", option->get_required()});
        }
        program.commands.push_back(std::move(command));
    }
    return program;
}

int Program::run(std::vector<std::string> arguments) {
    try {
        parse_and_run(*app_, arguments_of(std::move(arguments), session_));
        return session_.exit_code;
    } catch (const CLI::Success& help) {
        return app_->exit(help);
    } catch (const CLI::RequiredError& error) {
        const std::string what = error.what();
        const bool is_model = what.starts_with("--model");
        return failed(usage, what +
                                 (is_model ? ": the folder of a model" + folder_given(*app_) : "") +
                                 " (see --help)");
    } catch (const CLI::ParseError& error) {
        return failed(usage, std::string(error.what()) + " (see --help)");
    } catch (const UsageError& error) {
        return failed(usage, error.what());
    } catch (const nystromformer::Error& error) {
        return failed(run_time_failure, advised(error, model_of(*app_)));
    } catch (const std::bad_alloc&) {
        return failed(run_time_failure, "not enough memory");
    } catch (const std::exception& error) {
        return failed(run_time_failure, error.what());
    }
}

}  // namespace command_line
