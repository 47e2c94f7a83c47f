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

int main(int argc, char** argv) {
    using namespace command_line;
    CLI::App app("Runs Nystromformer encoders from Hugging Face folders.", "nystromformer");
    app.set_version_flag("--version", std::string(nystromformer::version()));
    app.require_subcommand(1);
    app.footer("Exit codes: 0 good, 1 run-time failure, 2 usage, 3 some input lines failed.");
    // "--" is taken here: the arguments after it are texts, whatever they look like.
    Session session;
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
    try {
        prepare_streams();
        add_fill_mask(app, session);
        add_classify(app, session);
        add_zero_shot(app, session);
        add_tag(app, session);
        add_answer(app, session);
        add_choose(app, session);
        add_embed(app, session);
        add_rerank(app, session);
        add_search(app, session);
        add_features(app, session);
        add_tokenize(app, session);
        add_run(app, session);
        add_bench(app, session);
        add_compare(app, session);
        add_info(app, session);
        add_convert(app, session);
        refuse_empty_values(app);
        check_spelling(app, arguments);
        std::reverse(arguments.begin(), arguments.end());  // the order in which CLI11 takes them
        app.parse(arguments);
        return session.exit_code;
    } catch (const CLI::Success& help) {
        return app.exit(help);
    } catch (const CLI::RequiredError& error) {
        const std::string what = error.what();
        print_message(what + (what.starts_with("--model") ? ": the folder of a model" : "") +
                      " (see --help)");
        return usage;
    } catch (const CLI::ParseError& error) {
        print_message(std::string(error.what()) + " (see --help)");
        return usage;
    } catch (const UsageError& error) {
        print_message(error.what());
        return usage;
    } catch (const nystromformer::Error& error) {
        print_message(advised(error, app));
        return run_time_failure;
    } catch (const std::bad_alloc&) {
        print_message("not enough memory");
        return run_time_failure;
    } catch (const std::exception& error) {
        print_message(error.what());
        return run_time_failure;
    }
}
