// SPDX-License-Identifier: MIT
// TokenClassificationPipeline: a text in, its labelled tokens or entities out.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/classification.hpp>
#include <nystromformer/pipelines/entities.hpp>
#include <nystromformer/pipelines/pipeline.hpp>
#include <nystromformer/pipelines/scores.hpp>
#include <nystromformer/pipelines/windows.hpp>
#include <nystromformer/tokenizer.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer {

struct TokenClassificationOptions {
    AggregationStrategy aggregation_strategy = AggregationStrategy::none;
    std::vector<std::string> ignore_labels = {"O"};  ///< entities of these are left out
    /// Tokens that the windows of a long text share; nothing: a text that is too long is refused.
    /// Not with aggregation none. The windows are of the tokenizer's model_max_length (or of what
    /// the model takes, where that is less); where they overlap, the longest entity stays, or the
    /// likelier of equal ones.
    std::optional<Index> stride = std::nullopt;
    bool truncation = false;  ///< cut a text that is too long for the model instead of refusing it
    Attention attention = Attention::config;  ///< this and the rest as in PipelineOptions
    Index num_landmarks = 0;
    Index batch_tokens = 4096;
    std::function<void(Index done, Index total)> progress = {};
    std::function<void(const Cut&)> cut = {};
};

/// Hugging Face's pipeline("token-classification"), or "ner". Every text is computed alone, without
/// padding (but for the last window of a text that is cut with a stride, which is padded as there):
/// its answer is the same bit for bit in any batch and on any number of threads. Const and safe to
/// share between threads. Source: transformers/pipelines/token_classification.py
class TokenClassificationPipeline {
public:
    /// Loads model and tokenizer of a Hugging Face folder; throws what those throw.
    explicit TokenClassificationPipeline(const std::filesystem::path& folder,
                                         const LoadOptions& options = {})
        : model_(NystromformerForTokenClassification<float>::from_pretrained(folder, options)),
          tokenizer_(Tokenizer::from_pretrained(folder, false, options.files)) {
        if (const auto unk = tokenizer_.unk_token()) unk_id_ = tokenizer_.token_to_id(*unk);
        if (const auto pad = tokenizer_.pad_token()) pad_id_ = tokenizer_.token_to_id(*pad);
    }

    /// The entities of a text in order. InputError where the text is too long.
    std::vector<TokenClassificationAnswer> operator()(
        std::string_view text, const TokenClassificationOptions& options = {}) const {
        const std::string copy(text);
        return std::move(batch({&copy, 1}, options).front());
    }

    /// The entities of each of several texts, faster than one by one. InputError names the first
    /// bad text.
    std::vector<std::vector<TokenClassificationAnswer>> batch(
        std::span<const std::string> texts, const TokenClassificationOptions& options = {}) const {
        check(options);
        const PipelineOptions shared = detail::pipeline_options(options);
        std::vector<Encoding> windows;     // of all texts
        std::vector<std::size_t> text_of;  // (windows)
        for (std::size_t i = 0; i < texts.size(); ++i) {
            for (Encoding& window : encode({.text = texts[i], .number = i}, options)) {
                windows.push_back(std::move(window));
                text_of.push_back(i);
            }
        }
        std::vector<std::vector<TokenClassificationAnswer>> of_window(windows.size());
        const ForwardOptions forward = detail::forward_options(shared, model_.config());
        detail::for_each_batch(windows, shared, [&](std::span<const std::size_t> batch) {
            const ModelInput<float> input = detail::stacked_input(windows, batch);
            const Matrix<float> logits = model_(input, forward).logits;  // (rows, labels)
            for (std::size_t i = 0; i < batch.size(); ++i) {
                const std::size_t window = batch[i];
                of_window[window] = entities(texts[text_of[window]], windows[window], logits,
                                             input.offsets[i], options);
            }
        });
        return joined(std::move(of_window), text_of, texts.size());
    }

    /// InputError where options are out of range or against each other.
    void check(const TokenClassificationOptions& options) const {
        detail::check_options(detail::pipeline_options(options));
        detail::check_stride(options.stride, options.truncation,
                             detail::longest_input(tokenizer_, model_.config()));
        if (options.stride && options.aggregation_strategy == AggregationStrategy::none) {
            throw InputError({"", "stride", "an aggregation_strategy to join windows by", "none"});
        }
    }

