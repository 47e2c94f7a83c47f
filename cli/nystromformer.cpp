// SPDX-License-Identifier: MIT
// The command line: nystromformer COMMAND --model DIR ...
#include "advice.hpp"
#include "command_line.hpp"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <new>
#include <string>
#include <vector>

namespace {

using namespace command_line;

/// The commands, in the order in which --help lists them.
constexpr void (*add_command[])(CLI::App&, Session&) = {
    add_fill_mask, add_classify, add_zero_shot, add_tag,      add_answer,   add_choose,
    add_embed,     add_rerank,   add_search,    add_features, add_tokenize, add_run,
    add_bench,     add_compare,  add_info,      add_convert};

/// The arguments before "--". Everything after it is a text, even if it looks like an option.
std::vector<std::string> arguments_of(int argc, char** argv, Session& session) {
    std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
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

/// Runs the command that the arguments name.
int run(CLI::App& app, std::vector<std::string> arguments, Session& session) {
    prepare_streams();
    for (const auto& add : add_command) add(app, session);
    refuse_empty_values(app);
    check_spelling(app, arguments);
    std::reverse(arguments.begin(), arguments.end());  // the order in which CLI11 takes them
    app.parse(arguments);
    return session.exit_code;
}

int failed(ExitCode code, const std::string& message) {
    print_message(message);
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Runs Nystromformer encoders from Hugging Face folders.", "nystromformer");
    app.set_version_flag("--version", std::string(nystromformer::version()));
    app.require_subcommand(1);
    app.footer("Exit codes: 0 good, 1 run-time failure, 2 usage, 3 some input lines failed.");
    Session session;
    try {
        return run(app, arguments_of(argc, argv, session), session);
    } catch (const CLI::Success& help) {
        return app.exit(help);
    } catch (const CLI::RequiredError& error) {
        const std::string what = error.what();
        const bool is_model = what.starts_with("--model");
        return failed(usage, what + (is_model ? ": the folder of a model" : "") + " (see --help)");
    } catch (const CLI::ParseError& error) {
        return failed(usage, std::string(error.what()) + " (see --help)");
    } catch (const UsageError& error) {
        return failed(usage, error.what());
    } catch (const nystromformer::Error& error) {
        return failed(run_time_failure, advised(error, app));
    } catch (const std::bad_alloc&) {
        return failed(run_time_failure, "not enough memory");
    } catch (const std::exception& error) {
        return failed(run_time_failure, error.what());
    }
}
