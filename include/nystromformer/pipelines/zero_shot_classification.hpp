// SPDX-License-Identifier: MIT
// ZeroShotClassificationPipeline: a text and labels of the caller's own in, a score for each out.
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
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer {

/// A text and its labels with their scores, best first, with Hugging Face's names.
struct ZeroShotAnswer {
    std::string sequence;
    std::vector<std::string> labels;
    std::vector<double> scores;
};

struct ZeroShotOptions {
    /// What the model is asked of each label, which stands for the {}.
    std::string hypothesis_template = "This example is {}.";
    /// Every label on its own, entailment against contradiction; else the scores add up to 1.
    bool multi_label = false;
    bool truncation = false;  ///< cut a text that is too long for the model instead of refusing it
    /// Or read it in windows that share so many tokens, each beside the whole hypothesis. A label's
    /// logits are the means over the windows, each of which weighs as much as it has tokens,
    /// special ones not counted; its scores come from those. Windows are as long as for text
    /// classification.
    std::optional<Index> stride = std::nullopt;
    Attention attention = Attention::config;  ///< this and the rest as in PipelineOptions
    Index num_landmarks = 0;
    Index batch_tokens = 4096;
    std::function<void(Index done, Index total)> progress = {};
    std::function<void(const Cut&)> cut = {};
};

struct ZeroShotInput {
    std::string sequence;
    std::vector<std::string> candidate_labels;
};

namespace detail {

/// The hypothesis for a label: {} or {0} in `pattern` is the label, {{ and }} are braces, as in
/// Python's format. InputError for what that refuses, and for formats of its own ({:>9}).
inline std::string hypothesis(std::string_view pattern, std::string_view label) {
    const auto fail = [&](const char* found) {
        throw InputError({"", "hypothesis_template", "{} where the label goes",
                          in_quotes(pattern) + " with " + found});
    };
    std::string text;
    std::size_t counted = 0, numbered = 0;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const std::string_view rest = pattern.substr(i);
        if (rest.substr(0, 2) == "{{" || rest.substr(0, 2) == "}}") {
            text += rest[0];
            ++i;
        } else if (rest.substr(0, 2) == "{}") {
            text += label;
            ++counted;
            i += 1;
        } else if (rest.substr(0, 3) == "{0}") {
            text += label;
            ++numbered;
            i += 2;
        } else if (rest[0] == '{' || rest[0] == '}') {
            fail("a brace that stands for nothing else");
        } else {
            text += rest[0];
        }
    }
    if (counted > 1 || (counted > 0 && numbered > 0)) fail("several of them");
    if (text == pattern) fail("nothing that a label changes");
    return text;
}

}  // namespace detail

/// Hugging Face's pipeline("zero-shot-classification"), for models of natural language inference:
/// a label's score comes from the logit that the text entails its hypothesis. Every text is
/// computed alone, without padding. Const and safe to share between threads.
/// Source: transformers/pipelines/zero_shot_classification.py
class ZeroShotClassificationPipeline {
public:
    /// Loads model and tokenizer of a Hugging Face folder; throws what those throw.
    explicit ZeroShotClassificationPipeline(const std::filesystem::path& folder,
                                            const LoadOptions& options = {})
        : model_(NystromformerForSequenceClassification<float>::from_pretrained(folder, options)),
          tokenizer_(Tokenizer::from_pretrained(folder, false, options.files)) {}

    /// The labels of a text, best first. InputError where there is none, where the text is too
    /// long, and for a hypothesis_template without {}.
    ZeroShotAnswer operator()(std::string_view sequence, std::vector<std::string> candidate_labels,
                              const ZeroShotOptions& options = {}) const {
        const ZeroShotInput input{std::string(sequence), std::move(candidate_labels)};
        return std::move(batch({&input, 1}, options).front());
    }

