// SPDX-License-Identifier: MIT
// nystromformer compare
#include "commands/commands.hpp"
#include "commands/compare/attention_comparison.hpp"
#include "commands/compare/comparison_output.hpp"
#include "commands/compare/plot.hpp"
#include "options/usage.hpp"
#include "platform/platform.hpp"
#include "requests/answer_all.hpp"
#include "streams/files.hpp"
#include "terminal/terminal.hpp"

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace compare_command {

using namespace command_line;

struct Options : CommonOptions {
    AttentionComparisonOptions comparison;
    std::vector<std::string> inverse{"sequence", "matrix"};
    std::string file, plot;

    AttentionComparisonOptions comparison_options() const {
        AttentionComparisonOptions options = comparison;
        options.inverses.clear();
        for (const std::string& name : inverse) options.inverses.push_back(inverse_named(name));
        return options;
    }
};

/// Shows how many forward passes are done, on a terminal for messages.
std::function<void(Index, Index)> progress_shower() {
    if (!stderr_is_terminal()) return {};
    return [](Index done, Index total) {
        std::fprintf(stderr, "\r%lld of %lld passes", static_cast<long long>(done),
                     static_cast<long long>(total));
        if (done == total) std::fputs("\r\33[K", stderr);  // the line is cleared
    };
}

/// The fields of the text to compare with and, apart from them, the text of a file.
std::vector<Json> fields_of(const Options& options, const std::vector<std::string>& texts,
                            std::string& file_text) {
    if (!options.plot.empty() && texts.size() + !options.file.empty() != 1)
        throw UsageError("--plot draws one text: a TEXT or --file");
    if (options.file.empty()) return text_fields(texts);
    if (!texts.empty()) throw UsageError("--file or a TEXT, not both");
    const std::string bytes = read_file(options.file, std::uint64_t{16} << 20);
    file_text = without_mark(bytes, options.file);
    return {{{"file", options.file}}};
}

int run(const Options& options, const std::vector<std::string>& texts) {
    std::string file_text;
    const std::vector<Json> arguments = fields_of(options, texts, file_text);
    const AttentionComparison compare(options.folder(), options.load_options());
    AttentionComparisonOptions each = options.comparison_options();
    try {
        compare.check(each);
    } catch (const nf::InputError& error) {
        throw UsageError(error.what());
    }
    each.progress = progress_shower();
    Json shown;  // the last output and its title
    const auto answer = [&](const std::vector<Request*>& requests) {
        for (Request* request : requests) {
            guard(*request, [&] {
                each.long_text.on_truncation = cut_noter({&request, 1});
                const std::string& text = options.file.empty() ? request->text("text") : file_text;
                request->output = to_json(compare(text, each), compare, each);
                shown = {{"title", title_of(request->fields)}, {"output", request->output}};
            });
        }
    };
    const int code = answer_all(arguments, options, {answer, table, 1});
    if (!options.plot.empty() && code == good) {
        write_file(options.plot, plot_of(shown["output"], shown["title"].get<std::string>()));
    }
    return code;
}

/// The end of --help.
constexpr const char* about_measurements =
    "Each attention runs the encoder over the whole text. Times are seconds of --repeat passes "
    "after\n"
    "a warm-up; the attentions take turns. Memory is what a pass takes besides weights and text: "
    "its\n"
    "hidden states and the most scratch memory in use on each thread. (The size of the process "
    "would\n"
    "also count what earlier passes left.) Cosines compare the tokens' last hidden states with "
    "those\n"
    "of exact attention. For \"same word\" and \"right word\", tokens are masked, and the "
    "likeliest\n"
    "token for each mask is compared with that of exact attention and with the text; null if the\n"
    "folder has no masked-LM head. The residual is the Frobenius norm of kernel_2 times its "
    "inverse\n"
    "minus I; an inverse of zeros gives sqrt(landmarks). If a text has no more tokens than "
    "landmarks,\n"
    "exact attention runs.";

}  // namespace compare_command

void add_compare(command_line::Program& program) {
    using namespace compare_command;
    auto options = std::make_shared<Options>();
    Command command =
        program.add("compare", "Nystrom and exact attention compared: time, memory and answers");
    options->add_model(command);
    command.takes_texts();
    command.option("--file", options->file, "a file that is one text, instead of TEXTs")
        .type("PATH");
    AttentionComparisonOptions& comparison = options->comparison;
    const auto list = [&command](const char* name, auto& values, const char* what) {
        return command.option(name, values, what).type("A,B,...");
    };
    list("--landmarks", comparison.num_landmarks,
         "numbers of landmarks (default: 16,32,64,128,256)")
        .in_range(Index{1}, Index{1} << 20);
    list("--inverse", options->inverse,
         "starts of the inverse: sequence, matrix, or batch, which is sequence for a single text "
         "(default: sequence,matrix)")
        .one_of({"batch", "sequence", "matrix"});
    list("--iterations", comparison.inverse_iterations, "iterations of the inverse (default: 6)")
        .in_range(Index{0}, Index{1000});
    const auto number = [&command](const char* name, auto& value, const char* what, Index least) {
        command.option(name, value, what).in_range(least, Index{1} << 20).type("N");
    };
    number("--repeat", comparison.repeat, "timed passes of each attention (default: 5)", 1);
    number("--mask-passes", comparison.mask_passes,
           "passes with 15 % of the tokens masked, different ones each time (default: 1)", 1);
    number("--seed", comparison.seed, "seed for the choice of masked tokens (default: 0)", 0);
    command.option("--plot", options->plot, "draw the comparison of one text as SVG").type("FILE");
    add_truncation(command, comparison.long_text.truncation);
    options->add_threads(command);
    options->add_precision(command);
    options->add_lines(command);
    command.footer(about_measurements);
    command.runs([options](const auto& texts) { return run(*options, texts); });
}
