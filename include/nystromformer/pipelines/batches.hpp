// SPDX-License-Identifier: MIT
// What the pipelines share: texts to tokens, batches by length.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/numbered_error.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/forward_plan.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Every text has an inverse of its own, so that its answer does not depend on its batch.
inline ForwardOptions forward_options(const RunOptions& options,
                                      const NystromformerConfig& config) {
    return {.attention = options.attention,
            .num_landmarks = options.num_landmarks,
            .inverse = text_inverse(config)};
}

/// InputError if options are out of range.
inline void check_options(const RunOptions& options) {
    check_options(
        ForwardOptions{.attention = options.attention, .num_landmarks = options.num_landmarks});
    if (options.batch_tokens < 1) {
        throw InputError({"", "batch_tokens", "at least 1", std::to_string(options.batch_tokens)});
    }
}
/// The same for a model of `config`.
inline void check_options(const RunOptions& options, const NystromformerConfig& config) {
    check_options(options);
    check_landmarks(forward_options(options, config), config);
}

/// Hugging Face's pipelines call the tokenizer with what tokenizer.json says of truncation and
/// padding switched off.
inline EncodeOptions encode_options(bool add_special_tokens = true) {
    return {.add_special_tokens = add_special_tokens,
            .truncation = no_truncation,
            .padding = no_padding};
}

/// The most tokens to which an input is cut: what the position table holds, or less if the
/// tokenizer says so.
inline Index longest_input(const Tokenizer& tokenizer, const NystromformerConfig& config) {
    return std::min(config.max_length(),
                    tokenizer.model_max_length().value_or(config.max_length()));
}

/// One text, or a text and its pair; how errors and cuts name it; which of both truncation cuts.
struct TextInput {
    std::string_view text;
    std::optional<std::string_view> pair = std::nullopt;
    std::size_t number = 0;
    TruncationStrategy strategy = TruncationStrategy::longest_first;
    bool gives_token_type_ids = false;  // if the tokenizer's files do not say, as transformers 5

    Encoding encode(const Tokenizer& tokenizer, const EncodeOptions& options) const {
        Encoding encoding = tokens(tokenizer, options);
        if (tokenizer.gives_token_type_ids().value_or(gives_token_type_ids)) return encoding;
        std::fill(encoding.type_ids.begin(), encoding.type_ids.end(), 0);
        for (Encoding& window : encoding.overflowing)
            std::fill(window.type_ids.begin(), window.type_ids.end(), 0);
        return encoding;
    }

private:
    /// The tokenizer knows only this text, so its errors get the number of the input here.
    Encoding tokens(const Tokenizer& tokenizer, const EncodeOptions& options) const {
        try {
            return pair ? tokenizer.encode(text, *pair, options) : tokenizer.encode(text, options);
        } catch (const InputError& error) {
            std::rethrow_exception(numbered(error, number));
        }
    }
};

/// InputError if the model has no row for an id. (It would say so itself, but of a place in a
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

/// InputError if an encoding has no token, or one that the model does not know; LengthError if it
/// has more than the model has positions.
inline void check_encoding(const Encoding& encoding, const TextInput& input,
                           const NystromformerConfig& config) {
    const Index max_length = config.max_length();
    if (encoding.size() == 0)
        throw InputError({"", "", "at least one token", "none", input.number});
    if (encoding.size() > max_length) {
        throw LengthError({"", "",
                           "at most " + std::to_string(max_length) +
                               " tokens (truncation cuts, stride reads in windows)",
                           std::to_string(encoding.size()), input.number},
                          encoding.ids.size(), static_cast<std::size_t>(max_length));
    }
    check_ids("input_ids", encoding.ids, config.vocab_size, "vocab_size", input);
    // A model without token types has no use for them.
    if (config.type_vocab_size > 0) {
        check_ids("token_type_ids", encoding.type_ids, config.type_vocab_size, "type_vocab_size",
                  input);
    }
}

/// Calls encode(i) for each of `count` texts, and options.on_tokenized after it.
template <typename Encode>
void for_each_text(std::size_t count, const RunOptions& options, Encode&& encode) {
    for (std::size_t i = 0; i < count; ++i) {
        encode(i);
        if (options.on_tokenized)
            options.on_tokenized(static_cast<Index>(i + 1), static_cast<Index>(count));
    }
}

/// Calls body(indices) for batches of encodings, the longest first, each of at most
/// options.batch_tokens rows (one that is longer goes alone). Which batch an encoding is in does
/// not change its results.
template <typename Body>
void for_each_batch(const std::vector<Encoding>& encodings, const RunOptions& options,
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

/// For texts that are encoded several times in a row, with one pair or another: passes on the first
/// notice of each text.
inline std::function<void(const TruncationNotice&)> once_each(
    const std::function<void(const TruncationNotice&)>& on_truncation) {
    if (!on_truncation) return {};
    return [&on_truncation, last = Index{-1}](const TruncationNotice& notice) mutable {
        if (std::exchange(last, notice.input) != notice.input) on_truncation(notice);
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

/// The encodings of `indices` after one another; a mask only if one of them is padded.
inline ModelInput<float> stacked_input(const std::vector<Encoding>& encodings,
                                       std::span<const std::size_t> indices) {
    ModelInput<float> input;
    input.offsets.push_back(0);
    for (const std::size_t index : indices) input.append(encodings[index]);
    return input;
}

}  // namespace nystromformer::inline v0_2::detail
