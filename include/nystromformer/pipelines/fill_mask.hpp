// SPDX-License-Identifier: MIT
// FillMaskPipeline's body: masks in the windows of their texts, and the best tokens for each.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/fill_mask.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/pipelines/bad_inputs.hpp>
#include <nystromformer/pipelines/batches.hpp>
#include <nystromformer/pipelines/mask_tokens.hpp>
#include <nystromformer/pipelines/mask_windows.hpp>
#include <nystromformer/pipelines/text_model.hpp>
#include <nystromformer/pipelines/windows.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

struct FillMaskPipeline::Body : detail::TextModel<NystromformerForMaskedLM<float>> {
    std::string mask;
    std::int64_t mask_id = 0;
    std::optional<std::int64_t> pad_id;

    Body(const std::filesystem::path& folder, const LoadOptions& options)
        : Body(TextModel(folder, options), path_to_utf8(folder)) {}
    Body(const NystromformerForMaskedLM<float>& loaded, const Tokenizer& own)
        : Body(TextModel(loaded, own), "") {}
    Body(TextModel both, const std::string& folder)
        : TextModel(std::move(both)), pad_id(id_of(tokenizer.pad_token())) {
        const auto id = id_of(tokenizer.mask_token());
        if (!id)
            throw TokenizerError({folder, "mask_token", "a token of the vocabulary", "nothing"});
        mask = *tokenizer.mask_token();
        mask_id = *id;
    }

    /// `each_mask` of several texts, faster than one by one. InputError names the first bad text.
    std::vector<std::vector<std::vector<FillMaskAnswer>>> batch(
        std::span<const std::string> texts, const FillMaskOptions& options = {}) const {
        check(options);
        const std::vector<std::int64_t> targets = target_ids(options.targets);
        detail::MaskedTexts masked;
        std::vector<std::vector<std::vector<FillMaskAnswer>>> results;
        detail::for_each_text(texts.size(), options.run, [&](std::size_t i) {
            add({.text = texts[i], .number = i}, options, masked);
            check_answers(masked, i,
                          targets.empty()
                              ? options.top_k
                              : std::min(options.top_k, static_cast<Index>(targets.size())));
            results.emplace_back(masked.num_masks[i]);
        });
        detail::for_each_batch(masked.windows, options.run,
                               [&](std::span<const std::size_t> batch) {
                                   answer(masked, batch, targets, options, results);
                               });
        return results;
    }

    /// Throws InputError for options that no text can satisfy on this model.
    void check(const FillMaskOptions& options) const {
        detail::check_options(options.run, config());
        const Index most =
            options.targets.empty() ? config().vocab_size : std::numeric_limits<Index>::max();
        if (options.top_k < 0 || options.top_k > most) {
            throw InputError(
                {"", "top_k", "0 to " + std::to_string(most), std::to_string(options.top_k)});
        }
        detail::check_long_text(options.long_text, config().max_length(), tokenizer);
        target_ids(options.targets);
    }

    std::vector<std::int64_t> target_ids(const std::vector<std::string>& targets) const {
        return detail::target_ids(targets, tokenizer, config().vocab_size);
    }

    /// Encodes a text, in windows if it is too long and options.long_text.stride asks for them.
    void add(const detail::TextInput& input, const FillMaskOptions& options,
             detail::MaskedTexts& masked) const {
        Encoding whole = options.long_text.stride
                             ? input.encode(tokenizer, detail::encode_options())
                             : TextModel::encode(input, options.long_text);
        if (std::count(whole.ids.begin(), whole.ids.end(), mask_id) == 0)
            throw InputError({"", "", "a " + mask + ", this tokenizer's mask token, in the text",
                              "none", input.number});
        std::vector<Encoding> windows{whole};
        if (options.long_text.stride) {
            // From the start of the text, whichever side truncation would cut.
            windows = detail::windows_of(
                whole, input, tokenizer,
                {config().max_length(), *options.long_text.stride, Direction::right},
                options.long_text.on_truncation);
            for (const Encoding& window : windows) detail::check_encoding(window, input, config());
        }
        masked.add(whole, std::move(windows), options.long_text.stride.value_or(0), mask_id);
    }

    /// InputError if the answers for a text's masks, each with a copy of the text, would take
    /// more than max_answer_bytes.
    void check_answers(const detail::MaskedTexts& masked, std::size_t number,
                       Index answers_of_mask) const {
        constexpr double longest_piece = 4096;
        const std::vector<std::int64_t>& ids = masked.ids[number];
        const std::size_t masks = masked.num_masks[number];
        const auto answers = static_cast<double>(masks) * static_cast<double>(answers_of_mask);
        // Mostly the text need not be decoded to see it.
        if (answers * static_cast<double>(ids.size()) * longest_piece <= max_answer_bytes) return;
        const std::string text = tokenizer.decode(ids, {.skip_special_tokens = false});
        if (answers * static_cast<double>(text.size()) <= max_answer_bytes) return;
        throw InputError({"", "",
                          "masks times top_k times the text of at most " +
                              std::to_string(max_answer_bytes) + " bytes",
                          std::to_string(masks) + " masks, top_k " +
                              std::to_string(answers_of_mask) + ", " + std::to_string(text.size()) +
                              " bytes",
                          number});
    }

