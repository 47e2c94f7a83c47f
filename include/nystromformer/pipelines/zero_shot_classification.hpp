// SPDX-License-Identifier: MIT
// ZeroShotClassificationPipeline's body: hypotheses, their logits, and the labels' scores.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/label_order.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/pipelines/bad_inputs.hpp>
#include <nystromformer/pipelines/batches.hpp>
#include <nystromformer/pipelines/scores.hpp>
#include <nystromformer/pipelines/text_model.hpp>
#include <nystromformer/pipelines/windows.hpp>
#include <nystromformer/tokenizer.hpp>
#include <nystromformer/zero_shot_classification.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

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

struct ZeroShotClassificationPipeline::Body
    : detail::TextModel<NystromformerForSequenceClassification<float>> {
    /// Throws what TextModel does, and ConfigError if label2id names no row of the logits.
    Body(const std::filesystem::path& folder, const LoadOptions& options)
        : Body(TextModel(folder, options), path_to_utf8(folder / "config.json"),
               detail::file_options(options).on_notice) {}
    Body(const NystromformerForSequenceClassification<float>& loaded, const Tokenizer& own,
         const std::function<void(const Notice&)>& on_notice)
        : Body(TextModel(loaded, own), "", on_notice) {}
    Body(TextModel both, const std::string& file,
         const std::function<void(const Notice&)>& on_notice)
        : TextModel(std::move(both)) {
        if (!entailment_id() && on_notice) {
            on_notice({file, "/label2id",
                       "no label starts with \"entail\", so the last one counts as entailment"});
        }
        const Index id = entailment_id().value_or(0);
        if (id >= 0 && id < config().num_labels) return;
        throw ConfigError(
            {file, "/label2id",
             "entailment among the " + std::to_string(config().num_labels) + " labels",
             std::to_string(id)});
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
        const Matrix<float> logits =
            pair_logits(first_pair, config().num_labels, options.long_text, options.run,
                        [&](std::size_t i, std::size_t label, const LongText& long_text) {
                            const std::string hypothesis = detail::hypothesis(
                                options.hypothesis_template, inputs[i].candidate_labels[label]);
                            return encode_all({.text = inputs[i].sequence,
                                               .pair = hypothesis,
                                               .number = i,
                                               .strategy = TruncationStrategy::only_first},
                                              long_text);
                        });
        std::vector<ZeroShotAnswer> results;
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            const auto row = static_cast<Index>(first_pair[i]);
            const auto count = static_cast<Index>(inputs[i].candidate_labels.size());
            results.push_back(answer(inputs[i], logits.middleRows(row, count), options));
        }
        return results;
    }

    /// InputError if options are out of range.
    void check(const ZeroShotOptions& options) const {
        detail::check_options(options.run, config());
        detail::check_long_text(options.long_text, max_length(), tokenizer);
        detail::hypothesis(options.hypothesis_template, "a label");
    }

    /// The first label of label2id whose name starts with "entail" in any case. Nothing if
    /// there is none: the last label then counts as entailment, as in Hugging Face.
    std::optional<Index> entailment_id() const {
        for (const auto& [label, id] : detail::labels_in_order(config())) {
            std::string start = label.substr(0, 6);
            for (char& letter : start)
                if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
            if (start == "entail") return id;
        }
        return std::nullopt;
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
            scores = detail::softmax(row_of(column, 0));
        }
        std::vector<std::size_t> order(count);
        std::iota(order.rbegin(), order.rend(), std::size_t{0});
        // Of labels with equal scores the later one comes first.
        std::stable_sort(order.begin(), order.end(),
                         [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
        ZeroShotAnswer result{input.sequence, {}, {}};
        for (const std::size_t i : order) {
            result.labels.push_back(input.candidate_labels[i]);
            result.scores.push_back(static_cast<double>(scores[i]));
        }
        return result;
    }
};

NYSTROMFORMER_INLINE ZeroShotClassificationPipeline::ZeroShotClassificationPipeline(
    const std::filesystem::path& folder, const LoadOptions& options)
    : body_(std::make_shared<const Body>(folder, options)) {}
NYSTROMFORMER_INLINE ZeroShotClassificationPipeline::ZeroShotClassificationPipeline(
    const NystromformerForSequenceClassification<float>& model, const Tokenizer& tokenizer,
    const std::function<void(const Notice&)>& on_notice)
    : body_(std::make_shared<const Body>(model, tokenizer, on_notice)) {}

NYSTROMFORMER_INLINE ZeroShotAnswer ZeroShotClassificationPipeline::operator()(
    std::string_view sequence, std::vector<std::string> candidate_labels,
    const ZeroShotOptions& options) const {
    const ZeroShotInput input{std::string(sequence), std::move(candidate_labels)};
    return std::move(batch({&input, 1}, options).front());
}
NYSTROMFORMER_INLINE std::vector<ZeroShotAnswer> ZeroShotClassificationPipeline::batch(
    std::span<const ZeroShotInput> inputs, const ZeroShotOptions& options) const {
    return detail::answer_apart<ZeroShotAnswer>(
        inputs, options, [&](auto some, const auto& part) { return body_->batch(some, part); });
}
NYSTROMFORMER_INLINE void ZeroShotClassificationPipeline::check(
    const ZeroShotOptions& options) const {
    body_->check(options);
}
NYSTROMFORMER_INLINE std::optional<Index> ZeroShotClassificationPipeline::entailment_id() const {
    return body_->entailment_id();
}

NYSTROMFORMER_INLINE const NystromformerForSequenceClassification<float>&
ZeroShotClassificationPipeline::model() const& {
    return body_->model;
}
NYSTROMFORMER_INLINE const Tokenizer& ZeroShotClassificationPipeline::tokenizer() const& {
    return body_->tokenizer;
}

}  // namespace nystromformer::inline v0_2
