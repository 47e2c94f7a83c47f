// SPDX-License-Identifier: MIT
// MultipleChoicePipeline: a prompt and what may follow it in; which of them, with scores, out.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/classification.hpp>
#include <nystromformer/pipelines/pipeline.hpp>
#include <nystromformer/pipelines/scores.hpp>
#include <nystromformer/pipelines/windows.hpp>
#include <nystromformer/tokenizer.hpp>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer {

struct MultipleChoiceAnswer {
    Index choice;                ///< the likeliest choice, from 0
    std::string text;            ///< its text
    std::vector<double> scores;  ///< softmax over the choices, in their order
};

struct MultipleChoiceOptions {
    bool truncation = false;  ///< cut pairs that are too long for the model, the longer text first
    /// Or read them in windows of the longer text that share so many tokens, each beside the whole
    /// of the other. A choice's logit is the mean over its windows, each of which weighs as much as
    /// it has tokens, special ones not counted. Windows are as long as for text classification.
    std::optional<Index> stride = std::nullopt;
    Attention attention = Attention::config;  ///< this and the rest as in PipelineOptions
    Index num_landmarks = 0;
    Index batch_tokens = 4096;
    std::function<void(Index done, Index total)> progress = {};
    std::function<void(const Cut&)> cut = {};
};

struct MultipleChoiceInput {
    std::string prompt;
    std::vector<std::string> choices;
};

/// Prompt and choices as Hugging Face's examples give them to ...ForMultipleChoice (which has no
/// pipeline there): the prompt with each choice as a pair of texts. Every pair is computed alone,
/// without padding: its score is the same bit for bit in any batch and on any number of threads.
/// Const and safe to share between threads.
class MultipleChoicePipeline {
public:
    /// Loads model and tokenizer of a Hugging Face folder; throws what those throw.
    explicit MultipleChoicePipeline(const std::filesystem::path& folder,
                                    const LoadOptions& options = {})
        : model_(NystromformerForMultipleChoice<float>::from_pretrained(folder, options)),
          tokenizer_(Tokenizer::from_pretrained(folder, false, options.files)) {}

    /// InputError where there is no choice, and where a pair is too long.
    MultipleChoiceAnswer operator()(std::string_view prompt, std::vector<std::string> choices,
                                    const MultipleChoiceOptions& options = {}) const {
        const MultipleChoiceInput input{std::string(prompt), std::move(choices)};
        return std::move(batch({&input, 1}, options).front());
    }

    /// The same of several prompts, faster than one by one. InputError names the first bad one.
    std::vector<MultipleChoiceAnswer> batch(std::span<const MultipleChoiceInput> inputs,
                                            const MultipleChoiceOptions& options = {}) const {
        check(options);
        const PipelineOptions shared = detail::pipeline_options(options);
        detail::Windows windows;  // of each prompt with each of its choices
        for (std::size_t i = 0; i < inputs.size(); ++i) encode(inputs[i], i, options, windows);
        // (pairs, 1): which choices belong together does not matter before the softmax.
        const Matrix<float> logits =
            windows.means(detail::sequence_logits(model_, 1, windows.encodings, shared));
        std::vector<MultipleChoiceAnswer> results;
        std::size_t first = 0;
        for (const MultipleChoiceInput& input : inputs) {
            const std::span<const float> all(logits.data(), windows.first.size() - 1);
            const auto scores = detail::softmax(all.subspan(first, input.choices.size()));
            const std::size_t best = detail::argmax(scores);
            results.push_back({static_cast<Index>(best), input.choices[best],
                               std::vector<double>(scores.begin(), scores.end())});
            first += input.choices.size();
        }
        return results;
    }

    /// InputError where options are out of range.
    void check(const MultipleChoiceOptions& options) const {
        detail::check_options(detail::pipeline_options(options));
        detail::check_stride(options.stride, options.truncation,
                             detail::longest_input(tokenizer_, model_.config()));
    }

    const NystromformerForMultipleChoice<float>& model() const { return model_; }
    const Tokenizer& tokenizer() const { return tokenizer_; }

private:
    void encode(const MultipleChoiceInput& input, std::size_t number,
                const MultipleChoiceOptions& options, detail::Windows& windows) const {
        if (input.choices.empty()) {
            throw InputError({"", "", "at least one choice", "none", number});
        }
        PipelineOptions shared = detail::pipeline_options(options);
        shared.cut = detail::told_once(options.cut);
        for (const std::string& choice : input.choices) {
            windows.add({.text = input.prompt, .pair = choice, .number = number}, tokenizer_,
                        model_.config(), options.truncation, options.stride, shared);
        }
    }

    NystromformerForMultipleChoice<float> model_;
    Tokenizer tokenizer_;
};

}  // namespace nystromformer