    /// The same of several texts, faster than one by one. InputError names the first bad one.
    std::vector<ZeroShotAnswer> batch(std::span<const ZeroShotInput> inputs,
                                      const ZeroShotOptions& options = {}) const {
        check(options);
        std::vector<std::size_t> first_pair{0};
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            if (inputs[i].sequence.empty()) throw InputError({"", "", "a text", "an empty one", i});
            if (inputs[i].candidate_labels.empty())
                throw InputError({"", "", "at least one candidate label", "none", i});
            first_pair.push_back(first_pair.back() + inputs[i].candidate_labels.size());
        }
        const Matrix<float> logits = pair_logits(inputs, first_pair, options);
        std::vector<ZeroShotAnswer> results;
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            const auto row = static_cast<Index>(first_pair[i]);
            const auto count = static_cast<Index>(inputs[i].candidate_labels.size());
            results.push_back(answer(inputs[i], logits.middleRows(row, count), options));
        }
        return results;
    }

    /// InputError where options are out of range.
    void check(const ZeroShotOptions& options) const {
        detail::check_options(detail::pipeline_options(options));
        detail::check_stride(options.stride, options.truncation,
                             detail::longest_input(tokenizer_, model_.config()));
        detail::hypothesis(options.hypothesis_template, "a label");
    }

    /// The first label of label2id whose name starts with "entail" in any case. Nothing where
    /// there is none: the last label then counts as entailment, as in Hugging Face.
    std::optional<Index> entailment_id() const {
        for (const auto& [label, id] : model_.config().label2id) {
            std::string start = label.substr(0, 6);
            for (char& letter : start)
                if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
            if (start == "entail") return id;
        }
        return std::nullopt;
    }

    const NystromformerForSequenceClassification<float>& model() const { return model_; }
    const Tokenizer& tokenizer() const { return tokenizer_; }

private:
    /// The logits of each text with each of its labels; those of input i start at first_pair[i].
    Matrix<float> pair_logits(std::span<const ZeroShotInput> inputs,
                              const std::vector<std::size_t>& first_pair,
                              const ZeroShotOptions& options) const {
        std::size_t number = 0;  // of the input that the last pair was of
        PipelineOptions shared = detail::pipeline_options(options);
        shared.cut = detail::told_once_each(options.cut);
        const auto encode = [&](std::size_t pair, detail::Windows& windows,
                                const PipelineOptions& of_pair) {
            number = detail::group_of(first_pair, pair, number);
            const ZeroShotInput& input = inputs[number];
            const std::string& label = input.candidate_labels[pair - first_pair[number]];
            const std::string hypothesis = detail::hypothesis(options.hypothesis_template, label);
            windows.add({.text = input.sequence,
                         .pair = hypothesis,
                         .number = number,
                         .strategy = TruncationStrategy::only_first},
                        tokenizer_, model_.config(), options.truncation, options.stride, of_pair);
        };
        const Index num_labels = model_.config().num_labels;
        return detail::means_in_parts(first_pair.back(), num_labels, shared, encode,
                                      [&](const auto& encodings, const PipelineOptions& of_part) {
                                          return detail::sequence_logits(model_, num_labels,
                                                                         encodings, of_part);
                                      });
    }

    /// `logits` (labels, num_labels): a row for each candidate label.
    template <typename Logits>
    ZeroShotAnswer answer(const ZeroShotInput& input, const Logits& logits,
                          const ZeroShotOptions& options) const {
        const Index last = logits.cols() - 1, entailment = entailment_id().value_or(last);
        const Index contradiction = entailment == 0 && entailment_id() ? last : 0;
        const auto count = input.candidate_labels.size();
        std::vector<float> scores;
        if (options.multi_label || count == 1) {
            for (Index row = 0; row < logits.rows(); ++row) {
                const float pair[] = {logits(row, contradiction), logits(row, entailment)};
                scores.push_back(detail::softmax(pair)[1]);
            }
        } else {
            const RowVector<float> column = logits.col(entailment).transpose();
            scores = detail::softmax(detail::row_of(column, 0));
        }
        std::vector<std::size_t> order(count);
        std::iota(order.rbegin(), order.rend(), std::size_t{0});
        // Of labels with equal scores the later one comes first.
        std::stable_sort(order.begin(), order.end(),
                         [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
        ZeroShotAnswer result{input.sequence, {}, {}};
        for (const std::size_t i : order) {
            result.labels.push_back(input.candidate_labels[i]);
            result.scores.push_back(scores[i]);
        }
        return result;
    }

    NystromformerForSequenceClassification<float> model_;
    Tokenizer tokenizer_;
};

}  // namespace nystromformer
