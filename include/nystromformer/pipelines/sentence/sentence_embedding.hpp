// SPDX-License-Identifier: MIT
// SentenceEmbeddingPipeline's body: prompts and windows, pooled vectors, and the modules after
// them.
#pragma once

#include <nystromformer/core/embeddings.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/pipelines/bad_inputs.hpp>
#include <nystromformer/pipelines/batches.hpp>
#include <nystromformer/pipelines/sentence/pooling.hpp>
#include <nystromformer/pipelines/sentence/sentence_modules.hpp>
#include <nystromformer/pipelines/sentence/sentence_windows.hpp>
#include <nystromformer/pipelines/windows.hpp>
#include <nystromformer/sentence_embedding.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

struct SentenceEmbeddingPipeline::Body : detail::SentenceModules {
    /// The embeddings of several texts, a row for each, faster than one by one. InputError names
    /// the first bad text.
    Matrix<float> batch(std::span<const std::string> texts,
                        const SentenceEmbeddingOptions& options) const {
        check(options);
        const std::string prompt = prompt_of(options);
        const Index skipped = prompt_length(prompt, options);
        detail::SentenceWindows windows;  // of all texts
        detail::for_each_text(texts.size(), options.run, [&](std::size_t i) {
            const std::string text = prompt + texts[i];
            encode({.text = text, .number = i}, skipped, options, windows);
        });
        Matrix<float> pooled =
            windows.joined(pool(windows, options), static_cast<Index>(texts.size()));
        Matrix<float> embeddings = after_pooling(std::move(pooled));
        const auto columns = options.truncate_dim ? options.truncate_dim : defaults.truncate_dim;
        if (columns && *columns < embeddings.cols())
            embeddings = Matrix<float>(embeddings.leftCols(*columns));
        if (options.normalize_embeddings) detail::normalize_rows(embeddings);
        return embeddings;
    }

    /// InputError if options are out of range or against each other.
    void check(const SentenceEmbeddingOptions& options) const {
        detail::check_options(options.run, model.config());
        const auto in_range = [](const char* name, std::optional<Index> value, Index least,
                                 Index most) {
            if (!value || (*value >= least && *value <= most)) return;
            throw InputError({"", name, std::to_string(least) + " to " + std::to_string(most),
                              std::to_string(*value)});
        };
        in_range("truncate_dim", options.truncate_dim, 1, out_features());
        in_range("max_seq_length", options.max_seq_length, 1, model.config().max_length());
        detail::check_long_text(options.long_text, length_of(options), tokenizer);
        prompt_of(options);
    }

    Index length_of(const SentenceEmbeddingOptions& options) const {
        return options.max_seq_length.value_or(max_seq_length);
    }

    /// InputError for a name that the folder does not have, and for a name beside a prompt.
    std::string prompt_of(const SentenceEmbeddingOptions& options) const {
        if (options.prompt && options.prompt_name)
            throw InputError({"", "prompt_name", "a prompt or a prompt_name", "both"});
        if (options.prompt) return *options.prompt;
        return detail::prompt_named(defaults.prompts, options.prompt_name
                                                          ? options.prompt_name
                                                          : defaults.default_prompt_name);
    }

    /// The tokens that a prompt has before a text if the pooling leaves them out: with the
    /// special tokens before it, without a special one at its end. As in sentence-transformers,
    /// those of the prompt cut to the length of a text; of windows there may be more.
    Index prompt_length(const std::string& prompt, const SentenceEmbeddingOptions& options) const {
        if (pooling.include_prompt || prompt.empty()) return 0;
        const detail::TextInput input{.text = prompt};
        Encoding encoding = input.encode(tokenizer, detail::encode_options());
        if (!options.long_text.stride) {
            encoding = std::move(
                detail::windows_of(std::move(encoding), input, tokenizer, {length_of(options), 0})
                    .front());
        }
        const Index size = encoding.size();
        return size > 0 && ends_special(encoding) ? size - 1 : size;
    }

    /// True if the last token is one that the post-processor added, or has a role.
    bool ends_special(const Encoding& encoding) const {
        if (encoding.special_tokens_mask.back() != 0) return true;
        const Tokenizer& all = tokenizer;
        for (const auto& role :
             {all.unk_token(), all.pad_token(), all.cls_token(), all.sep_token(), all.mask_token()})
            if (role && all.token_to_id(*role) == encoding.ids.back()) return true;
        return false;
    }

    /// Adds a text as it is, cut, or in windows.
    void encode(const detail::TextInput& input, Index skipped,
                const SentenceEmbeddingOptions& options, detail::SentenceWindows& windows) const {
        const Index length = length_of(options);
        Encoding whole = input.encode(tokenizer, detail::encode_options());
        const Index tokens = whole.size();
        if (tokens == 0) detail::check_encoding(whole, input, model.config());
        if (tokens > length && !options.long_text.truncation && !options.long_text.stride) {
            throw LengthError({"", "",
                               "at most max_seq_length " + std::to_string(length) +
                                   " tokens (truncation cuts, stride reads in windows)",
                               std::to_string(tokens), input.number},
                              static_cast<std::size_t>(tokens), static_cast<std::size_t>(length));
        }
        // Windows start at the text's start, where a prompt is, whichever side truncation cuts.
        std::vector<Encoding> some = detail::windows_of(
            whole, input, tokenizer,
            {length, options.long_text.stride.value_or(0),
             options.long_text.stride ? std::optional(Direction::right) : std::nullopt});
        if (options.long_text.truncation) some.resize(1);
        for (const Encoding& window : some) detail::check_encoding(window, input, model.config());
        if (tokens > length && options.long_text.on_truncation) {
            options.long_text.on_truncation({static_cast<Index>(input.number), tokens, length,
                                             static_cast<Index>(some.size())});
        }
        windows.add(whole, std::move(some), input.number, skipped,
                    options.long_text.stride.value_or(0), pooling);
    }

