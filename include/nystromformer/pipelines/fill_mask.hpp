// SPDX-License-Identifier: MIT
// FillMaskPipeline: a text with mask tokens in, the likeliest tokens for each out.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/masked_lm.hpp>
#include <nystromformer/pipelines/mask_windows.hpp>
#include <nystromformer/pipelines/pipeline.hpp>
#include <nystromformer/pipelines/windows.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer {

/// One token for a mask, with Hugging Face's names.
struct FillMaskAnswer {
    double score;           ///< its probability over the whole vocabulary, targets or not
    std::int64_t token;     ///< its id
    std::string token_str;  ///< its text
    std::string sequence;   ///< the decoded text with it in the mask's place
};

struct FillMaskOptions {
    Index top_k = 5;                        ///< answers for each mask
    std::vector<std::string> targets = {};  ///< score only these; see FillMaskPipeline::target_ids
    bool truncation = false;  ///< cut a text that is too long for the model instead of refusing it
    /// Or read it in windows that share so many tokens; each mask is answered in the window that
    /// shows most of the text on both its sides.
    std::optional<Index> stride = std::nullopt;
    Attention attention = Attention::config;  ///< this and the rest as in PipelineOptions
    Index num_landmarks = 0;
    Index batch_tokens = 4096;
    std::function<void(Index done, Index total)> progress = {};
    std::function<void(const Cut&)> cut = {};
};

/// Hugging Face's pipeline("fill-mask"). Every text is computed alone, without padding: its answer
/// is the same bit for bit in any batch and on any number of threads. Const and safe to share
/// between threads. Source: transformers/pipelines/fill_mask.py
class FillMaskPipeline {
public:
    /// Loads model and tokenizer of a Hugging Face folder. Besides what those throw: TokenizerError
    /// where the tokenizer defines no mask token.
    explicit FillMaskPipeline(const std::filesystem::path& folder, const LoadOptions& options = {})
        : model_(NystromformerForMaskedLM<float>::from_pretrained(folder, options)),
          tokenizer_(Tokenizer::from_pretrained(folder, false, options.files)) {
        const auto mask = tokenizer_.mask_token();
        const auto mask_id = mask ? tokenizer_.token_to_id(*mask) : std::nullopt;
        if (!mask_id)
            throw TokenizerError(
                {folder.string(), "mask_token", "a token of the vocabulary", "nothing"});
        mask_ = *mask;
        mask_id_ = *mask_id;
        if (const auto pad = tokenizer_.pad_token()) pad_id_ = tokenizer_.token_to_id(*pad);
    }

    /// The answers for a text with exactly one mask, best first. InputError where it has none or
    /// several, where the text is too long, and for options that `check` refuses.
    std::vector<FillMaskAnswer> operator()(std::string_view text,
                                           const FillMaskOptions& options = {}) const {
        auto answers = each_mask(text, options);
        if (answers.size() > 1) {
            throw InputError({"", "text", "one " + mask_ + " (each_mask takes several)",
                              std::to_string(answers.size()) + " of them"});
        }
        return std::move(answers.front());
    }

    /// For each mask of a text, in order, the answers, each mask on its own with the others left
    /// masked.
    std::vector<std::vector<FillMaskAnswer>> each_mask(std::string_view text,
                                                       const FillMaskOptions& options = {}) const {
        const std::string copy(text);
        return std::move(batch({&copy, 1}, options).front());
    }

    /// `each_mask` of several texts, faster than one by one. InputError names the first bad text.
    std::vector<std::vector<std::vector<FillMaskAnswer>>> batch(
        std::span<const std::string> texts, const FillMaskOptions& options = {}) const {
        check(options);
        const std::vector<std::int64_t> targets = target_ids(options.targets);
        detail::MaskedTexts masked;
        std::vector<std::vector<std::vector<FillMaskAnswer>>> results;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            add({.text = texts[i], .number = i}, options, masked);
            check_answers(masked, i,
                          targets.empty()
                              ? options.top_k
                              : std::min(options.top_k, static_cast<Index>(targets.size())));
            results.emplace_back(masked.num_masks[i]);
        }
        detail::for_each_batch(masked.windows, detail::pipeline_options(options),
                               [&](std::span<const std::size_t> batch) {
                                   answer(masked, batch, targets, options, results);
                               });
        return results;
    }

    /// InputError where options cannot be met by this model, whatever the text.
    void check(const FillMaskOptions& options) const {
        detail::check_options(detail::pipeline_options(options));
        const Index most = options.targets.empty() ? model_.config().vocab_size
                                                   : std::numeric_limits<Index>::max();
        if (options.top_k < 0 || options.top_k > most) {
            throw InputError(
                {"", "top_k", "0 to " + std::to_string(most), std::to_string(options.top_k)});
        }
        detail::check_stride(options.stride, options.truncation,
                             model_.config().max_position_embeddings);
        target_ids(options.targets);
    }

    /// The ids of targets, ascending, each once. A target that is a token as it is spelled counts
    /// as that token; any other is tokenised, without special tokens, and its first token counts;
    /// one that gives no token is passed over. Empty for no targets; InputError where there are
    /// some and all are passed over.
    std::vector<std::int64_t> target_ids(const std::vector<std::string>& targets) const {
        std::vector<std::int64_t> ids;
        for (const std::string& target : targets) {
            auto id = tokenizer_.token_to_id(target);
            if (!id) {
                const Encoding encoding = tokenizer_.encode(target, detail::encode_options(false));
                if (!encoding.ids.empty()) id = encoding.ids.front();
            }
            if (!id) continue;
            if (*id >= model_.config().vocab_size) {
                throw InputError({"", "targets",
                                  "tokens below the model's vocab_size " +
                                      std::to_string(model_.config().vocab_size),
                                  std::to_string(*id)});
            }
            ids.push_back(*id);
        }
        std::sort(ids.begin(), ids.end());
        ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
        if (ids.empty() && !targets.empty()) {
            throw InputError({"", "targets", "at least one that the tokenizer knows", "none"});
        }
        return ids;
    }

    const NystromformerForMaskedLM<float>& model() const { return model_; }
    const Tokenizer& tokenizer() const { return tokenizer_; }

