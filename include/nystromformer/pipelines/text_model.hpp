// SPDX-License-Identifier: MIT
// TextModel: the one owner of a pipeline's model and tokenizer.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/options.hpp>
#include <nystromformer/pipelines/batches.hpp>
#include <nystromformer/pipelines/windows.hpp>
#include <nystromformer/tokenizer.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// A pipeline's model and its tokenizer. The body of every pipeline is one of these.
template <typename Model>
struct TextModel {
    Model model;
    Tokenizer tokenizer;

    /// Loads both from a Hugging Face folder; throws what those throw.
    TextModel(const std::filesystem::path& folder, const LoadOptions& options)
        : model(Model::from_pretrained(folder, options)),
          tokenizer(Tokenizer::from_pretrained(folder, false, file_options(options))) {}

    TextModel(Model loaded, Tokenizer own) : model(std::move(loaded)), tokenizer(std::move(own)) {}

    const NystromformerConfig& config() const { return model.config(); }
    /// Tokens to which a text is cut at most.
    Index max_length() const { return longest_input(tokenizer, config()); }
    /// The id of a token that has a role, if the tokenizer has both.
    std::optional<std::int64_t> id_of(const std::optional<std::string>& token) const {
        return token ? tokenizer.token_to_id(*token) : std::nullopt;
    }
    ForwardOptions forward_options(const RunOptions& options) const {
        return detail::forward_options(options, config());
    }

    /// Encodes an input with its special tokens, cut to max_length() if `long_text` says so.
    /// InputError if it is too long for the model.
    Encoding encode(const TextInput& input, const LongText& long_text) const {
        return encode(input, long_text, max_length());
    }
    /// The same, cut to `length`.
    Encoding encode(const TextInput& input, const LongText& long_text, Index length) const {
        EncodeOptions encode = encode_options();
        Encoding encoding = input.encode(tokenizer, encode);
        if (long_text.truncation && encoding.size() > length) {
            if (long_text.on_truncation) {
                long_text.on_truncation(
                    {static_cast<Index>(input.number), encoding.size(), length, 1});
            }
            encode.truncation = Truncation{.max_length = length, .strategy = input.strategy};
            encoding = input.encode(tokenizer, encode);
            encoding.overflowing.clear();
        }
        check_encoding(encoding, input, config());
        return encoding;
    }

    /// An input in windows of at most `length` tokens that share `stride`. InputError if the model
    /// cannot take them.
    std::vector<Encoding> encode_windows(
        const TextInput& input, Index length, Index stride,
        const std::function<void(const TruncationNotice&)>& on_truncation) const {
        auto windows = windows_of(input.encode(tokenizer, encode_options()), input, tokenizer,
                                  {length, stride, std::nullopt}, on_truncation);
        for (const Encoding& window : windows) check_encoding(window, input, config());
        return windows;
    }

    /// An input whole, in windows if `long_text` has a stride, or cut if it has truncation.
    std::vector<Encoding> encode_all(const TextInput& input, const LongText& long_text) const {
        return encode_all(input, long_text, max_length());
    }
    /// The same, of at most `length` tokens each.
    std::vector<Encoding> encode_all(const TextInput& input, const LongText& long_text,
                                     Index length) const {
        if (!long_text.stride) return {encode(input, long_text, length)};
        return encode_windows(input, length, *long_text.stride, long_text.on_truncation);
    }

    /// The logits of several pairs for each input, (pairs, num_labels): those of input i are the
    /// rows from first_pair[i]. `encode_pair(i, k, long_text)` gives the windows of its pair k.
    template <typename EncodePair>
    Matrix<float> pair_logits(const std::vector<std::size_t>& first_pair, Index num_labels,
                              const LongText& options, const RunOptions& run,
                              const EncodePair& encode_pair) const {
        std::size_t number = 0;  // of the input that the last pair belongs to
        LongText long_text = options, silent = options;
        long_text.on_truncation = once_each(options.on_truncation);
        silent.on_truncation = {};
        const auto encode = [&](std::size_t pair, Windows& windows, bool is_counted) {
            number = group_of(first_pair, pair, number);
            windows.add(
                encode_pair(number, pair - first_pair[number], is_counted ? silent : long_text));
        };
        return means_in_parts(first_pair.back(), num_labels, run, encode,
                              [&](const auto& encodings, const RunOptions& part) {
                                  return sequence_logits(num_labels, encodings, part);
                              });
    }

    /// The logits of a model that has one row of them for each sequence: (encodings, labels).
    Matrix<float> sequence_logits(Index num_labels, const std::vector<Encoding>& encodings,
                                  const RunOptions& options) const {
        Matrix<float> logits(static_cast<Index>(encodings.size()), num_labels);
        const ForwardOptions forward = forward_options(options);
        for_each_batch(encodings, options, [&](std::span<const std::size_t> batch) {
            const auto output = model(stacked_input(encodings, batch), forward);
            for (std::size_t i = 0; i < batch.size(); ++i)
                logits.row(static_cast<Index>(batch[i])) = output.logits.row(static_cast<Index>(i));
        });
        return logits;
    }
};

}  // namespace nystromformer::inline v0_2::detail
