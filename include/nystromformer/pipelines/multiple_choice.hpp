// SPDX-License-Identifier: MIT
// MultipleChoicePipeline's body: a logit for each prompt with each of its choices.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/multiple_choice.hpp>
#include <nystromformer/pipelines/bad_inputs.hpp>
#include <nystromformer/pipelines/batches.hpp>
#include <nystromformer/pipelines/scores.hpp>
#include <nystromformer/pipelines/text_model.hpp>
#include <nystromformer/pipelines/windows.hpp>
#include <nystromformer/tokenizer.hpp>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

struct MultipleChoicePipeline::Body : detail::TextModel<NystromformerForMultipleChoice<float>> {
    using TextModel::TextModel;

    /// The same of several prompts, faster than one by one. InputError names the first bad one.
    std::vector<MultipleChoiceAnswer> batch(std::span<const MultipleChoiceInput> inputs,
                                            const MultipleChoiceOptions& options = {}) const {
        check(options);
        std::vector<std::size_t> first_pair{0};
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            if (inputs[i].choices.empty())
                throw InputError({"", "", "at least one choice", "none", i});
            first_pair.push_back(first_pair.back() + inputs[i].choices.size());
        }
        // (pairs, 1): which choices belong together does not matter before the softmax.
        const Matrix<float> logits = pair_logits(
            first_pair, 1, options.long_text, options.run,
            [&](std::size_t i, std::size_t choice, const LongText& long_text) {
                return encode_all(
                    {.text = inputs[i].prompt, .pair = inputs[i].choices[choice], .number = i},
                    long_text);
            });
        std::vector<MultipleChoiceAnswer> results;
        const std::span<const float> all(logits.data(), first_pair.back());
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            const MultipleChoiceInput& input = inputs[i];
            const auto scores = detail::softmax(all.subspan(first_pair[i], input.choices.size()));
            const std::size_t best = detail::argmax(scores);
            results.push_back({static_cast<Index>(best), input.choices[best],
                               std::vector<double>(scores.begin(), scores.end())});
        }
        return results;
    }

    /// InputError if options are out of range.
    void check(const MultipleChoiceOptions& options) const {
        detail::check_options(options.run, config());
        detail::check_long_text(options.long_text, max_length(), tokenizer);
    }
};

NYSTROMFORMER_INLINE MultipleChoicePipeline::MultipleChoicePipeline(
    const std::filesystem::path& folder, const LoadOptions& options)
    : body_(std::make_shared<const Body>(folder, options)) {}
NYSTROMFORMER_INLINE MultipleChoicePipeline::MultipleChoicePipeline(
    const NystromformerForMultipleChoice<float>& model, const Tokenizer& tokenizer)
    : body_(std::make_shared<const Body>(model, tokenizer)) {}

NYSTROMFORMER_INLINE MultipleChoiceAnswer
MultipleChoicePipeline::operator()(std::string_view prompt, std::vector<std::string> choices,
                                   const MultipleChoiceOptions& options) const {
    const MultipleChoiceInput input{std::string(prompt), std::move(choices)};
    return std::move(batch({&input, 1}, options).front());
}
NYSTROMFORMER_INLINE std::vector<MultipleChoiceAnswer> MultipleChoicePipeline::batch(
    std::span<const MultipleChoiceInput> inputs, const MultipleChoiceOptions& options) const {
    return detail::answer_apart<MultipleChoiceAnswer>(
        inputs, options, [&](auto some, const auto& part) { return body_->batch(some, part); });
}
NYSTROMFORMER_INLINE void MultipleChoicePipeline::check(
    const MultipleChoiceOptions& options) const {
    body_->check(options);
}

NYSTROMFORMER_INLINE const NystromformerForMultipleChoice<float>& MultipleChoicePipeline::model()
    const& {
    return body_->model;
}
NYSTROMFORMER_INLINE const Tokenizer& MultipleChoicePipeline::tokenizer() const& {
    return body_->tokenizer;
}

}  // namespace nystromformer::inline v0_2