private:
    /// Encodes a text, in windows where it is too long and options.stride asks for them.
    void add(const detail::TextInput& input, const FillMaskOptions& options,
             detail::MaskedTexts& masked) const {
        const PipelineOptions shared = detail::pipeline_options(options);
        const NystromformerConfig& config = model_.config();
        Encoding whole = options.stride ? input.encode(tokenizer_, detail::encode_options())
                                        : detail::encode_input(input, tokenizer_, config,
                                                               options.truncation, shared);
        if (std::count(whole.ids.begin(), whole.ids.end(), mask_id_) == 0)
            throw InputError({"", "", "a " + mask_, "none", input.number});
        std::vector<Encoding> windows{whole};
        if (options.stride) {
            // From the start of the text, whichever side truncation would cut.
            windows = detail::windows_of(whole, input, tokenizer_, config.max_position_embeddings,
                                         *options.stride, shared, Direction::right);
            for (const Encoding& window : windows) detail::check_encoding(window, input, config);
        }
        masked.add(whole, std::move(windows), options.stride.value_or(0), mask_id_);
    }

    /// InputError where the answers for a text's masks, each with a copy of the text, would take
    /// more than max_answer_bytes.
    void check_answers(const detail::MaskedTexts& masked, std::size_t number,
                       Index answers_of_mask) const {
        constexpr double longest_piece = 4096;
        const std::vector<std::int64_t>& ids = masked.ids[number];
        const std::size_t masks = masked.num_masks[number];
        const auto answers = static_cast<double>(masks) * static_cast<double>(answers_of_mask);
        // Mostly the text need not be decoded to see it.
        if (answers * static_cast<double>(ids.size()) * longest_piece <= max_answer_bytes) return;
        const std::string text = tokenizer_.decode(ids, {.skip_special_tokens = false});
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
        model_.for_each_logits(
            input, mask_rows,
            detail::forward_options(detail::pipeline_options(options), model_.config()),
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
        std::vector<std::int64_t> tokens = targets;
        if (tokens.empty()) {
            tokens.resize(static_cast<std::size_t>(logits.size()));
            std::iota(tokens.begin(), tokens.end(), std::int64_t{0});
        }
        const auto count = std::min(tokens.size(), static_cast<std::size_t>(top_k));
        const auto last = tokens.begin() + static_cast<std::ptrdiff_t>(count);
        std::partial_sort(tokens.begin(), last, tokens.end(), [&](std::int64_t a, std::int64_t b) {
            return logits(a) != logits(b) ? logits(a) > logits(b) : a < b;
        });
        const double largest = static_cast<double>(logits.maxCoeff());
        const double total = (logits.template cast<double>().array() - largest).exp().sum();
        std::vector<FillMaskAnswer> answers;
        for (auto token = tokens.begin(); token != last; ++token) {
            answers.push_back(
                {std::exp(static_cast<double>(logits(*token)) - largest) / total, *token,
                 tokenizer_.decode(std::span(&*token, 1), {.skip_special_tokens = false}),
                 filled(text, position, *token, single)});
        }
        return answers;
    }

    /// The text with `token` at `position`. Other masks stay visible, and padding tokens are left
    /// out.
    std::string filled(std::vector<std::int64_t> text, std::size_t position, std::int64_t token,
                       bool single) const {
        text[position] = token;
        if (pad_id_) std::erase(text, *pad_id_);
        return tokenizer_.decode(text, {.skip_special_tokens = single});
    }

    static constexpr Index max_answer_bytes = Index{1} << 28;  // of one text

    NystromformerForMaskedLM<float> model_;
    Tokenizer tokenizer_;
    std::string mask_;
    std::int64_t mask_id_ = 0;
    std::optional<std::int64_t> pad_id_;
};

}  // namespace nystromformer
