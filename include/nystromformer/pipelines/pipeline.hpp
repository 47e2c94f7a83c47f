// SPDX-License-Identifier: MIT
// What the pipelines share: the options of a call, texts to tokens, batches by length.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/config.hpp>
#include <nystromformer/model/input.hpp>
#include <nystromformer/model/options.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer {

/// How an input that is too long for the model was cut, because the call's options ask for it.
struct Cut {
    Index input;    ///< number of the text, from 0
    Index tokens;   ///< of the whole input, special tokens included
    Index length;   ///< most tokens of a window
    Index windows;  ///< windows that were computed; 1: what follows the first was left out
};

/// What every pipeline takes with a call. The options of a pipeline hold these beside its own.
struct PipelineOptions {
    Attention attention = Attention::config;
    Index num_landmarks = 0;    ///< 0: the config's num_landmarks
    Index batch_tokens = 4096;  ///< tokens computed at once: a matter of memory, not of answers
    /// Called after each batch with the model's inputs (texts, or windows of texts) done of all.
    std::function<void(Index done, Index total)> progress = {};
    /// Called for each text that was cut, before it is computed.
    std::function<void(const Cut&)> cut = {};
};

namespace detail {

/// The part of a pipeline's options that all pipelines have.
template <typename Options>
PipelineOptions pipeline_options(const Options& options) {
    return {options.attention, options.num_landmarks, options.batch_tokens, options.progress,
            options.cut};
}

/// Every text has an inverse of its own, so that its answer does not depend on its batch.
inline ForwardOptions forward_options(const PipelineOptions& options,
                                      const NystromformerConfig& config) {
    return {.attention = options.attention,
            .num_landmarks = options.num_landmarks,
            .inverse = text_inverse(config)};
}

/// InputError where options are out of range.
inline void check_options(const PipelineOptions& options) {
    check_options(
        ForwardOptions{.attention = options.attention, .num_landmarks = options.num_landmarks});
    if (options.batch_tokens < 1) {
        throw InputError({"", "batch_tokens", "at least 1", std::to_string(options.batch_tokens)});
    }
}

/// Hugging Face's pipelines call the tokenizer with what tokenizer.json says of truncation and
/// padding switched off.
inline EncodeOptions encode_options(bool add_special_tokens = true) {
    return {.add_special_tokens = add_special_tokens,
            .truncation = Truncation{.strategy = TruncationStrategy::do_not_truncate},
            .padding = Padding{.strategy = PaddingStrategy::do_not_pad}};
}

/// The most tokens to which an input is cut: what the position table holds, or less where the
/// tokenizer says so.
inline Index longest_input(const Tokenizer& tokenizer, const NystromformerConfig& config) {
    return std::min(config.max_position_embeddings,
                    tokenizer.model_max_length().value_or(config.max_position_embeddings));
}

/// One text, or a text and its pair; how errors and cuts name it; which of both truncation cuts.
struct TextInput {
    std::string_view text;
    std::optional<std::string_view> pair = std::nullopt;
    std::size_t number = 0;
    TruncationStrategy strategy = TruncationStrategy::longest_first;
    bool gives_token_type_ids = false;  // where the tokenizer's files do not say, as transformers 5

