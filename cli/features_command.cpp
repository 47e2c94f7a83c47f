// SPDX-License-Identifier: MIT
// nystromformer features
#include "command_line.hpp"

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
    const nf::FeatureExtractionPipeline pipeline(options.model, options.load_options());
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
            return size_of(request, "text") * columns * json_number_bytes;
        });
}

}  // namespace features_command

void add_features(CLI::App& app, command_line::Session& session) {
    using namespace features_command;
    auto options = std::make_shared<Options>();
    CLI::App& command =
        *app.add_subcommand("features", "The hidden states of each token of a text");
    options->add_model(command);
    add_texts(command);
    options->add_corpus(command, "a file of texts, in the place of stdin");
    add_truncation(command, options->truncation);
    add_stride(command, options->stride);
    options->add_pipeline(command);
    command.callback([options, &command, &session] {
        session.exit_code = run(*options, texts_of(command, session));
    });
}
