// SPDX-License-Identifier: MIT
// nystromformer attention
#include "commands/attention/attention_page.hpp"
#include "commands/attention/attention_picture.hpp"
#include "commands/commands.hpp"
#include "commands/compare/attention_comparison.hpp"
#include "commands/compare/comparison_output.hpp"
#include "commands/compare/plot.hpp"
#include "options/usage.hpp"
#include "requests/answer_all.hpp"
#include "streams/files.hpp"
#include "terminal/terminal.hpp"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace attention_command {

using namespace command_line;

struct Options : CommonOptions {
    Index layer = 1, head = 1;  // from 1, as people count them
    std::string inverse = "matrix";
    Index iterations = 6;
    std::string html;
    bool compare = false;

    AttentionPictureOptions picture_options() const {
        return {.layer = layer - 1,
                .head = head - 1,
                .num_landmarks = landmarks == 0 ? 16 : landmarks,
                .inverse = compare_command::inverse_named(inverse),
                .inverse_iterations = iterations};
    }
};

/// The measures and words of an output as a person reads them.
std::string table(const Request& request) {
    const Json& output = request.output;
    char line[200];
    std::snprintf(line, sizeof line,
                  "%zu tokens, %s\nerror of the head %.4f, cosine of the last states %.4f (mean) "
                  "%.4f (worst)\n",
                  output["tokens"].size(),
                  output["uses_landmarks"].get<bool>()
                      ? (output["num_landmarks"].dump() + " landmarks").c_str()
                      : "no more than landmarks, so attention is exact",
                  output["error"].get<double>(), output["cosine_mean"].get<double>(),
                  output["cosine_min"].get<double>());
    std::string text = line;
    for (const char* by : {"exact", "nystrom"}) {
        const Json& words = output[by + std::string("_words")];
        if (words.empty()) continue;
        text += std::string(by) + ':';
        for (const Json& word : words) {
            std::snprintf(line, sizeof line, "  %.3f ", word["score"].get<double>());
            text += line + word["token_str"].get<std::string>();
        }
        text += '\n';
    }
    return text;
}

/// The plot of `compare` for the text.
std::string comparison_plot(const PicturedModel& model, const std::string& text) {
    const compare_command::AttentionComparison compare(model.model, model.tokenizer);
    const compare_command::AttentionComparisonOptions each;
    const Json output = compare_command::to_json(compare(text, each), compare, each);
    return compare_command::plot_of(output, compare_command::title_of({{"text", text}}));
}

int run(const Options& options, const std::vector<std::string>& texts) {
    if (!options.html.empty() && texts.size() != 1)
        throw UsageError("--html draws one text: a TEXT");
    if (options.compare && options.html.empty())
        throw UsageError("--compare adds plots to the file of --html");
    const auto model = PicturedModel::from_pretrained(options.folder(), options.load_options());
    Json shown;  // the last output
    const auto answer = [&](const std::vector<Request*>& requests) {
        for (Request* request : requests) {
            guard(*request, [&] {
                request->output = to_json(
                    draw_attention(model, request->text("text"), options.picture_options()));
                if (!options.html.empty()) shown = request->output;
            });
        }
    };
    const int code = answer_all(text_fields(texts), options, {answer, table, 1});
    if (!options.html.empty() && code == good) {
        const std::string plot = options.compare ? comparison_plot(model, texts.front()) : "";
        write_file(options.html, page_of(dump(shown), texts.front(), plot));
    }
    return code;
}

}  // namespace attention_command

void add_attention(command_line::Program& program) {
    using namespace attention_command;
    auto options = std::make_shared<Options>();
    Command command = program.add(
        "attention", "One head's exact attention beside its Nystrom approximation, as a picture");
    options->add_model(command);
    command.takes_texts();
    const auto number = [&command](const char* name, Index& value, const char* what,
                                   Index largest = Index{1} << 20) {
        command.option(name, value, what).in_range(Index{1}, largest).type("N");
    };
    number("--layer", options->layer, "number of the layer, from 1 (default: 1)");
    number("--head", options->head, "number of the head, from 1 (default: 1)");
    number("--landmarks", options->landmarks, "landmarks of the approximation (default: 16)");
    number("--iterations", options->iterations, "iterations of the inverse (default: 6)", 1000);
    command
        .option("--inverse", options->inverse,
                "start of the inverse: matrix (the default) or sequence")
        .one_of({"matrix", "sequence"})
        .type("NAME");
    command.option("--html", options->html, "draw the attention to one text as an HTML page")
        .type("FILE");
    command.flag("--compare", options->compare, "add the plots of compare to that file");
    options->add_threads(command);
    options->add_precision(command);
    options->add_lines(command);
    command.footer(
        "A text may have at most 512 tokens. The output has the tokens, the segment of each\n"
        "landmark, both (n, n) matrices in units of 1e-5, and what the approximation changes: the\n"
        "relative error of the head, the cosines of the last hidden states, and the words for the\n"
        "first mask. All layers run either exact or Nystrom attention. In the output, layer and\n"
        "head count from 0.");
    command.runs([options](const auto& texts) { return run(*options, texts); });
}
