// SPDX-License-Identifier: MIT
// nystromformer classify
#include "commands/commands.hpp"
#include "requests/answer_with.hpp"
#include "terminal/tables.hpp"
#include "terminal/terminal.hpp"

#include <nystromformer/answers_json.hpp>
#include <nystromformer/text_classification.hpp>

#include <memory>
#include <optional>

namespace classify_command {

using namespace command_line;
namespace nf = nystromformer;

struct Options : CommonOptions {
    std::optional<std::string> top_k;  // a number or "all"
    std::string function_to_apply = "default";
    std::optional<std::string> pair;
    bool truncation = false;
    std::optional<Index> stride;

    nf::TextClassificationOptions of_pipeline() const {
        nf::TextClassificationOptions options;
        if (top_k == "all") {
            options.top_k = std::nullopt;
        } else if (top_k) {
            options.top_k = whole_number(*top_k);
            if (!options.top_k) throw UsageError("--top-k: a number or all, not " + *top_k);
        }
        options.function_to_apply = nf::classification_function_named(function_to_apply);
        options.long_text.truncation = truncation;
        options.long_text.stride = stride;
        return options;
    }
    nf::ClassificationInput read(const Request& request) const {
        nf::ClassificationInput input{request.text("text")};
        if (pair || request.fields.contains("pair")) input.text_pair = request.text("pair", pair);
        return input;
    }
    /// A list, as in Hugging Face; for a pair without --top-k, the best label without the list.
    std::string to_json(const nf::ClassificationInput& input,
                        const std::vector<nf::ClassificationAnswer>& answers) const {
        const std::string list = nf::to_json(answers);
        return input.text_pair && !top_k ? list.substr(1, list.size() - 2) : list;
    }
};

std::string table(const Request& request) {
    return for_terminal(request.text("text")) + '\n' + scored_lines(request.output, "label");
}

int run(const Options& options, const std::vector<std::string>& texts) {
    const nf::TextClassificationOptions pipeline_options = options.of_pipeline();
    const nf::TextClassificationPipeline pipeline(options.folder(), options.load_options());
    double label_bytes = 0;
    for (const auto& [id, label] : pipeline.model().config().id2label)
        label_bytes += static_cast<double>(label.size()) + json_object_bytes;
    return answer_with(
        pipeline, pipeline_options, text_fields(texts), options,
        [&](const Request& request) { return options.read(request); },
        [&](const auto& input, const auto& answers) { return options.to_json(input, answers); },
        table, [&](const Request&) { return label_bytes; });
}

}  // namespace classify_command

void add_classify(command_line::Program& program) {
    using namespace classify_command;
    auto options = std::make_shared<Options>();
    Command command = program.add("classify", "Labels with scores for each text");
    options->add_model(command);
    command.takes_texts();
    options->add_corpus(command);
    command.option("--top-k", options->top_k, "the best labels of each text (default: 1), or all")
        .type("N|all");
    command
        .option("--function-to-apply", options->function_to_apply,
                "default (by the config), none, sigmoid or softmax")
        .one_of({"default", "none", "sigmoid", "softmax"})
        .type("NAME");
    command.text("--pair", options->pair, "the second text of each pair; in JSON lines \"pair\"");
    add_truncation(command, options->truncation);
    add_stride(command, options->stride);
    options->add_pipeline(command);
    command.runs([options](const auto& texts) { return run(*options, texts); });
}