    /// Runs a batch of windows and sets the answers for their masks.
    void answer(const detail::MaskedTexts& masked, std::span<const std::size_t> batch,
                const std::vector<std::int64_t>& targets, const FillMaskOptions& options,
                std::vector<std::vector<std::vector<FillMaskAnswer>>>& results) const {
        const ModelInput<float> input = detail::stacked_input(masked.windows, batch);
        std::vector<Index> mask_rows;
        for (std::size_t i = 0; i < batch.size(); ++i) {
            for (const detail::MaskPlace& place : masked.places[batch[i]])
                mask_rows.push_back(input.offsets[i] + place.row);
        }
        std::vector<const detail::MaskPlace*> places;
        for (const std::size_t window : batch)
            for (const detail::MaskPlace& place : masked.places[window]) places.push_back(&place);
        model.for_each_logits(
            input, mask_rows, forward_options(options.run),
            [&](Index first, const Matrix<float>& logits) {  // (masks, vocab)
                for (Index row = 0; row < logits.rows(); ++row) {
                    const detail::MaskPlace& place = *places[static_cast<std::size_t>(first + row)];
                    results[place.text][place.number] =
                        best(logits.row(row), masked.ids[place.text], place.position,
                             masked.num_masks[place.text] == 1, targets, options.top_k);
                }
            });
    }

    /// The best tokens for the mask at `position` of `text`, by `logits` (1, vocab).
    template <typename Logits>
    std::vector<FillMaskAnswer> best(const Logits& logits, const std::vector<std::int64_t>& text,
                                     std::size_t position, bool single,
                                     const std::vector<std::int64_t>& targets, Index top_k) const {
        std::vector<FillMaskAnswer> answers;
        for (const auto& [token, score] : detail::best_tokens(logits, targets, top_k)) {
            answers.push_back(
                {score, token,
                 tokenizer.decode(std::span(&token, 1), {.skip_special_tokens = false}),
                 filled(text, position, token, single)});
        }
        return answers;
    }

    /// The text with `token` at `position`. Other masks stay visible, and padding tokens are left
    /// out.
    std::string filled(std::vector<std::int64_t> text, std::size_t position, std::int64_t token,
                       bool single) const {
        text[position] = token;
        if (pad_id) std::erase(text, *pad_id);
        return tokenizer.decode(text, {.skip_special_tokens = single});
    }

    static constexpr Index max_answer_bytes = Index{1} << 28;  // of one text
};

NYSTROMFORMER_INLINE FillMaskPipeline::FillMaskPipeline(const std::filesystem::path& folder,
                                                        const LoadOptions& options)
    : body_(std::make_shared<const Body>(folder, options)) {}
NYSTROMFORMER_INLINE FillMaskPipeline::FillMaskPipeline(
    const NystromformerForMaskedLM<float>& model, const Tokenizer& tokenizer)
    : body_(std::make_shared<const Body>(model, tokenizer)) {}

NYSTROMFORMER_INLINE std::vector<FillMaskAnswer> FillMaskPipeline::operator()(
    std::string_view text, const FillMaskOptions& options) const {
    auto answers = each_mask(text, options);
    if (answers.size() > 1) {
        throw InputError({"", "", "one " + body_->mask + " (each_mask takes several)",
                          std::to_string(answers.size()) + " of them", 0});
    }
    return std::move(answers.front());
}
NYSTROMFORMER_INLINE std::vector<std::vector<FillMaskAnswer>> FillMaskPipeline::each_mask(
    std::string_view text, const FillMaskOptions& options) const {
    const std::string copy(text);
    return std::move(batch({&copy, 1}, options).front());
}
NYSTROMFORMER_INLINE std::vector<std::vector<std::vector<FillMaskAnswer>>> FillMaskPipeline::batch(
    std::span<const std::string> texts, const FillMaskOptions& options) const {
    return detail::answer_apart<std::vector<std::vector<FillMaskAnswer>>>(
        texts, options, [&](auto some, const auto& part) { return body_->batch(some, part); });
}
NYSTROMFORMER_INLINE void FillMaskPipeline::check(const FillMaskOptions& options) const {
    body_->check(options);
}
NYSTROMFORMER_INLINE std::vector<std::int64_t> FillMaskPipeline::target_ids(
    const std::vector<std::string>& targets) const {
    return body_->target_ids(targets);
}

NYSTROMFORMER_INLINE const NystromformerForMaskedLM<float>& FillMaskPipeline::model() const& {
    return body_->model;
}
NYSTROMFORMER_INLINE const Tokenizer& FillMaskPipeline::tokenizer() const& {
    return body_->tokenizer;
}

}  // namespace nystromformer::inline v0_2