    /// The pooled vector of each window.
    Matrix<float> pool(const detail::SentenceWindows& windows,
                       const SentenceEmbeddingOptions& options) const {
        const ForwardOptions forward = detail::forward_options(options.run, model.config());
        Matrix<float> pooled(static_cast<Index>(windows.encodings.size()), pooling.out_features());
        BaseModelOutput<float> output;
        detail::for_each_batch(
            windows.encodings, options.run, [&](std::span<const std::size_t> batch) {
                const ModelInput<float> input = detail::stacked_input(windows.encodings, batch);
                if (pooling.is_of_single_tokens())
                    return pool_tokens(windows, batch, input, forward, pooled);
                model(input, forward, output);
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
        const Index columns = pooling.embedding_dimension;
        std::vector<Index> rows;  // after one another for each window
        for (std::size_t i = 0; i < batch.size(); ++i) {
            const Index first = input.offsets[i], count = input.offsets[i + 1] - first;
            for (const PoolingMode mode : pooling.pooling_mode)
                rows.push_back(first +
                               pooling.single_token(mode, count, windows.skipped[batch[i]]));
        }
        const auto states = model.states_at(input, rows, forward).last_hidden_state;
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
};

NYSTROMFORMER_INLINE std::string_view name(PoolingMode mode) { return detail::name_of(mode); }
NYSTROMFORMER_INLINE std::optional<PoolingMode> pooling_mode_named(std::string_view name) {
    return detail::find_pooling_mode(name);
}

NYSTROMFORMER_INLINE SentenceEmbeddingPipeline::SentenceEmbeddingPipeline(
    const std::filesystem::path& folder, const LoadOptions& options)
    : body_(std::make_shared<const Body>(Body{detail::SentenceModules::load(folder, options)})) {}
NYSTROMFORMER_INLINE SentenceEmbeddingPipeline::SentenceEmbeddingPipeline(
    const NystromformerModel<float>& model, const Tokenizer& tokenizer)
    : body_(std::make_shared<const Body>(Body{detail::SentenceModules::of(model, tokenizer)})) {}

NYSTROMFORMER_INLINE std::vector<float> SentenceEmbeddingPipeline::operator()(
    std::string_view text, const SentenceEmbeddingOptions& options) const {
    const std::string copy(text);
    return std::move(batch({&copy, 1}, options).values);
}
NYSTROMFORMER_INLINE Embeddings SentenceEmbeddingPipeline::batch(
    std::span<const std::string> texts, const SentenceEmbeddingOptions& options) const {
    const Index columns =
        std::min(body_->out_features(), options.truncate_dim.value_or(embedding_dimension()));
    Embeddings result =
        detail::rows_apart(texts, options, columns,
                           [&](auto some, const auto& part) { return body_->batch(some, part); });
    result.fingerprint = body_->fingerprint;
    return result;
}
NYSTROMFORMER_INLINE void SentenceEmbeddingPipeline::check(
    const SentenceEmbeddingOptions& options) const {
    body_->check(options);
}
NYSTROMFORMER_INLINE Embeddings SentenceEmbeddingPipeline::similarity(const Embeddings& a,
                                                                      const Embeddings& b) const {
    return nystromformer::similarity(a, b, similarity_function(), body_->model.threads());
}
NYSTROMFORMER_INLINE std::uint64_t SentenceEmbeddingPipeline::fingerprint() const {
    return body_->fingerprint;
}
NYSTROMFORMER_INLINE Index SentenceEmbeddingPipeline::embedding_dimension() const {
    const Index features = body_->out_features();
    return std::min(features, body_->defaults.truncate_dim.value_or(features));
}
NYSTROMFORMER_INLINE Index SentenceEmbeddingPipeline::max_seq_length() const {
    return body_->max_seq_length;
}
NYSTROMFORMER_INLINE Similarity SentenceEmbeddingPipeline::similarity_function() const {
    return body_->defaults.similarity;
}
NYSTROMFORMER_INLINE const std::map<std::string, std::string>& SentenceEmbeddingPipeline::prompts()
    const& {
    return body_->defaults.prompts;
}
NYSTROMFORMER_INLINE const std::vector<PoolingMode>& SentenceEmbeddingPipeline::pooling_mode()
    const& {
    return body_->pooling.pooling_mode;
}
NYSTROMFORMER_INLINE bool SentenceEmbeddingPipeline::include_prompt() const {
    return body_->pooling.include_prompt;
}
NYSTROMFORMER_INLINE bool SentenceEmbeddingPipeline::has_modules() const { return body_->has_file; }
NYSTROMFORMER_INLINE const NystromformerModel<float>& SentenceEmbeddingPipeline::model() const& {
    return body_->model;
}
NYSTROMFORMER_INLINE const Tokenizer& SentenceEmbeddingPipeline::tokenizer() const& {
    return body_->tokenizer;
}

}  // namespace nystromformer::inline v0_2
