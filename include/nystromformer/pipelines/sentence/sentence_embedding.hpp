// SPDX-License-Identifier: MIT
// SentenceEmbeddingPipeline: a text in, one vector out, as sentence-transformers makes it.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/model.hpp>
#include <nystromformer/pipelines/pipeline.hpp>
#include <nystromformer/pipelines/sentence/pooling.hpp>
#include <nystromformer/pipelines/sentence/semantic_search.hpp>
#include <nystromformer/pipelines/sentence/sentence_modules.hpp>
#include <nystromformer/pipelines/sentence/sentence_windows.hpp>
#include <nystromformer/pipelines/windows.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer {

struct SentenceEmbeddingOptions {
    /// Put before each text; nothing: what prompt_name says.
    std::optional<std::string> prompt = std::nullopt;
    /// One of the folder's prompts; nothing: its default_prompt_name, or no prompt.
    std::optional<std::string> prompt_name = std::nullopt;
    bool normalize_embeddings = false;  ///< to length 1, after the dimension is cut
    /// Columns to keep, 1 to the model's; nothing: the folder's truncate_dim, or all.
    std::optional<Index> truncate_dim = std::nullopt;
    /// Most tokens of a text; nothing: as the folder says. At most max_position_embeddings.
    std::optional<Index> max_seq_length = std::nullopt;
    /// Cut a text that is longer than that instead of refusing it, as sentence-transformers does.
    bool truncation = false;
    /// Or read it in windows that share so many tokens: their pooled vectors are averaged, each
    /// weighted by its tokens, before the modules after the pooling see them.
    std::optional<Index> stride = std::nullopt;
    Attention attention = Attention::config;  ///< this and the rest as in PipelineOptions
    Index num_landmarks = 0;
    Index batch_tokens = 4096;
    std::function<void(Index done, Index total)> progress = {};
    std::function<void(const Cut&)> cut = {};
};

/// SentenceTransformer.encode, for folders of sentence-transformers whose Transformer is a
/// Nystromformer, and for plain Hugging Face folders, which have the mean of their tokens. Every
/// text is computed alone, without padding: its embedding is the same bit for bit in any batch and
/// on any number of threads. Const and safe to share between threads.
/// Source: sentence_transformers/sentence_transformer/model.py
class SentenceEmbeddingPipeline {
public:
    /// Loads modules, model and tokenizer of a folder; throws what those throw, UnsafePathError for
    /// a path that leads out of it, UnsupportedError for modules that are not known.
    explicit SentenceEmbeddingPipeline(const std::filesystem::path& folder,
                                       const LoadOptions& options = {})
        : modules_(detail::SentenceModules::load(folder, options)) {}

    /// The embedding of a text. InputError where it is too long.
    RowVector<float> operator()(std::string_view text,
                                const SentenceEmbeddingOptions& options = {}) const {
        const std::string copy(text);
        return batch({&copy, 1}, options).row(0);
    }