    Encoding encode(const Tokenizer& tokenizer, const EncodeOptions& options) const {
        Encoding encoding =
            pair ? tokenizer.encode(text, *pair, options) : tokenizer.encode(text, options);
        if (tokenizer.gives_token_type_ids().value_or(gives_token_type_ids)) return encoding;
        std::fill(encoding.type_ids.begin(), encoding.type_ids.end(), 0);
        for (Encoding& window : encoding.overflowing)
            std::fill(window.type_ids.begin(), window.type_ids.end(), 0);
        return encoding;
    }
};

/// InputError where the model has no row for an id. (It would say so itself, but of a place in a
/// batch.)
inline void check_ids(const char* field, const std::vector<std::int64_t>& ids, Index limit,
                      const char* size, const TextInput& input) {
    const auto bad = std::find_if(ids.begin(), ids.end(),
                                  [&](std::int64_t id) { return id < 0 || id >= limit; });
    if (bad == ids.end()) return;
    throw InputError({"", std::string(field) + '[' + std::to_string(bad - ids.begin()) + ']',
                      "below the model's " + std::string(size) + ' ' + std::to_string(limit),
                      std::to_string(*bad), input.number});
}

/// InputError where an encoding has no token, more than the model has positions, or one that it
/// does not know.
inline void check_encoding(const Encoding& encoding, const TextInput& input,
                           const NystromformerConfig& config) {
    const Index most = config.max_position_embeddings;
    if (encoding.size() == 0)
        throw InputError({"", "", "at least one token", "none", input.number});
    if (encoding.size() > most) {
        throw InputError({"", "",
                          "at most max_position_embeddings " + std::to_string(most) + " tokens",
                          std::to_string(encoding.size()), input.number});
    }
    check_ids("input_ids", encoding.ids, config.vocab_size, "vocab_size", input);
    check_ids("token_type_ids", encoding.type_ids, config.type_vocab_size, "type_vocab_size",
              input);
}

/// Encodes an input with its special tokens. With `truncation` one that is longer than
/// longest_input is cut, which options.cut is told; without, or where that does not help, one that
/// is too long for the model is an InputError.
inline Encoding encode_input(const TextInput& input, const Tokenizer& tokenizer,
                             const NystromformerConfig& config, bool truncation,
                             const PipelineOptions& options) {
    EncodeOptions encode = encode_options();
    Encoding encoding = input.encode(tokenizer, encode);
    const Index length = longest_input(tokenizer, config);
    if (truncation && encoding.size() > length) {
        if (options.cut)
            options.cut({static_cast<Index>(input.number), encoding.size(), length, 1});
        encode.truncation = Truncation{.max_length = length, .strategy = input.strategy};
        encoding = input.encode(tokenizer, encode);
        encoding.overflowing.clear();
    }
    check_encoding(encoding, input, config);
    return encoding;
}

/// Calls body(indices) for batches of encodings, the longest first, each of at most
/// options.batch_tokens rows (one that is longer goes alone). Which batch an encoding is in does
/// not change its results.
template <typename Body>
void for_each_batch(const std::vector<Encoding>& encodings, const PipelineOptions& options,
                    Body&& body) {
    check_options(options);
    std::vector<std::size_t> order(encodings.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return encodings[a].size() > encodings[b].size();
    });
    const std::span<const std::size_t> all(order);
    for (std::size_t begin = 0, end = 0; begin < all.size(); begin = end) {
        Index rows = encodings[all[end++]].size();
        for (; end < all.size(); ++end) {
            const Index size = encodings[all[end]].size();
            if (rows > options.batch_tokens - size) break;
            rows += size;
        }
        body(all.subspan(begin, end - begin));
        if (options.progress)
            options.progress(static_cast<Index>(end), static_cast<Index>(all.size()));
    }
}

/// For texts that are encoded several times in a row, with one thing or another: passes on the
/// first cut of each.
inline std::function<void(const Cut&)> told_once_each(const std::function<void(const Cut&)>& cut) {
    if (!cut) return {};
    return [&cut, last = Index{-1}](const Cut& value) mutable {
        if (std::exchange(last, value.input) != value.input) cut(value);
    };
}

/// The group that `item` is in, which is not before `group`: group g has the items [first[g],
/// first[g + 1]).
inline std::size_t group_of(const std::vector<std::size_t>& first, std::size_t item,
                            std::size_t group) {
    if (item < first[group]) group = 0;  // from the start again
    while (item >= first[group + 1]) ++group;
    return group;
}

/// The encodings of `indices` after one another; a mask only where one of them is padded.
inline ModelInput<float> stacked_input(const std::vector<Encoding>& encodings,
                                       std::span<const std::size_t> indices) {
    ModelInput<float> input;
    input.offsets.push_back(0);
    for (const std::size_t index : indices) {
        const Encoding& encoding = encodings[index];
        input.input_ids.insert(input.input_ids.end(), encoding.ids.begin(), encoding.ids.end());
        input.token_type_ids.insert(input.token_type_ids.end(), encoding.type_ids.begin(),
                                    encoding.type_ids.end());
        input.attention_mask.insert(input.attention_mask.end(), encoding.attention_mask.begin(),
                                    encoding.attention_mask.end());
        input.offsets.push_back(static_cast<Index>(input.input_ids.size()));
    }
    const auto& mask = input.attention_mask;
    if (std::find(mask.begin(), mask.end(), 0) == mask.end()) input.attention_mask.clear();
    return input;
}

/// The logits of a model that has one row of them for each sequence: (encodings, labels).
template <typename Model>
Matrix<float> sequence_logits(const Model& model, Index num_labels,
                              const std::vector<Encoding>& encodings,
                              const PipelineOptions& options) {
    Matrix<float> logits(static_cast<Index>(encodings.size()), num_labels);
    const ForwardOptions forward = forward_options(options, model.config());
    for_each_batch(encodings, options, [&](std::span<const std::size_t> batch) {
        const auto output = model(stacked_input(encodings, batch), forward);
        for (std::size_t i = 0; i < batch.size(); ++i)
            logits.row(static_cast<Index>(batch[i])) = output.logits.row(static_cast<Index>(i));
    });
    return logits;
}

}  // namespace detail
}  // namespace nystromformer
