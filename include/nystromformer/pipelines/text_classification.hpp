// SPDX-License-Identifier: MIT
// TextClassificationPipeline: a text, or a pair of texts, in; labels with scores out.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/classification.hpp>
#include <nystromformer/pipelines/pipeline.hpp>
#include <nystromformer/pipelines/scores.hpp>
#include <nystromformer/pipelines/windows.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
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

/// One label for a text, with Hugging Face's names.
struct ClassificationAnswer {
    std::string label;  ///< of the config's id2label
    double score;
};

/// What makes scores of logits.
enum class ClassificationFunction { none, sigmoid, softmax };

/// The function that Hugging Face calls so, or nothing ("default" too).
inline std::optional<ClassificationFunction> classification_function_named(std::string_view name) {
    if (name == "none") return ClassificationFunction::none;
    if (name == "sigmoid") return ClassificationFunction::sigmoid;
    if (name == "softmax") return ClassificationFunction::softmax;
    return std::nullopt;
}

struct TextClassificationOptions {
    std::optional<Index> top_k = 1;  ///< the best labels; nothing: all
    /// Nothing: none for problem_type regression, else sigmoid for a single label or problem_type
    /// multi_label_classification, else softmax.
    std::optional<ClassificationFunction> function_to_apply = std::nullopt;
    bool truncation = false;  ///< cut a text that is too long for the model instead of refusing it
    /// Or read it in windows that share so many tokens (of a pair the longer text, each time beside
    /// the whole of the other). The text's scores are the means of its windows' scores, each of
    /// which weighs as much as it has tokens, special ones not counted. Windows are of the
    /// tokenizer's model_max_length, or of what the model takes, where that is less.
    std::optional<Index> stride = std::nullopt;
    Attention attention = Attention::config;  ///< this and the rest as in PipelineOptions
    Index num_landmarks = 0;
    Index batch_tokens = 4096;
    std::function<void(Index done, Index total)> progress = {};
    std::function<void(const Cut&)> cut = {};
};

/// A text, or two texts that the model judges together (premise and hypothesis, say).
struct ClassificationInput {
    std::string text;
    std::optional<std::string> text_pair = std::nullopt;
};

/// Hugging Face's pipeline("text-classification"). Every text is computed alone, without padding:
/// its answer is the same bit for bit in any batch and on any number of threads. Const and safe to
/// share between threads. Source: transformers/pipelines/text_classification.py
class TextClassificationPipeline {
public:
    /// Loads model and tokenizer of a Hugging Face folder; throws what those throw.
    explicit TextClassificationPipeline(const std::filesystem::path& folder,
                                        const LoadOptions& options = {})
        : model_(NystromformerForSequenceClassification<float>::from_pretrained(folder, options)),
          tokenizer_(Tokenizer::from_pretrained(folder, false, options.files)) {}

    /// The labels of a text, best first. InputError where the text is too long.
    std::vector<ClassificationAnswer> operator()(
        std::string_view text, const TextClassificationOptions& options = {}) const {
        const ClassificationInput input{std::string(text)};
        return std::move(batch({&input, 1}, options).front());
    }
    /// The same of a pair.
    std::vector<ClassificationAnswer> operator()(
        std::string_view text, std::string_view text_pair,
        const TextClassificationOptions& options = {}) const {
        const ClassificationInput input{std::string(text), std::string(text_pair)};
        return std::move(batch({&input, 1}, options).front());
    }

    /// The labels of each of several inputs, faster than one by one. InputError names the first
    /// bad one.
    std::vector<std::vector<ClassificationAnswer>> batch(
        std::span<const ClassificationInput> inputs,
        const TextClassificationOptions& options = {}) const {
        check(options);
        const PipelineOptions shared = detail::pipeline_options(options);
        detail::Windows windows;
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            windows.add({.text = inputs[i].text, .pair = inputs[i].text_pair, .number = i},
                        tokenizer_, model_.config(), options.truncation, options.stride, shared);
        }
        Matrix<float> scores =
            detail::sequence_logits(model_, model_.config().num_labels, windows.encodings, shared);
        for (Index row = 0; row < scores.rows(); ++row) {
            const std::vector<float> of_row = scores_of(detail::row_of(scores, row), options);
            std::copy(of_row.begin(), of_row.end(), scores.row(row).begin());
        }
        scores = windows.means(scores);  // (inputs, labels)
        std::vector<std::vector<ClassificationAnswer>> results;
        for (Index row = 0; row < scores.rows(); ++row)
            results.push_back(best(detail::row_of(scores, row), options));
        return results;
    }

    /// InputError where options are out of range.
    void check(const TextClassificationOptions& options) const {
        detail::check_options(detail::pipeline_options(options));
        detail::check_stride(options.stride, options.truncation,
                             detail::longest_input(tokenizer_, model_.config()));
        if (options.top_k.value_or(0) < 0) {
            throw InputError({"", "top_k", "0 or more", std::to_string(*options.top_k)});
        }
    }

    const NystromformerForSequenceClassification<float>& model() const { return model_; }
    const Tokenizer& tokenizer() const { return tokenizer_; }

private:
    ClassificationFunction default_function() const {
        const NystromformerConfig& config = model_.config();
        if (config.problem_type == "regression") return ClassificationFunction::none;
        return config.problem_type == "multi_label_classification" || config.num_labels == 1
                   ? ClassificationFunction::sigmoid
                   : ClassificationFunction::softmax;
    }

    std::vector<float> scores_of(std::span<const float> logits,
                                 const TextClassificationOptions& options) const {
        switch (options.function_to_apply.value_or(default_function())) {
            case ClassificationFunction::sigmoid:
                return detail::sigmoid(logits);
            case ClassificationFunction::softmax:
                return detail::softmax(logits);
            case ClassificationFunction::none:
                break;
        }
        return {logits.begin(), logits.end()};
    }

    std::vector<ClassificationAnswer> best(std::span<const float> scores,
                                           const TextClassificationOptions& options) const {
        std::vector<ClassificationAnswer> answers;
        for (const float score : scores) {
            answers.push_back(
                {model_.config().id2label.at(static_cast<Index>(answers.size())), score});
        }
        std::stable_sort(answers.begin(), answers.end(),
                         [](const auto& a, const auto& b) { return a.score > b.score; });
        const auto count = std::min(static_cast<Index>(answers.size()),
                                    options.top_k.value_or(static_cast<Index>(answers.size())));
        answers.resize(static_cast<std::size_t>(count));
        return answers;
    }

    NystromformerForSequenceClassification<float> model_;
    Tokenizer tokenizer_;
};

}  // namespace nystromformer
