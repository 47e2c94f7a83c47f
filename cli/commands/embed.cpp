// SPDX-License-Identifier: MIT
// nystromformer embed
#include "commands/commands.hpp"
#include "options/embed_options.hpp"
#include "requests/answer_with.hpp"
#include "terminal/tables.hpp"
#include "terminal/terminal.hpp"

#include <nystromformer/answers_json.hpp>

#include <memory>
#include <utility>

namespace embed_command {

using namespace command_line;
namespace nf = nystromformer;

struct Options : EmbedOptions {
    bool normalize = false;
};

/// Embeddings as a list, as answer_with has them.
struct Embedder {
    nf::SentenceEmbeddingPipeline pipeline;

    const auto& model() const { return pipeline.model(); }
    void check(const nf::SentenceEmbeddingOptions& options) const { pipeline.check(options); }
    std::vector<std::vector<float>> batch(std::span<const std::string> texts,
                                          const nf::SentenceEmbeddingOptions& options) const {
        const nf::Embeddings embeddings = pipeline.batch(texts, options);
        std::vector<std::vector<float>> rows;
        for (Index i = 0; i < embeddings.rows; ++i) {
            const auto row = embeddings.row(i);
            rows.emplace_back(row.begin(), row.end());
        }
        return rows;
    }
};

/// The text, how many columns its embedding has, and the first of them.
std::string table(const Request& request) {
    return for_terminal(request.text("text")) + "\n  " + std::to_string(request.output.size()) +
           " columns:" + first_numbers(request.output);
}

int run(const Options& options, const std::vector<std::string>& texts) {
    nf::SentenceEmbeddingOptions pipeline_options = options.embedding_options();
    pipeline_options.normalize_embeddings = options.normalize;
    const Embedder embedder{options.load()};
    const Index columns = embedder.pipeline.embedding_dimension();
    return answer_with(
        embedder, pipeline_options, text_fields(texts), options,
        [](const Request& request) { return request.text("text"); },
        [](const std::string&, const std::vector<float>& row) {
            return nf::to_json(std::span(row));
        },
        table, [&](const Request&) { return static_cast<double>(columns) * json_number_bytes; });
}

}  // namespace embed_command

void add_embed(command_line::Program& program) {
    using namespace embed_command;
    auto options = std::make_shared<Options>();
    Command command = program.add("embed", "A vector for each text");
    options->add_model(command);
    command.takes_texts();
    options->add_corpus(command, "a file of texts to embed, instead of stdin");
    options->add_embedding(command);
    command.flag("--normalize", options->normalize, "make every vector's length 1");
    options->add_pipeline(command);
    command.runs([options](const auto& texts) { return run(*options, texts); });
}
