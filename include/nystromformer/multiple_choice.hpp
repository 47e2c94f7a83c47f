// SPDX-License-Identifier: MIT
// MultipleChoicePipeline: a prompt and its possible continuations in; the best, and scores, out.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/shared.hpp>
#include <nystromformer/model/forward.hpp>
#include <nystromformer/options.hpp>

#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2 {

class Tokenizer;

struct MultipleChoiceAnswer {
    Index choice;                ///< the likeliest choice, from 0
    std::string text;            ///< its text
    std::vector<double> scores;  ///< softmax over the choices, in their order
};

struct MultipleChoiceOptions {
    /// Truncation cuts the longer text of a pair first. With a stride, the longer text is split,
    /// and each window goes with the whole other text. A choice's logit is the mean over its
    /// windows, each weighted by its number of tokens without special ones. Windows are as long as
    /// for text classification.
    LongText long_text = LongText();
    RunOptions run = RunOptions();
};

struct MultipleChoiceInput {
    std::string prompt;
    std::vector<std::string> choices;
};

/// Prompt and choices as Hugging Face's examples give them to ...ForMultipleChoice (which has no
/// pipeline there): the prompt with each choice as a pair of texts. Every pair is computed alone,
/// without padding: its score is the same bit for bit in any batch and on any number of threads.
/// Immutable, cheap to copy, safe to share between threads.
class MultipleChoicePipeline {
public:
    /// Loads model and tokenizer of a Hugging Face folder; throws what those throw.
    explicit MultipleChoicePipeline(const std::filesystem::path& folder,
                                    const LoadOptions& options = {});
    /// From a loaded model and tokenizer, which the pipeline shares.
    MultipleChoicePipeline(const NystromformerForMultipleChoice<float>& model,
                           const Tokenizer& tokenizer);

    /// The scores of the choices, and the best choice. InputError if there is no choice;
    /// LengthError if a pair is too long.
    [[nodiscard]] MultipleChoiceAnswer operator()(std::string_view prompt,
                                                  std::vector<std::string> choices,
                                                  const MultipleChoiceOptions& options = {}) const;
    MultipleChoiceAnswer operator()(std::string_view, detail::TextsInTwoBraces,
                                    const MultipleChoiceOptions& = {}) const = delete;
    /// The same for several prompts, faster than one by one. InputError names the first bad prompt.
    [[nodiscard]] std::vector<MultipleChoiceAnswer> batch(
        std::span<const MultipleChoiceInput> inputs,
        const MultipleChoiceOptions& options = {}) const;
    [[nodiscard]] std::vector<MultipleChoiceAnswer> batch(
        std::initializer_list<MultipleChoiceInput> inputs,
        const MultipleChoiceOptions& options = {}) const {
        return batch(std::span<const MultipleChoiceInput>(inputs.begin(), inputs.size()), options);
    }

    /// InputError for options that are out of range.
    void check(const MultipleChoiceOptions& options) const;

    /// To use them, include <nystromformer/models.hpp> and <nystromformer/tokenizer.hpp>.
    const NystromformerForMultipleChoice<float>& model() const&;
    const NystromformerForMultipleChoice<float>& model() const&& = delete;
    const Tokenizer& tokenizer() const&;
    const Tokenizer& tokenizer() const&& = delete;

private:
    struct Body;
    detail::Shared<Body> body_;
};

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/pipelines/multiple_choice.hpp>
#endif