    /// The embeddings of several texts, a row for each, faster than one by one. InputError names
    /// the first bad text.
    Matrix<float> batch(std::span<const std::string> texts,
                        const SentenceEmbeddingOptions& options = {}) const {
        check(options);
        const std::string prompt = prompt_of(options);
        const Index skipped = prompt_length(prompt, options);
        detail::SentenceWindows windows;  // of all texts
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const std::string text = prompt + texts[i];
            encode({.text = text, .number = i}, skipped, options, windows);
        }
        Matrix<float> pooled =
            windows.joined(pool(windows, options), static_cast<Index>(texts.size()));
        Matrix<float> embeddings = modules_.after_pooling(std::move(pooled));
        const auto columns =
            options.truncate_dim ? options.truncate_dim : modules_.defaults.truncate_dim;
        if (columns && *columns < embeddings.cols())
            embeddings = Matrix<float>(embeddings.leftCols(*columns));
        if (options.normalize_embeddings) detail::normalize_rows(embeddings);
        return embeddings;
    }

    /// InputError where options are out of range or against each other.
    void check(const SentenceEmbeddingOptions& options) const {
        detail::check_options(detail::pipeline_options(options));
        const auto in_range = [](const char* name, std::optional<Index> value, Index least,
                                 Index most) {
            if (!value || (*value >= least && *value <= most)) return;
            throw InputError({"", name, std::to_string(least) + " to " + std::to_string(most),
                              std::to_string(*value)});
        };
        in_range("truncate_dim", options.truncate_dim, 1, modules_.out_features());
        in_range("max_seq_length", options.max_seq_length, 1,
                 modules_.model.config().max_position_embeddings);
        detail::check_stride(options.stride, options.truncation, max_seq_length(options));
        prompt_of(options);
    }

    /// How alike each row of `a` (m, columns) is to each of `b` (n, columns), as the folder
    /// measures it: (m, n).
    Matrix<float> similarity(const Matrix<float>& a, const Matrix<float>& b) const {
        return nystromformer::similarity(a, b, similarity_function(), modules_.model.threads());
    }

    /// Columns of an embedding.
    Index embedding_dimension() const {
        return std::min(modules_.out_features(),
                        modules_.defaults.truncate_dim.value_or(modules_.out_features()));
    }
    /// Most tokens of a text, special ones included, where a call does not say.
    Index max_seq_length() const { return max_seq_length({}); }
    Similarity similarity_function() const { return modules_.defaults.similarity; }
    /// "query" and "document" are always there.
    const std::map<std::string, std::string>& prompts() const { return modules_.defaults.prompts; }
    const Pooling& pooling() const { return modules_.pooling; }
    /// False for a folder without modules.json, which gets the mean of its tokens.
    bool has_modules() const { return modules_.has_file; }

    const NystromformerModel<float>& model() const { return modules_.model; }
    const Tokenizer& tokenizer() const { return modules_.tokenizer; }

