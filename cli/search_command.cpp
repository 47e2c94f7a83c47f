// SPDX-License-Identifier: MIT
// nystromformer search
#include "embed_options.hpp"
#include "progress.hpp"
#include "text_file.hpp"

#include <nystromformer/answers_json.hpp>
#include <nystromformer/rerank.hpp>
#include <nystromformer/semantic_search.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace search_command {

using namespace command_line;
namespace nf = nystromformer;

struct Options : EmbedOptions {
    Index top_k = 10;
    std::optional<std::string> similarity;
    std::string rerank;                ///< a folder, or empty
    std::optional<Index> rerank_from;  ///< hits that are reranked
};

/// Texts to be found, with their embeddings.
struct Corpus {
    std::vector<std::string> texts;
    std::vector<float> embeddings;  // (texts, columns)
    Index columns = 0;              // of one of them

    static Corpus load(const Options& options, const nf::SentenceEmbeddingPipeline& pipeline) {
        Corpus corpus;
        corpus.columns = options.truncate_dim.value_or(pipeline.embedding_dimension());
        TextFile file(options.corpus, options.split);
        Progress progress(isatty(STDOUT_FILENO) == 0, file.total_bytes());
        std::vector<std::string> waiting;
        std::size_t waiting_bytes = 0;
        std::vector<std::uint64_t> lines;
        Index num_cut = 0;
        const auto embed_waiting = [&] {
            num_cut += corpus.embed(waiting, lines, options, pipeline);
            progress.advance(waiting.size(), file.bytes_done());
            waiting.clear();
            waiting_bytes = 0;
            lines.clear();
        };
        while (auto line = file.next()) {
            const std::string place = "line " + std::to_string(file.line());
            const nf::detail::JsonTree tree =
                file.holds_json() ? nf::detail::parse_json(*line, options.corpus + ": " + place)
                                  : nf::detail::JsonTree(Json{{"text", std::move(*line)}});
            const Json& fields = tree;
            corpus.texts.push_back(text_of(fields, options.corpus, place));
            if (fields.contains("output")) {
                embed_waiting();
                corpus.add(fields["output"], options.corpus, place);
                continue;
            }
            waiting.push_back(corpus.texts.back());
            lines.push_back(file.line());
            waiting_bytes += waiting.back().size();
            if (waiting.size() == texts_at_once || waiting_bytes >= bytes_at_once) embed_waiting();
        }
        embed_waiting();
        progress.advance(0, file.bytes_done(), true);
        if (num_cut > 0) {
            print_message(options.corpus + ": " + std::to_string(num_cut) +
                          " texts that are too long for the model were " +
                          (options.stride ? "read in windows" : "cut"));
        }
        if (corpus.texts.empty())
            throw nf::InputError({options.corpus, "", "at least one text", "none"});
        return corpus;
    }

private:
    static constexpr std::size_t texts_at_once = 256, bytes_at_once = std::size_t{4} << 20;

    static std::string text_of(const Json& fields, const std::string& file,
                               const std::string& place) {
        if (!fields.is_object() || !fields.contains("text") || !fields["text"].is_string()) {
            throw nf::FormatError({file, place, "an object with a \"text\"",
                                   nf::detail::JsonView<nf::Error>::describe(fields)});
        }
        return fields["text"].get<std::string>();
    }

    /// Takes an embedding that `embed` wrote.
    void add(const Json& output, const std::string& file, const std::string& place) {
        const auto is_number = [](const Json& value) { return value.is_number(); };
        if (!output.is_array() || static_cast<Index>(output.size()) != columns ||
            !std::all_of(output.begin(), output.end(), is_number)) {
            throw nf::FormatError(
                {file, place + ": /output",
                 "an array of " + std::to_string(columns) + " numbers, as the model's embeddings",
                 nf::detail::JsonView<nf::Error>::describe(output)});
        }
        for (const Json& value : output) embeddings.push_back(value.get<float>());
    }

    /// Embeds texts, which begin at these lines, as documents. Returns how many were cut.
    Index embed(const std::vector<std::string>& some, const std::vector<std::uint64_t>& lines,
                const Options& options, const nf::SentenceEmbeddingPipeline& pipeline) {
        Index num_cut = 0;
        auto pipeline_options = options.embedding_options();
        pipeline_options.run.attention = options.attention_mode();
        pipeline_options.run.num_landmarks = options.landmarks;
        pipeline_options.run.batch_tokens = options.batch_tokens;
        pipeline_options.prompt = std::nullopt;
        pipeline_options.prompt_name = "document";
        pipeline_options.long_text.on_truncation = [&num_cut](const auto&) { ++num_cut; };
        try {
            const nf::Embeddings rows = pipeline.batch(some, pipeline_options);
            embeddings.insert(embeddings.end(), rows.values.begin(), rows.values.end());
        } catch (const nf::InputError& error) {
            if (!error.input()) throw;
            throw nf::InputError({options.corpus,
                                  "line " + std::to_string(lines.at(*error.input())),
                                  error.expected(), error.found()});
        }
        return num_cut;
    }
};

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
        return Reranker{nf::RerankPipeline(options.rerank, options.load_options()), from};
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
    Corpus corpus = Corpus::load(options, pipeline);
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

void add_search(CLI::App& app, command_line::Session& session) {
    using namespace search_command;
    auto options = std::make_shared<Options>();
    CLI::App& command =
        *app.add_subcommand("search", "The texts of a corpus that are most like each query");
    options->add_model(command);
    add_texts(command, "a query");
    options->add_corpus(command,
                        "the texts to search: JSON lines as embed writes them, whose embeddings "
                        "are taken as they are, or texts to embed now");
    command.get_option("--corpus")->required();
    command.add_option("--top-k", options->top_k, "texts for each query (default: 10)")
        ->check(CLI::PositiveNumber)
        ->type_name("N");
    command
        .add_option("--similarity", options->similarity,
                    "cosine, dot, euclidean or manhattan (default: as the folder says)")
        ->check(CLI::IsMember({"cosine", "dot", "euclidean", "manhattan"}))
        ->type_name("NAME");
    command
        .add_option("--rerank", options->rerank,
                    "order the hits by the scores of the cross-encoder in this folder")
        ->type_name("DIR");
    command
        .add_option("--rerank-from", options->rerank_from,
                    "hits that are reranked (default: 10 times --top-k)")
        ->type_name("N");
    options->add_embedding(command);
    options->add_pipeline(command);
    command.callback([options, &command, &session] {
        session.exit_code = run(*options, texts_of(command, session));
    });
}
