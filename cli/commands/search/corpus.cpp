// SPDX-License-Identifier: MIT
#include "commands/search/corpus.hpp"

#include "platform/platform.hpp"
#include "requests/json_line.hpp"
#include "streams/text_file.hpp"
#include "terminal/progress.hpp"
#include "terminal/terminal.hpp"

#include <nystromformer/error.hpp>
#include <nystromformer/models.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace search_command {

using namespace command_line;
namespace nf = nystromformer;

namespace {

/// Fills a Corpus: texts wait until they are worth a batch.
class CorpusReader {
public:
    CorpusReader(const Options& options, const nf::SentenceEmbeddingPipeline& pipeline)
        : options_(options), pipeline_(pipeline), file_(options.corpus, options.split) {
        corpus_.columns = options.truncate_dim.value_or(pipeline.embedding_dimension());
    }

    Corpus read() {
        Progress progress(!stdout_is_terminal(), file_.total_bytes());
        const auto embed_waiting = [&] {
            const std::size_t count = waiting_.size();
            embed();
            progress.advance(count, file_.bytes_done());
        };
        while (auto line = file_.next()) {
            const Json fields = fields_of(std::move(*line));
            corpus_.texts.push_back(text_of(fields));
            if (fields.contains("output")) {
                embed_waiting();  // first, so that embeddings stay in the order of the texts
                take(fields["output"]);
                continue;
            }
            waiting_.push_back(corpus_.texts.back());
            lines_.push_back(file_.line());
            waiting_bytes_ += waiting_.back().size();
            if (waiting_.size() == max_texts || waiting_bytes_ >= max_bytes) embed_waiting();
        }
        embed_waiting();
        progress.advance(0, file_.bytes_done(), true);
        if (num_cut_ > 0) {
            print_message(options_.corpus + ": " + std::to_string(num_cut_) +
                          " texts that are too long for the model were " +
                          (options_.stride ? "read in windows" : "cut"));
        }
        if (corpus_.texts.empty())
            throw nf::InputError({options_.corpus, "", "at least one text", "none"});
        return std::move(corpus_);
    }

private:
    static constexpr std::size_t max_texts = 256, max_bytes = std::size_t{4} << 20;

    std::string place() const { return "line " + std::to_string(file_.line()); }

    Json fields_of(std::string line) const {
        if (file_.holds_json()) return nf::read_json(line, options_.corpus + ": " + place());
        return {{"text", std::move(line)}};
    }

    std::string text_of(const Json& fields) const {
        if (!fields.is_object() || !fields.contains("text") || !fields["text"].is_string()) {
            throw nf::FormatError(
                {options_.corpus, place(), "an object with a \"text\"", nf::describe(fields)});
        }
        return fields["text"].get<std::string>();
    }

    /// Takes an embedding that `embed` wrote.
    void take(const Json& output) {
        const auto is_number = [](const Json& value) { return value.is_number(); };
        if (!output.is_array() || static_cast<Index>(output.size()) != corpus_.columns ||
            !std::all_of(output.begin(), output.end(), is_number)) {
            throw nf::FormatError({options_.corpus, place() + ": /output",
                                   "an array of " + std::to_string(corpus_.columns) +
                                       " numbers, as the model's embeddings",
                                   nf::describe(output)});
        }
        for (const Json& value : output) corpus_.embeddings.push_back(value.get<float>());
    }

    /// Embeds the texts that wait.
    void embed() {
        auto pipeline_options = options_.embedding_options();
        pipeline_options.run.attention = options_.attention_mode();
        pipeline_options.run.num_landmarks = options_.used_landmarks(pipeline_.model().config());
        pipeline_options.run.batch_tokens = options_.batch_tokens;
        pipeline_options.prompt = std::nullopt;
        pipeline_options.prompt_name = "document";
        pipeline_options.long_text.on_truncation = [this](const auto&) { ++num_cut_; };
        try {
            const nf::Embeddings rows = pipeline_.batch(waiting_, pipeline_options);
            corpus_.embeddings.insert(corpus_.embeddings.end(), rows.values.begin(),
                                      rows.values.end());
        } catch (const nf::InputError& error) {
            if (!error.input()) throw;
            throw nf::InputError({options_.corpus,
                                  "line " + std::to_string(lines_.at(*error.input())),
                                  error.expected(), error.found()});
        }
        waiting_.clear();
        waiting_bytes_ = 0;
        lines_.clear();
    }

    const Options& options_;
    const nf::SentenceEmbeddingPipeline& pipeline_;
    TextFile file_;
    Corpus corpus_;
    std::vector<std::string> waiting_;  // texts without an embedding
    std::size_t waiting_bytes_ = 0;
    std::vector<std::uint64_t> lines_;  // at which they begin
    Index num_cut_ = 0;
};

}  // namespace

Corpus load_corpus(const Options& options, const nf::SentenceEmbeddingPipeline& pipeline) {
    return CorpusReader(options, pipeline).read();
}

}  // namespace search_command