private:
    Index max_seq_length(const SentenceEmbeddingOptions& options) const {
        return options.max_seq_length.value_or(modules_.max_seq_length);
    }

    /// InputError for a name that the folder does not have.
    std::string prompt_of(const SentenceEmbeddingOptions& options) const {
        if (options.prompt) return *options.prompt;
        const auto& name =
            options.prompt_name ? options.prompt_name : modules_.defaults.default_prompt_name;
        if (!name) return "";
        if (const auto found = prompts().find(*name); found != prompts().end())
            return found->second;
        std::string names;
        for (const auto& [known, prompt] : prompts())
            names += (names.empty() ? "" : ", ") + detail::in_quotes(known);
        throw InputError({"", "prompt_name", "one of " + names, detail::in_quotes(*name)});
    }

    /// The tokens that a prompt has before a text where the pooling leaves them out: with the
    /// special tokens before it, without a special one at its end. As in sentence-transformers,
    /// those of the prompt cut to the length of a text; of windows there may be more.
    Index prompt_length(const std::string& prompt, const SentenceEmbeddingOptions& options) const {
        if (modules_.pooling.include_prompt || prompt.empty()) return 0;
        const detail::TextInput input{.text = prompt};
        Encoding encoding = input.encode(tokenizer(), detail::encode_options());
        if (!options.stride) {
            encoding = std::move(detail::windows_of(std::move(encoding), input, tokenizer(),
                                                    max_seq_length(options), 0, {})
                                     .front());
        }
        const Index size = encoding.size();
        return size > 0 && ends_special(encoding) ? size - 1 : size;
    }

    /// True where the last token is one that the post-processor added, or has a role.
    bool ends_special(const Encoding& encoding) const {
        if (encoding.special_tokens_mask.back() != 0) return true;
        const Tokenizer& all = tokenizer();
        for (const auto& role :
             {all.unk_token(), all.pad_token(), all.cls_token(), all.sep_token(), all.mask_token()})
            if (role && all.token_to_id(*role) == encoding.ids.back()) return true;
        return false;
    }

    /// Adds a text as it is, cut, or in windows.
    void encode(const detail::TextInput& input, Index skipped,
                const SentenceEmbeddingOptions& options, detail::SentenceWindows& windows) const {
        const Index length = max_seq_length(options);
        Encoding whole = input.encode(tokenizer(), detail::encode_options());
        const Index tokens = whole.size();
        if (tokens == 0) detail::check_encoding(whole, input, model().config());
        if (tokens > length && !options.truncation && !options.stride) {
            throw InputError({"", "",
                              "at most max_seq_length " + std::to_string(length) +
                                  " tokens (truncation cuts, stride reads in windows)",
                              std::to_string(tokens), input.number});
        }
        // Windows start at the text's start, where a prompt is, whichever side truncation cuts.
        std::vector<Encoding> some =
            detail::windows_of(whole, input, tokenizer(), length, options.stride.value_or(0), {},
                               options.stride ? std::optional(Direction::right) : std::nullopt);
        if (options.truncation) some.resize(1);
        for (const Encoding& window : some) detail::check_encoding(window, input, model().config());
        if (tokens > length && options.cut) {
            options.cut({static_cast<Index>(input.number), tokens, length,
                         static_cast<Index>(some.size())});
        }
        windows.add(whole, std::move(some), input.number, skipped, options.stride.value_or(0),
                    modules_.pooling);
    }

    /// The pooled vector of each window.
    Matrix<float> pool(const detail::SentenceWindows& windows,
                       const SentenceEmbeddingOptions& options) const {
        const PipelineOptions shared = detail::pipeline_options(options);
        const ForwardOptions forward = detail::forward_options(shared, model().config());
        const Pooling& pooling = modules_.pooling;
        Matrix<float> pooled(static_cast<Index>(windows.encodings.size()), pooling.out_features());
        BaseModelOutput<float> output;
        detail::for_each_batch(windows.encodings, shared, [&](std::span<const std::size_t> batch) {
            const ModelInput<float> input = detail::stacked_input(windows.encodings, batch);
            if (pooling.is_of_single_tokens())
                return pool_tokens(windows, batch, input, forward, pooled);
            model()(input, forward, output);
            const detail::Rows<const float> states(output.last_hidden_state);
            for (std::size_t i = 0; i < batch.size(); ++i) {
                const Index first = input.offsets[i], count = input.offsets[i + 1] - first;
                pooling(states.middle_rows(first, count), windows.skipped[batch[i]],
                        pooled.row(static_cast<Index>(batch[i])).data());
            }
        });
        return pooled;
    }

    /// The same of one batch, for a pooling that takes single tokens: only these are computed.
    void pool_tokens(const detail::SentenceWindows& windows, std::span<const std::size_t> batch,
                     const ModelInput<float>& input, const ForwardOptions& forward,
                     Matrix<float>& pooled) const {
        const Pooling& pooling = modules_.pooling;
        const Index columns = pooling.embedding_dimension;
        std::vector<Index> rows;  // after one another for each window
        for (std::size_t i = 0; i < batch.size(); ++i) {
            const Index first = input.offsets[i], count = input.offsets[i + 1] - first;
            for (const PoolingMode mode : pooling.pooling_mode)
                rows.push_back(first +
                               pooling.single_token(mode, count, windows.skipped[batch[i]]));
        }
        const auto states = model().states_at(input, rows, forward).last_hidden_state;
        Index row = 0;
        for (std::size_t i = 0; i < batch.size(); ++i) {
            const Index count = input.offsets[i + 1] - input.offsets[i];
            float* out = pooled.row(static_cast<Index>(batch[i])).data();
            for (const PoolingMode mode : pooling.pooling_mode) {
                std::copy_n(states.row(row++).data(), columns, out);
                if (pooling.is_zero(mode, count, windows.skipped[batch[i]]))
                    std::fill_n(out, columns, 0.0F);
                out += columns;
            }
        }
    }

    detail::SentenceModules modules_;
};

}  // namespace nystromformer
