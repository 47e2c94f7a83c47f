// SPDX-License-Identifier: MIT
// RerankPipeline: a query and texts in, the texts ordered by relevance out.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/shared.hpp>
#include <nystromformer/embeddings.hpp>
#include <nystromformer/model/forward.hpp>
#include <nystromformer/options.hpp>

#include <filesystem>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2 {

class Tokenizer;

/// A text with its score, with the names of sentence-transformers.
struct RerankAnswer {
    Index corpus_id;  ///< its place among the texts, from 0
    double score;     ///< larger is more relevant
};

/// How logits become scores.
enum class RerankActivation { identity, sigmoid };

/// "identity" or "sigmoid".
std::string_view name(RerankActivation activation);
/// The activation of that name, or nothing (also for "default").
std::optional<RerankActivation> rerank_activation_named(std::string_view name);

struct RerankOptions {
    std::optional<Index> top_k = std::nullopt;  ///< the best texts, at least 1; nothing: all
    /// Nothing: the folder's activation_fn, else sigmoid for one label and identity for several.
    std::optional<RerankActivation> activation_fn = std::nullopt;
    bool apply_softmax = false;  ///< in `predict`: softmax over the labels, if there are several
    /// Tokens of a query and a text at most, special ones included; nothing: as the folder says.
    /// InputError for more than the model takes.
    std::optional<Index> max_length = std::nullopt;
    /// Put before each query; nothing: what prompt_name says.
    std::optional<std::string> prompt = std::nullopt;
    /// One of the folder's prompts; nothing: its default_prompt_name, or no prompt.
    std::optional<std::string> prompt_name = std::nullopt;
    /// Truncation is what sentence-transformers does. With a stride, the text is split and each
    /// window goes with the whole query; the logits are the means of the windows' logits, each
    /// weighted by its number of tokens without special ones.
    LongText long_text = LongText();
    RunOptions run = RunOptions();
};

/// A query and the texts to rank for it.
struct RerankInput {
    std::string query;
    std::vector<std::string> texts;
};

/// A query and one text, to be scored.
struct RerankPair {
    std::string query;
    std::string text;
};

/// CrossEncoder.rank and CrossEncoder.predict of sentence-transformers, for folders with a sequence
/// classification head, also those that sentence-transformers 6 wrote with a modules.json. Every
/// pair is computed alone, without padding: its score is the same bit for bit in any batch and on
/// any number of threads. Immutable, cheap to copy, safe to share between threads.
/// Source: sentence_transformers/cross_encoder/model.py
class RerankPipeline {
public:
    /// Loads model and tokenizer of a folder. Throws what those throw, and UnsupportedError for
    /// modules or an activation_fn that this library does not run.
    explicit RerankPipeline(const std::filesystem::path& folder, const LoadOptions& options = {});
    /// From a loaded model and tokenizer, which the pipeline shares. The number of labels decides
    /// the activation.
    RerankPipeline(const NystromformerForSequenceClassification<float>& model,
                   const Tokenizer& tokenizer);

    /// The texts, most relevant first; equally relevant ones keep their order. LengthError if a
    /// pair is too long, InputError if the model has more than one label. Errors have the number of
    /// the text; on_error leaves such a text out.
    [[nodiscard]] std::vector<RerankAnswer> operator()(std::string_view query,
                                                       std::vector<std::string> texts,
                                                       const RerankOptions& options = {}) const;
    std::vector<RerankAnswer> operator()(std::string_view, detail::TextsInTwoBraces,
                                         const RerankOptions& = {}) const = delete;
    /// The same for several queries, faster than one by one. InputError names the first bad query,
    /// whose answer on_error leaves empty.
    [[nodiscard]] std::vector<std::vector<RerankAnswer>> batch(
        std::span<const RerankInput> inputs, const RerankOptions& options = {}) const;
    [[nodiscard]] std::vector<std::vector<RerankAnswer>> batch(
        std::initializer_list<RerankInput> inputs, const RerankOptions& options = {}) const {
        return batch(std::span<const RerankInput>(inputs.begin(), inputs.size()), options);
    }
    /// The scores of pairs: (pairs, num_labels). InputError names the first bad one.
    [[nodiscard]] Embeddings predict(std::span<const RerankPair> pairs,
                                     const RerankOptions& options = {}) const;
    [[nodiscard]] Embeddings predict(std::initializer_list<RerankPair> pairs,
                                     const RerankOptions& options = {}) const {
        return predict(std::span<const RerankPair>(pairs.begin(), pairs.size()), options);
    }

    /// InputError for options that are out of range or contradict each other.
    void check(const RerankOptions& options) const;

    /// Tokens of a pair at most, special ones included, unless a call says otherwise.
    Index max_length() const;
    /// The folder's prompts by name.
    const std::map<std::string, std::string>& prompts() const&;
    std::map<std::string, std::string> prompts() const&& { return prompts(); }

    /// To use them, include <nystromformer/models.hpp> and <nystromformer/tokenizer.hpp>.
    const NystromformerForSequenceClassification<float>& model() const&;
    const NystromformerForSequenceClassification<float>& model() const&& = delete;
    const Tokenizer& tokenizer() const&;
    const Tokenizer& tokenizer() const&& = delete;

private:
    struct Body;
    detail::Shared<Body> body_;
};

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/pipelines/rerank.hpp>
#endif
