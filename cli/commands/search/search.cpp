// SPDX-License-Identifier: MIT
// nystromformer search
#include "commands/commands.hpp"
#include "commands/search/corpus.hpp"
#include "requests/answer_with.hpp"
#include "terminal/tables.hpp"
#include "terminal/terminal.hpp"

#include <nystromformer/answers_json.hpp>
#include <nystromformer/rerank.hpp>
#include <nystromformer/semantic_search.hpp>
#include <nystromformer/text.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace search_command {

using namespace command_line;
namespace nf = nystromformer;

/// Puts hits in the order of a cross-encoder's scores, which take the place of the similarities.
struct Reranker {
    nf::RerankPipeline pipeline;
    Index from;  ///< hits for each query

    static std::optional<Reranker> load(const Options& options) {
        if (options.rerank.empty()) {
            if (options.rerank_from) throw UsageError("--rerank-from is for --rerank");
            return std::nullopt;
        }
        const Index from = options.rerank_from.value_or(
            options.top_k > max_default / 10 ? options.top_k : options.top_k * 10);
        if (from < options.top_k) throw UsageError("--rerank-from: at least --top-k");
        return Reranker{
            nf::RerankPipeline(nf::path_from_utf8(options.rerank), options.load_options()), from};
    }

    std::vector<std::vector<nf::SearchHit>> operator()(
        std::span<const std::string> queries, std::vector<std::vector<nf::SearchHit>> hits,
        const std::vector<std::string>& texts, Index top_k,
        const nf::SentenceEmbeddingOptions& options) const {
        nf::RerankOptions rerank_options{.top_k = top_k, .run = options.run};
        rerank_options.long_text = options.long_text;
        rerank_options.long_text.on_truncation = {};
        std::vector<nf::RerankInput> inputs;
        for (std::size_t i = 0; i < hits.size(); ++i) {
            inputs.push_back({queries[i], {}});
            for (const nf::SearchHit& hit : hits[i])
                inputs[i].texts.push_back(texts[static_cast<std::size_t>(hit.corpus_id)]);
        }
        const auto answers = pipeline.batch(inputs, rerank_options);
        for (std::size_t i = 0; i < hits.size(); ++i) {
            const std::vector<nf::SearchHit> found = std::exchange(hits[i], {});
            for (const auto& [place, score] : answers[i]) {
                hits[i].push_back(
                    {found[static_cast<std::size_t>(place)].corpus_id, static_cast<float>(score)});
            }
        }
        return hits;
    }

private:
    static constexpr Index max_default = Index{1} << 40;
};

/// Queries to hits, as answer_with has them.
struct Searcher {
    nf::SentenceEmbeddingPipeline pipeline;
    nf::SemanticIndex index;
    Index top_k;
    const std::vector<std::string>& texts;
    const std::optional<Reranker>& rerank;

    const auto& model() const { return pipeline.model(); }
    void check(const nf::SentenceEmbeddingOptions& options) const { pipeline.check(options); }
    std::vector<std::vector<nf::SearchHit>> batch(
        std::span<const std::string> queries, const nf::SentenceEmbeddingOptions& options) const {
        auto hits = index(pipeline.batch(queries, options), rerank ? rerank->from : top_k,
                          pipeline.model().threads());
        return rerank ? (*rerank)(queries, std::move(hits), texts, top_k, options) : hits;
    }
};

int run(const Options& options, const std::vector<std::string>& queries) {
    nf::SentenceEmbeddingPipeline pipeline = options.load();
    auto pipeline_options = options.embedding_options();
    if (!options.prompt && !options.prompt_name) pipeline_options.prompt_name = "query";
    try {
        pipeline.check(pipeline_options);
    } catch (const nf::InputError& error) {
        throw UsageError(error.what());
    }
    const std::optional<Reranker> rerank = Reranker::load(options);
    const auto similarity = options.similarity ? *nf::similarity_named(*options.similarity)
                                               : pipeline.similarity_function();
    Corpus corpus = load_corpus(options, pipeline);
    const auto num_texts = static_cast<Index>(corpus.texts.size());
    const nf::SemanticIndex index(
        nf::Embeddings{num_texts, corpus.columns, std::exchange(corpus.embeddings, {})},
        similarity);
    double longest = 0;
    for (const std::string& text : corpus.texts)
        longest = std::max(longest, static_cast<double>(text.size()));
    const double hits_bytes =
        static_cast<double>(std::min(options.top_k, num_texts)) * (longest + json_object_bytes);
    CommonOptions of_queries = options;
    of_queries.corpus.clear();  // the queries are TEXTs, or on stdin
    return answer_with(
        Searcher{std::move(pipeline), std::move(index), options.top_k, corpus.texts, rerank},
        pipeline_options, text_fields(queries), of_queries,
        [](const Request& request) { return request.text("text"); },
        [&](const std::string&, const std::vector<nf::SearchHit>& hits) {
            return nf::to_json(hits, corpus.texts);
        },
        [](const Request& request) {
            return for_terminal(request.text("text")) + '\n' + scored_lines(request.output, "text");
        },
        [&](const Request&) { return hits_bytes; });
}

}  // namespace search_command

void add_search(command_line::Program& program) {
    using namespace search_command;
    auto options = std::make_shared<Options>();
    Command command =
        program.add("search", "The texts of a corpus that are most similar to each query");
    options->add_model(command);
    command.takes_texts("a query");
    options->add_corpus(command,
                        "the texts to search: JSON lines from embed, whose embeddings are used, or "
                        "texts, which are embedded first");
    command.get("--corpus").required();
    command.option("--top-k", options->top_k, "texts for each query (default: 10)")
        .positive()
        .type("N");
    command
        .option("--similarity", options->similarity,
                "cosine, dot, euclidean or manhattan (default: as the folder says)")
        .one_of({"cosine", "dot", "euclidean", "manhattan"})
        .type("NAME");
    command
        .option("--rerank", options->rerank,
                "order the hits by the scores of the cross-encoder in this folder")
        .names_model()
        .type("DIR");
    command
        .option("--rerank-from", options->rerank_from,
                "hits that are reranked (default: 10 times --top-k)")
        .type("N");
    options->add_embedding(command);
    options->add_pipeline(command);
    command.runs([options](const auto& texts) { return run(*options, texts); });
}
