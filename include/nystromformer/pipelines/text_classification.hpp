// SPDX-License-Identifier: MIT
// TextClassificationPipeline's body: scores of windows, and the best labels.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/names.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/pipelines/bad_inputs.hpp>
#include <nystromformer/pipelines/batches.hpp>
#include <nystromformer/pipelines/scores.hpp>
#include <nystromformer/pipelines/text_model.hpp>
#include <nystromformer/pipelines/windows.hpp>
#include <nystromformer/text_classification.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
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

struct TextClassificationPipeline::Body
    : detail::TextModel<NystromformerForSequenceClassification<float>> {
    using TextModel::TextModel;

    /// The labels of each of several inputs, faster than one by one. InputError names the first
    /// bad one.
    std::vector<std::vector<ClassificationAnswer>> batch(
        std::span<const ClassificationInput> inputs,
        const TextClassificationOptions& options = {}) const {
        check(options);
        detail::Windows windows;
        detail::for_each_text(inputs.size(), options.run, [&](std::size_t i) {
            windows.add(
                encode_all({.text = inputs[i].text, .pair = pair_of(inputs[i]), .number = i},
                           options.long_text));
        });
        Matrix<float> scores = sequence_logits(config().num_labels, windows.encodings, options.run);
        for (Index row = 0; row < scores.rows(); ++row) {
            const std::vector<float> of_row = scores_of(row_of(scores, row), options);
            std::copy(of_row.begin(), of_row.end(), scores.row(row).begin());
        }
        scores = windows.means(scores);  // (inputs, labels)
        std::vector<std::vector<ClassificationAnswer>> results;
        for (Index row = 0; row < scores.rows(); ++row)
            results.push_back(best(row_of(scores, row), options));
        return results;
    }

    /// InputError if options are out of range.
    void check(const TextClassificationOptions& options) const {
        detail::check_options(options.run, config());
        detail::check_long_text(options.long_text, max_length(), tokenizer);
        if (options.top_k.value_or(0) < 0) {
            throw InputError({"", "top_k", "0 or more", std::to_string(*options.top_k)});
        }
    }

    /// To transformers an empty second text is none.
    /// Source: transformers/tokenization_utils_tokenizers.py, _encode_plus
    static std::optional<std::string_view> pair_of(const ClassificationInput& input) {
        if (!input.text_pair || input.text_pair->empty()) return std::nullopt;
        return *input.text_pair;
    }

    ClassificationFunction default_function() const {
        if (config().problem_type == "regression") return ClassificationFunction::none;
        return config().problem_type == "multi_label_classification" || config().num_labels == 1
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
            answers.push_back({config().id2label.at(static_cast<Index>(answers.size())),
                               static_cast<double>(score)});
        }
        std::stable_sort(answers.begin(), answers.end(),
                         [](const auto& a, const auto& b) { return a.score > b.score; });
        const auto count = std::min(static_cast<Index>(answers.size()),
                                    options.top_k.value_or(static_cast<Index>(answers.size())));
        answers.resize(static_cast<std::size_t>(count));
        return answers;
    }
};

NYSTROMFORMER_INLINE TextClassificationPipeline::TextClassificationPipeline(
    const std::filesystem::path& folder, const LoadOptions& options)
    : body_(std::make_shared<const Body>(folder, options)) {}
NYSTROMFORMER_INLINE TextClassificationPipeline::TextClassificationPipeline(
    const NystromformerForSequenceClassification<float>& model, const Tokenizer& tokenizer)
    : body_(std::make_shared<const Body>(model, tokenizer)) {}

NYSTROMFORMER_INLINE std::vector<ClassificationAnswer> TextClassificationPipeline::operator()(
    std::string_view text, const TextClassificationOptions& options) const {
    const ClassificationInput input{std::string(text)};
    return std::move(batch({&input, 1}, options).front());
}
NYSTROMFORMER_INLINE std::vector<ClassificationAnswer> TextClassificationPipeline::pair(
    std::string_view text, std::string_view text_pair,
    const TextClassificationOptions& options) const {
    const ClassificationInput input{std::string(text), std::string(text_pair)};
    return std::move(batch({&input, 1}, options).front());
}
NYSTROMFORMER_INLINE std::vector<std::vector<ClassificationAnswer>>
TextClassificationPipeline::batch(std::span<const ClassificationInput> inputs,
                                  const TextClassificationOptions& options) const {
    return detail::answer_apart<std::vector<ClassificationAnswer>>(
        inputs, options, [&](auto some, const auto& part) { return body_->batch(some, part); });
}
NYSTROMFORMER_INLINE void TextClassificationPipeline::check(
    const TextClassificationOptions& options) const {
    body_->check(options);
}
NYSTROMFORMER_INLINE std::optional<ClassificationFunction> classification_function_named(
    std::string_view name) {
    return detail::enum_names<ClassificationFunction>("none", "sigmoid", "softmax").find(name);
}

NYSTROMFORMER_INLINE const NystromformerForSequenceClassification<float>&
TextClassificationPipeline::model() const& {
    return body_->model;
}
NYSTROMFORMER_INLINE const Tokenizer& TextClassificationPipeline::tokenizer() const& {
    return body_->tokenizer;
}

}  // namespace nystromformer::inline v0_2
