// SPDX-License-Identifier: MIT
// TokenClassificationPipeline's body: the scores of a window's tokens, and the entities that they
// make.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/names.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/pipelines/bad_inputs.hpp>
#include <nystromformer/pipelines/batches.hpp>
#include <nystromformer/pipelines/entities.hpp>
#include <nystromformer/pipelines/scores.hpp>
#include <nystromformer/pipelines/text_model.hpp>
#include <nystromformer/pipelines/windows.hpp>
#include <nystromformer/token_classification.hpp>
#include <nystromformer/tokenizer.hpp>
#include <nystromformer/tokenizer/truncation.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

struct TokenClassificationPipeline::Body
    : detail::TextModel<NystromformerForTokenClassification<float>> {
    std::optional<std::int64_t> unk_id, pad_id;

    Body(const std::filesystem::path& folder, const LoadOptions& options)
        : Body(TextModel(folder, options)) {}
    Body(const NystromformerForTokenClassification<float>& loaded, const Tokenizer& own)
        : Body(TextModel(loaded, own)) {}
    explicit Body(TextModel both)
        : TextModel(std::move(both)),
          unk_id(id_of(tokenizer.unk_token())),
          pad_id(id_of(tokenizer.pad_token())) {}

    /// The entities of each of several texts, faster than one by one. InputError names the first
    /// bad text.
    std::vector<std::vector<TokenClassificationAnswer>> batch(
        std::span<const std::string> texts, const TokenClassificationOptions& options = {}) const {
        check(options);
        std::vector<Encoding> windows;     // of all texts
        std::vector<std::size_t> text_of;  // (windows)
        detail::for_each_text(texts.size(), options.run, [&](std::size_t i) {
            for (Encoding& window : encode({.text = texts[i], .number = i}, options)) {
                windows.push_back(std::move(window));
                text_of.push_back(i);
            }
        });
        std::vector<std::vector<TokenClassificationAnswer>> of_window(windows.size());
        const ForwardOptions forward = forward_options(options.run);
        detail::for_each_batch(windows, options.run, [&](std::span<const std::size_t> batch) {
            const ModelInput<float> input = detail::stacked_input(windows, batch);
            const Matrix<float> logits = model(input, forward).logits;  // (rows, labels)
            for (std::size_t i = 0; i < batch.size(); ++i) {
                const std::size_t window = batch[i];
                of_window[window] = entities(texts[text_of[window]], windows[window], logits,
                                             input.offsets[i], options);
            }
        });
        return joined(std::move(of_window), text_of, texts.size());
    }

    /// InputError if options are out of range or against each other.
    void check(const TokenClassificationOptions& options) const {
        detail::check_options(options.run, config());
        detail::check_long_text(options.long_text, max_length(), tokenizer);
        if (options.long_text.stride && options.aggregation_strategy == AggregationStrategy::none) {
            throw InputError({"", "stride", "an aggregation_strategy to join windows by", "none"});
        }
    }

    std::vector<Encoding> encode(const detail::TextInput& input,
                                 const TokenClassificationOptions& options) const {
        if (!options.long_text.stride) {
            return {TextModel::encode(input, options.long_text)};
        }
        auto windows = encode_windows(input, max_length(), *options.long_text.stride,
                                      options.long_text.on_truncation);
        // Hugging Face pads the last window to the length of the others.
        if (pad_id) {
            detail::pad(windows, Padding{.direction = tokenizer.padding_side(), .pad_id = *pad_id});
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
                detail::softmax(row_of(logits, first_row + static_cast<Index>(i)));
        }
        const detail::EntityBuilder builder{tokenizer, config(), options.aggregation_strategy};
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
        detail::TaggedToken token{.word = tokenizer.id_to_token(window.ids[i]).value_or(""),
                                  .start = start,
                                  .end = end,
                                  .byte_start = window.byte_offsets[i].first,
                                  .byte_end = window.byte_offsets[i].second,
                                  .index = static_cast<Index>(i),
                                  .word_id = window.word_ids[i]};
        if (tokenizer.has_continuing_subword_prefix()) {
            token.is_subword = static_cast<Index>(detail::utf8::count(token.word)) != end - start;
        } else {
            // The tokenizer does not know words: a token that no space precedes or begins.
            token.is_subword = start > 0 && text[first - 1] != ' ' && text.substr(first, 1) != " ";
        }
        if (window.ids[i] == unk_id) {
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
};

NYSTROMFORMER_INLINE TokenClassificationPipeline::TokenClassificationPipeline(
    const std::filesystem::path& folder, const LoadOptions& options)
    : body_(std::make_shared<const Body>(folder, options)) {}
NYSTROMFORMER_INLINE TokenClassificationPipeline::TokenClassificationPipeline(
    const NystromformerForTokenClassification<float>& model, const Tokenizer& tokenizer)
    : body_(std::make_shared<const Body>(model, tokenizer)) {}

NYSTROMFORMER_INLINE std::vector<TokenClassificationAnswer> TokenClassificationPipeline::operator()(
    std::string_view text, const TokenClassificationOptions& options) const {
    const std::string copy(text);
    return std::move(batch({&copy, 1}, options).front());
}
NYSTROMFORMER_INLINE std::vector<std::vector<TokenClassificationAnswer>>
TokenClassificationPipeline::batch(std::span<const std::string> texts,
                                   const TokenClassificationOptions& options) const {
    return detail::answer_apart<std::vector<TokenClassificationAnswer>>(
        texts, options, [&](auto some, const auto& part) { return body_->batch(some, part); });
}
NYSTROMFORMER_INLINE void TokenClassificationPipeline::check(
    const TokenClassificationOptions& options) const {
    body_->check(options);
}
NYSTROMFORMER_INLINE std::optional<AggregationStrategy> aggregation_strategy_named(
    std::string_view name) {
    return detail::enum_names<AggregationStrategy>("none", "simple", "first", "average", "max")
        .find(name);
}

NYSTROMFORMER_INLINE const NystromformerForTokenClassification<float>&
TokenClassificationPipeline::model() const& {
    return body_->model;
}
NYSTROMFORMER_INLINE const Tokenizer& TokenClassificationPipeline::tokenizer() const& {
    return body_->tokenizer;
}

}  // namespace nystromformer::inline v0_2
