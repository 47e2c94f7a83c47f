// SPDX-License-Identifier: MIT
// nystromformer features
#include "commands/commands.hpp"
#include "requests/answer_with.hpp"
#include "terminal/tables.hpp"
#include "terminal/terminal.hpp"

#include <nystromformer/answers_json.hpp>
#include <nystromformer/feature_extraction.hpp>

#include <memory>
#include <optional>

namespace features_command {

using namespace command_line;
namespace nf = nystromformer;

struct Options : CommonOptions {
    bool truncation = false;
    std::optional<Index> stride;
};

std::string table(const Request& request) {
    const Json& tokens = request.output[0];
    std::string text = for_terminal(request.text("text")) + "\n  " + std::to_string(tokens.size()) +
                       " tokens of " + std::to_string(tokens[0].size()) + " columns\n";
    for (const Json& token : tokens) text += ' ' + first_numbers(token);
    return text;
}

int run(const Options& options, const std::vector<std::string>& texts) {
    nf::FeatureExtractionOptions pipeline_options;
    pipeline_options.long_text.truncation = options.truncation;
    pipeline_options.long_text.stride = options.stride;
    const nf::FeatureExtractionPipeline pipeline(options.folder(), options.load_options());
    const auto columns = static_cast<double>(pipeline.model().config().hidden_size);
    return answer_with(
        pipeline, pipeline_options, text_fields(texts), options,
        [](const Request& request) { return request.text("text"); },
        [](const std::string&, const nf::Embeddings& states) {
            return '[' + nf::to_json(states) + ']';
        },
        table,
        // A token may be a single letter.
        [&](const Request& request) {
            return request.size_of("text") * columns * json_number_bytes;
        });
}

}  // namespace features_command

void add_features(command_line::Program& program) {
    using namespace features_command;
    auto options = std::make_shared<Options>();
    Command command = program.add("features", "The hidden states of each token of a text");
    options->add_model(command);
    command.takes_texts();
    options->add_corpus(command);
    add_truncation(command, options->truncation);
    add_stride(command, options->stride);
    options->add_pipeline(command);
    command.runs([options](const auto& texts) { return run(*options, texts); });
}
