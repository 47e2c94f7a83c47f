// SPDX-License-Identifier: MIT
// The command line: nystromformer COMMAND --model DIR ...
#include "command_line.hpp"

#include <exception>

int main(int argc, char** argv) {
    using namespace command_line;
    CLI::App app("Runs Nystromformer encoders from Hugging Face folders.", "nystromformer");
    app.set_version_flag("--version", NYSTROMFORMER_VERSION);
    app.require_subcommand(1);
    app.footer("Exit codes: 0 good, 1 run-time failure, 2 usage, 3 some input lines failed.");
    int exit_code = good;
    try {
        prepare_streams();
        add_fill_mask(app, exit_code);
        add_tokenize(app, exit_code);
        add_run(app, exit_code);
        add_info(app, exit_code);
        app.parse(argc, argv);
        return exit_code;
    } catch (const CLI::Success& help) {
        return app.exit(help);
    } catch (const CLI::ParseError& error) {
        print_message(std::string(error.what()) + " (see --help)");
        return usage;
    } catch (const UsageError& error) {
        print_message(error.what());
        return usage;
    } catch (const std::bad_alloc&) {
        print_message("not enough memory");
        return run_time_failure;
    } catch (const std::exception& error) {
        print_message(error.what());
        return run_time_failure;
    }
}