    const NystromformerForTokenClassification<float>& model() const { return model_; }
    const Tokenizer& tokenizer() const { return tokenizer_; }

private:
    std::vector<Encoding> encode(const detail::TextInput& input,
                                 const TokenClassificationOptions& options) const {
        const PipelineOptions shared = detail::pipeline_options(options);
        if (!options.stride) {
            return {detail::encode_input(input, tokenizer_, model_.config(), options.truncation,
                                         shared)};
        }
        auto windows = detail::encode_windows(input, tokenizer_, model_.config(),
                                              detail::longest_input(tokenizer_, model_.config()),
                                              *options.stride, shared);
        // Hugging Face pads the last window to the length of the others.
        if (pad_id_) {
            detail::pad(windows,
                        Padding{.direction = tokenizer_.padding_side(), .pad_id = *pad_id_});
        }
        return windows;
    }

    /// The entities of one window, whose logits start at `first_row`.
    std::vector<TokenClassificationAnswer> entities(
        std::string_view text, const Encoding& window, const Matrix<float>& logits, Index first_row,
        const TokenClassificationOptions& options) const {
        std::vector<detail::TaggedToken> tokens;
        for (std::size_t i = 0; i < window.ids.size(); ++i) {
            if (window.special_tokens_mask[i] != 0) continue;
            tokens.push_back(tagged_token(text, window, i));
            tokens.back().scores =
                detail::softmax(detail::row_of(logits, first_row + static_cast<Index>(i)));
        }
        const detail::EntityBuilder builder{tokenizer_, model_.config(),
                                            options.aggregation_strategy};
        std::vector<TokenClassificationAnswer> answers = builder(std::move(tokens));
        const auto& ignored = options.ignore_labels;
        std::erase_if(answers, [&](const TokenClassificationAnswer& answer) {
            return std::find(ignored.begin(), ignored.end(), answer.entity) != ignored.end();
        });
        return answers;
    }

    /// Token `i` of a window, without its scores.
    detail::TaggedToken tagged_token(std::string_view text, const Encoding& window,
                                     std::size_t i) const {
        const auto [start, end] = window.offsets[i];
        const auto first = static_cast<std::size_t>(window.byte_offsets[i].first);
        const auto last = static_cast<std::size_t>(window.byte_offsets[i].second);
        detail::TaggedToken token{.word = tokenizer_.id_to_token(window.ids[i]).value_or(""),
                                  .start = start,
                                  .end = end,
                                  .index = static_cast<Index>(i),
                                  .word_id = window.word_ids[i]};
        if (tokenizer_.has_continuing_subword_prefix()) {
            token.is_subword = static_cast<Index>(detail::utf8::count(token.word)) != end - start;
        } else {
            // The tokenizer does not tell words: a token that no space precedes or begins.
            token.is_subword = start > 0 && text[first - 1] != ' ' && text.substr(first, 1) != " ";
        }
        if (window.ids[i] == unk_id_) {
            token.word = text.substr(first, last - first);
            token.is_subword = false;
        }
        return token;
    }

    static std::vector<std::vector<TokenClassificationAnswer>> joined(
        std::vector<std::vector<TokenClassificationAnswer>> of_window,
        const std::vector<std::size_t>& text_of, std::size_t num_texts) {
        std::vector<std::vector<TokenClassificationAnswer>> results(num_texts);
        std::vector<std::size_t> num_windows(num_texts);
        for (std::size_t i = 0; i < of_window.size(); ++i) {
            auto& result = results[text_of[i]];
            std::move(of_window[i].begin(), of_window[i].end(), std::back_inserter(result));
            ++num_windows[text_of[i]];
        }
        for (std::size_t i = 0; i < num_texts; ++i)
            if (num_windows[i] > 1) results[i] = detail::without_overlaps(std::move(results[i]));
        return results;
    }

    NystromformerForTokenClassification<float> model_;
    Tokenizer tokenizer_;
    std::optional<std::int64_t> unk_id_, pad_id_;
};

}  // namespace nystromformer
