// SPDX-License-Identifier: MIT
// nystromformer rerank
#include "commands/commands.hpp"
#include "requests/answer_with.hpp"
#include "terminal/tables.hpp"
#include "terminal/terminal.hpp"

#include <nystromformer/answers_json.hpp>
#include <nystromformer/rerank.hpp>

#include <memory>
#include <optional>

namespace rerank_command {

using namespace command_line;
namespace nf = nystromformer;

struct Options : CommonOptions {
    std::optional<std::string> query;
    std::string activation_fn = "default";
    bool return_documents = false;
    nf::RerankOptions pipeline;
};

/// The query, and the texts as they are ranked.
std::string table(const Request& request, const std::optional<std::string>& query) {
    const Json& texts = request.fields["texts"];
    std::string text = for_terminal(request.text("query", query)) + '\n';
    for (const Json& answer : request.output) {
        text += score_text(answer["score"]) +
                for_terminal(texts[answer["corpus_id"].get<std::size_t>()].get<std::string>()) +
                '\n';
    }
    return text;
}

int run(const Options& options, const std::vector<std::string>& texts) {
    if (!texts.empty() && !options.query)
        throw UsageError("--query is required with a TEXT to rank for it");
    std::vector<Json> arguments;
    if (!texts.empty()) arguments.push_back({{"query", *options.query}, {"texts", texts}});
    nf::RerankOptions pipeline_options = options.pipeline;
    pipeline_options.activation_fn = nf::rerank_activation_named(options.activation_fn);
    const nf::RerankPipeline pipeline(options.folder(), options.load_options());
    if (const Index labels = pipeline.model().config().num_labels; labels != 1) {
        throw nf::InputError({options.model, "",
                              "a model with one label, whose score is the relevance (classify "
                              "with a \"pair\" gives the scores of several)",
                              std::to_string(labels) + " labels"});
    }
    const auto read = [&](const Request& request) -> nf::RerankInput {
        return {request.text("query", options.query), request.texts("texts")};
    };
    const auto json_of = [&](const nf::RerankInput& input, const auto& answers) {
        const std::span<const std::string> texts_of_input(input.texts);
        return nf::to_json(answers,
                           options.return_documents ? texts_of_input : texts_of_input.first(0));
    };
    return answer_with(pipeline, pipeline_options, arguments, options, read, json_of,
                       [&](const Request& request) { return table(request, options.query); });
}

}  // namespace rerank_command

void add_rerank(command_line::Program& program) {
    using namespace rerank_command;
    auto options = std::make_shared<Options>();
    Command command = program.add("rerank", "Texts ordered by their relevance to a query");
    options->add_model(command);
    command.takes_texts("a TEXT to rank", "{\"query\": ..., \"texts\": [...]}");
    command.text("--query", options->query, "for the TEXTs, and lines without a query");
    nf::RerankOptions& pipeline = options->pipeline;
    command.option("--top-k", pipeline.top_k, "the best texts (default: all)").type("N");
    command
        .option("--activation-fn", options->activation_fn,
                "default (by the folder), identity for raw scores, or sigmoid")
        .one_of({"default", "identity", "sigmoid"})
        .type("NAME");
    command.flag("--return-documents", options->return_documents,
                 "also the texts in JSON, as \"text\"");
    command
        .option("--max-length", pipeline.max_length,
                "most tokens of query and text (default: as the folder says)")
        .type("N");
    command.text("--prompt", pipeline.prompt, "put before each query");
    command.text("--prompt-name", pipeline.prompt_name, "one of the folder's prompts")
        .excludes("--prompt");
    add_truncation(command, pipeline.long_text.truncation);
    add_stride(command, pipeline.long_text.stride);
    options->add_pipeline(command);
    command.runs([options](const auto& texts) { return run(*options, texts); });
}
