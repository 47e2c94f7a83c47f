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
        std::vector<std::size_t> first_pair{0};
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            if (inputs[i].choices.empty())
                throw InputError({"", "", "at least one choice", "none", i});
            first_pair.push_back(first_pair.back() + inputs[i].choices.size());
        }
        // (pairs, 1): which choices belong together does not matter before the softmax.
        const Matrix<float> logits = pair_logits(inputs, first_pair, options);
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

    /// InputError where options are out of range.
    void check(const MultipleChoiceOptions& options) const {
        detail::check_options(detail::pipeline_options(options));
        detail::check_stride(options.stride, options.truncation,
                             detail::longest_input(tokenizer_, model_.config()));
    }

    const NystromformerForMultipleChoice<float>& model() const { return model_; }
    const Tokenizer& tokenizer() const { return tokenizer_; }

private:
    /// A logit for each prompt with each of its choices; those of input i start at first_pair[i].
    Matrix<float> pair_logits(std::span<const MultipleChoiceInput> inputs,
                              const std::vector<std::size_t>& first_pair,
                              const MultipleChoiceOptions& options) const {
        std::size_t number = 0;  // of the input that the last pair was of
        PipelineOptions shared = detail::pipeline_options(options);
        shared.cut = detail::told_once_each(options.cut);
        const auto encode = [&](std::size_t pair, detail::Windows& windows,
                                const PipelineOptions& of_pair) {
            number = detail::group_of(first_pair, pair, number);
            const MultipleChoiceInput& input = inputs[number];
            windows.add({.text = input.prompt,
                         .pair = input.choices[pair - first_pair[number]],
                         .number = number},
                        tokenizer_, model_.config(), options.truncation, options.stride, of_pair);
        };
        return detail::means_in_parts(first_pair.back(), 1, shared, encode,
                                      [&](const auto& encodings, const PipelineOptions& of_part) {
                                          return detail::sequence_logits(model_, 1, encodings,
                                                                         of_part);
                                      });
    }

    NystromformerForMultipleChoice<float> model_;
    Tokenizer tokenizer_;
};

}  // namespace nystromformer
