// SPDX-License-Identifier: MIT
// nystromformer zero-shot
#include "commands/commands.hpp"
#include "requests/answer_with.hpp"
#include "terminal/tables.hpp"
#include "terminal/terminal.hpp"

#include <nystromformer/answers_json.hpp>
#include <nystromformer/zero_shot_classification.hpp>

#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace zero_shot_command {

using namespace command_line;
namespace nf = nystromformer;

/// The parts of "a, b", as Hugging Face cuts a string of labels: no comma is within one.
std::vector<std::string> split_at_commas(const std::string& list) {
    std::vector<std::string> parts;
    std::istringstream stream(list + ',');
    for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
    return parts;
}

struct Options : CommonOptions {
    std::optional<std::vector<std::string>> candidate_labels;
    nf::ZeroShotOptions pipeline;

    /// A line's own labels, an array or "a, b", before those of the command line.
    nf::ZeroShotInput read(const Request& request) const {
        const auto own = request.fields.find("candidate_labels");
        if (own != request.fields.end() && own->is_array())
            return {request.text("text"), request.texts("candidate_labels")};
        if (candidate_labels && own == request.fields.end())
            return {request.text("text"), labels_of(*candidate_labels)};
        return {request.text("text"), labels_of(split_at_commas(request.text("candidate_labels")))};
    }

private:
    /// Labels without the spaces around them; empty ones are left out.
    static std::vector<std::string> labels_of(const std::vector<std::string>& items) {
        std::vector<std::string> labels;
        for (const std::string& item : items) {
            const std::string_view label = nf::strip(item);
            if (!label.empty()) labels.emplace_back(label);
        }
        return labels;
    }
};

std::string table(const Request& request) {
    std::string text = for_terminal(request.text("text")) + '\n';
    const Json& labels = request.output["labels"];
    for (std::size_t i = 0; i < labels.size(); ++i) {
        text += score_text(request.output["scores"][i]) +
                for_terminal(labels[i].get_ref<const std::string&>()) + '\n';
    }
    return text;
}

int run(const Options& options, const std::vector<std::string>& texts) {
    if (!texts.empty() && !options.candidate_labels)
        throw UsageError("--candidate-labels is required with a TEXT to score them for");
    const nf::ZeroShotClassificationPipeline pipeline(options.folder(), options.load_options());
    if (!pipeline.entailment_id()) {
        print_message("no label of the config's label2id starts with \"entail\": the last one, " +
                      nf::in_quotes(pipeline.model().config().id2label.rbegin()->second) +
                      ", is used instead");
    }
    return answer_with(
        pipeline, options.pipeline, text_fields(texts), options,
        [&](const Request& request) { return options.read(request); },
        [](const nf::ZeroShotInput&, const auto& answer) { return nf::to_json(answer); }, table);
}

}  // namespace zero_shot_command

void add_zero_shot(command_line::Program& program) {
    using namespace zero_shot_command;
    auto options = std::make_shared<Options>();
    Command command = program.add("zero-shot", "Scores of your own labels for each text");
    options->add_model(command);
    command.takes_texts();
    options->add_corpus(command);
    command.list("--candidate-labels", options->candidate_labels,
                 "the labels; in JSON lines \"candidate_labels\"");
    command
        .option("--hypothesis-template", options->pipeline.hypothesis_template,
                "the hypothesis for each label (default: \"This example is {}.\")")
        .type("TEXT");
    command.flag("--multi-label", options->pipeline.multi_label,
                 "score each label on its own: several may be true");
    add_truncation(command, options->pipeline.long_text.truncation);
    add_stride(command, options->pipeline.long_text.stride);
    options->add_pipeline(command);
    command.runs([options](const auto& texts) { return run(*options, texts); });
}
