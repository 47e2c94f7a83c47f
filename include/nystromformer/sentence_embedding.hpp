// SPDX-License-Identifier: MIT
// SentenceEmbeddingPipeline: a text in, one vector out, as sentence-transformers makes it.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/shared.hpp>
#include <nystromformer/embeddings.hpp>
#include <nystromformer/model/forward.hpp>
#include <nystromformer/options.hpp>
#include <nystromformer/semantic_search.hpp>

#include <cstdint>
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

/// The enumerator's name: "mean".
std::string_view name(PoolingMode mode);
/// The mode of that name, or nothing.
std::optional<PoolingMode> pooling_mode_named(std::string_view name);

struct SentenceEmbeddingOptions {
    /// Put before each text; nothing: what prompt_name says. Not together with prompt_name.
    std::optional<std::string> prompt = std::nullopt;
    /// One of the folder's prompts; nothing: its default_prompt_name, or no prompt.
    std::optional<std::string> prompt_name = std::nullopt;
    bool normalize_embeddings = false;  ///< to length 1, after the dimension is cut
    /// Columns to keep, 1 to the model's; nothing: the folder's truncate_dim, or all.
    std::optional<Index> truncate_dim = std::nullopt;
    /// Tokens of a text at most, special ones included; nothing: as the folder says. InputError for
    /// more than the model takes.
    std::optional<Index> max_seq_length = std::nullopt;
    /// Truncation is what sentence-transformers does. With a stride, the pooled vectors of the
    /// windows are averaged, each weighted by its tokens, before the modules after the pooling.
    LongText long_text = LongText();
    RunOptions run = RunOptions();
};

/// SentenceTransformer.encode, for sentence-transformers folders whose Transformer is a
/// Nystromformer or of a BERT family, and for plain Hugging Face folders, which get the mean of
/// their tokens. Every text is computed alone, without padding: its embedding is the same bit for
/// bit in any batch and on any number of threads. Immutable, cheap to copy, safe to share between
/// threads.
/// Source: sentence_transformers/sentence_transformer/model.py
class SentenceEmbeddingPipeline {
public:
    /// Loads modules, model and tokenizer of a folder. Throws what those throw, UnsafePathError for
    /// a path that leads out of the folder, and UnsupportedError for unknown modules.
    explicit SentenceEmbeddingPipeline(const std::filesystem::path& folder,
                                       const LoadOptions& options = {});
    /// From a loaded model and tokenizer, which the pipeline shares. An embedding is the mean of
    /// all tokens' states.
    SentenceEmbeddingPipeline(const NystromformerModel<float>& model, const Tokenizer& tokenizer);

    /// The embedding of a text: embedding_dimension() numbers, or truncate_dim. LengthError if the
    /// text is too long.
    [[nodiscard]] std::vector<float> operator()(std::string_view text,
                                                const SentenceEmbeddingOptions& options = {}) const;
    void operator()(detail::TextsInBraces, const SentenceEmbeddingOptions& = {}) const = delete;
    /// The embeddings of several texts, faster than one by one. InputError names the first bad
    /// text.
    [[nodiscard]] Embeddings batch(std::span<const std::string> texts,
                                   const SentenceEmbeddingOptions& options = {}) const;
    [[nodiscard]] Embeddings batch(std::initializer_list<std::string> texts,
                                   const SentenceEmbeddingOptions& options = {}) const {
        return batch(std::span<const std::string>(texts.begin(), texts.size()), options);
    }
    Embeddings batch(detail::TextsInTwoBraces, const SentenceEmbeddingOptions& = {}) const = delete;

    /// InputError for options that are out of range or contradict each other.
    void check(const SentenceEmbeddingOptions& options) const;
    /// The similarity of each row of `a` to each row of `b`, by similarity_function():
    /// (a.rows, b.rows). InputError if the columns differ.
    Embeddings similarity(const Embeddings& a, const Embeddings& b) const;

    /// Embeddings::fingerprint of what `batch` returns.
    std::uint64_t fingerprint() const;
    /// Columns of an embedding.
    Index embedding_dimension() const;
    /// Tokens of a text at most, special ones included, unless a call says otherwise.
    Index max_seq_length() const;
    /// The folder's measure; cosine if it names none.
    Similarity similarity_function() const;
    /// The folder's prompts by name. "query" and "document" always exist.
    const std::map<std::string, std::string>& prompts() const&;
    std::map<std::string, std::string> prompts() const&& { return prompts(); }
    /// The mode, or several modes, whose vectors are concatenated in this order.
    const std::vector<PoolingMode>& pooling_mode() const&;
    std::vector<PoolingMode> pooling_mode() const&& { return pooling_mode(); }
    /// False if the prompt's tokens are left out of the pooling.
    bool include_prompt() const;
    /// False for a folder without modules.json, which gets the mean of its tokens.
    bool has_modules() const;

    /// To use them, include <nystromformer/models.hpp> and <nystromformer/tokenizer.hpp>.
    const NystromformerModel<float>& model() const&;
    const NystromformerModel<float>& model() const&& = delete;
    const Tokenizer& tokenizer() const&;
    const Tokenizer& tokenizer() const&& = delete;

private:
    struct Body;
    detail::Shared<Body> body_;
};

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/pipelines/sentence/sentence_embedding.hpp>
#endif
