// SPDX-License-Identifier: MIT
// nystromformer tag
#include "commands/commands.hpp"
#include "requests/answer_with.hpp"
#include "terminal/tables.hpp"
#include "terminal/terminal.hpp"

#include <nystromformer/answers_json.hpp>
#include <nystromformer/token_classification.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

namespace tag_command {

using namespace command_line;
namespace nf = nystromformer;

struct Options : CommonOptions {
    std::string aggregation_strategy = "none";
    std::optional<std::vector<std::string>> ignore_labels;
    bool word_ids = false, byte_offsets = false;
    nf::TokenClassificationOptions pipeline;

    nf::TokenClassificationOptions of_pipeline() const {
        nf::TokenClassificationOptions options = pipeline;
        options.aggregation_strategy = nf::aggregation_strategy_named(aggregation_strategy).value();
        if (ignore_labels) options.ignore_labels = *ignore_labels;
        return options;
    }
};

std::string table(const Request& request) {
    std::string text = for_terminal(request.text("text")) + '\n';
    for (const Json& answer : request.output) {
        char place[48];
        std::snprintf(place, sizeof place, "%7lld %7lld  ", answer["start"].get<long long>(),
                      answer["end"].get<long long>());
        const Json& label = answer[answer.contains("entity") ? "entity" : "entity_group"];
        std::string name = for_terminal(label.get_ref<const std::string&>());
        name.resize(std::max<std::size_t>(name.size(), 8), ' ');
        text += place + name + score_text(answer["score"]) +
                for_terminal(answer["word"].get_ref<const std::string&>()) + '\n';
    }
    return text;
}

int run(const Options& options, const std::vector<std::string>& texts) {
    if (options.word_ids && options.aggregation_strategy != "none")
        throw UsageError("--word-ids is for tokens: --aggregation-strategy none");
    return answer_with(
        nf::TokenClassificationPipeline(options.folder(), options.load_options()),
        options.of_pipeline(), text_fields(texts), options,
        [](const Request& request) { return request.text("text"); },
        [&](const std::string&, const std::vector<nf::TokenClassificationAnswer>& answers) {
            return nf::to_json(
                answers, {.byte_offsets = options.byte_offsets, .word_ids = options.word_ids});
        },
        table,
        // A token may be a single letter.
        [](const Request& request) { return request.size_of("text") * json_object_bytes / 2; });
}

}  // namespace tag_command

void add_tag(command_line::Program& program) {
    using namespace tag_command;
    auto options = std::make_shared<Options>();
    Command command = program.add("tag", "A label for each token, or entities, of a text");
    options->add_model(command);
    command.takes_texts();
    options->add_corpus(command);
    command
        .option("--aggregation-strategy", options->aggregation_strategy,
                "tokens to entities: none (the default), simple, first, average or max")
        .one_of({"none", "simple", "first", "average", "max"})
        .type("NAME");
    command.list("--ignore-labels", options->ignore_labels, "labels to leave out (default: O)");
    command.flag("--word-ids", options->word_ids,
                 "also the number of the word that each token belongs to, from 0");
    add_byte_offsets(command, options->byte_offsets);
    add_stride(command, options->pipeline.long_text.stride);
    add_truncation(command, options->pipeline.long_text.truncation);
    options->add_pipeline(command);
    command.runs([options](const auto& texts) { return run(*options, texts); });
}
