// SPDX-License-Identifier: MIT
// The heads that classify: NystromformerForSequenceClassification, ...ForMultipleChoice and
// ...ForTokenClassification.
#pragma once

#include <nystromformer/model/loss.hpp>
#include <nystromformer/model/model.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer {

namespace detail {

/// The row of each sequence's first token ([CLS]). InputError for wrong offsets.
template <typename Scalar>
std::span<const Index> first_rows(const ModelInput<Scalar>& input) {
    check_offsets(input.offsets);
    return std::span(input.offsets).first(static_cast<std::size_t>(input.num_sequences()));
}

/// Source: modeling_nystromformer.py, class NystromformerClassificationHead
template <typename Scalar>
struct NystromformerClassificationHead {
    Linear<Scalar> dense;
    Activation activation;
    Linear<Scalar> out_proj;

    static NystromformerClassificationHead load(const StateDict& state,
                                                const NystromformerConfig& config) {
        return {Linear<Scalar>::load(state["dense"], config.hidden_size, config.hidden_size),
                config.activation(),
                Linear<Scalar>::load(state["out_proj"], config.hidden_size, config.num_labels)};
    }
    void save(const StateWriter& state) const {
        dense.save(state["dense"]);
        out_proj.save(state["out_proj"]);
    }
    Matrix<Scalar> operator()(const Matrix<Scalar>& first, ThreadPool& threads) const {
        return out_proj(dense(first, threads, activation), threads);  // (sequences, labels)
    }
};

/// The loss by problem_type; where the config has none: regression for one label, else by the kind
/// of labels.
template <typename Scalar>
double classification_loss(const Matrix<Scalar>& logits, const ModelInput<Scalar>& input,
                           const NystromformerConfig& config) {
    const bool classes = !input.labels.empty();
    const std::string type = config.problem_type.value_or(config.num_labels == 1 ? "regression"
                                                          : classes ? "single_label_classification"
                                                                    : "multi_label_classification");
    if (type == "single_label_classification") return cross_entropy(logits, input.labels);
    const std::vector<double> numbers =
        classes ? std::vector<double>(input.labels.begin(), input.labels.end())
                : input.float_labels;
    return type == "regression" ? mean_squared_error(logits, std::span(numbers))
                                : binary_cross_entropy(logits, std::span(numbers));
}

}  // namespace detail

/// Source: modeling_nystromformer.py, class NystromformerForSequenceClassification
template <typename Scalar = float>
class NystromformerForSequenceClassification
    : public PreTrainedModel<NystromformerForSequenceClassification<Scalar>> {
public:
    static constexpr const char* architecture = "NystromformerForSequenceClassification";

    static NystromformerForSequenceClassification load(const StateDict& state,
                                                       const NystromformerConfig& config) {
        NystromformerForSequenceClassification model;
        model.nystromformer_ = detail::NystromformerBody<Scalar>::load(state, config);
        model.classifier_ =
            detail::NystromformerClassificationHead<Scalar>::load(state["classifier"], config);
        return model;
    }
    void save(const StateWriter& state) const {
        nystromformer_.save(state["nystromformer"]);
        classifier_.save(state["classifier"]);
    }

    /// Logits (sequences, num_labels), and the loss where labels or float_labels are given.
    SequenceClassifierOutput<Scalar> operator()(const ModelInput<Scalar>& input,
                                                const ForwardOptions& options = {}) const {
        detail::check_labels(input, {.integers = true, .numbers = true});
        auto output = nystromformer_(input, options, this->config(), this->threads(),
                                     detail::first_rows(input));
        auto logits = classifier_(output.last_hidden_state, this->threads());
        SequenceClassifierOutput<Scalar> result{std::move(output), {}, std::move(logits)};
        if (!input.labels.empty() || !input.float_labels.empty()) {
            result.loss = detail::classification_loss(result.logits, input, this->config());
        }
        return result;
    }

private:
    detail::NystromformerBody<Scalar> nystromformer_;
    detail::NystromformerClassificationHead<Scalar> classifier_;
};

/// Source: modeling_nystromformer.py, class NystromformerForMultipleChoice
template <typename Scalar = float>
class NystromformerForMultipleChoice
    : public PreTrainedModel<NystromformerForMultipleChoice<Scalar>> {
public:
    static constexpr const char* architecture = "NystromformerForMultipleChoice";

    static NystromformerForMultipleChoice load(const StateDict& state,
                                               const NystromformerConfig& config) {
        NystromformerForMultipleChoice model;
        model.nystromformer_ = detail::NystromformerBody<Scalar>::load(state, config);
        model.pre_classifier_ = detail::Linear<Scalar>::load(
            state["pre_classifier"], config.hidden_size, config.hidden_size);
        model.classifier_ =
            detail::Linear<Scalar>::load(state["classifier"], config.hidden_size, 1);
        return model;
    }
    void save(const StateWriter& state) const {
        nystromformer_.save(state["nystromformer"]);
        pre_classifier_.save(state["pre_classifier"]);
        classifier_.save(state["classifier"]);
    }

    /// Logits (examples, num_choices), where each example is `input.num_choices` sequences after
    /// one another; and the cross entropy of `labels` (one choice an example) where they are given.
    MultipleChoiceModelOutput<Scalar> operator()(const ModelInput<Scalar>& input,
                                                 const ForwardOptions& options = {}) const {
        detail::check_labels(input, {.integers = true});
        if (input.num_choices < 1 || input.num_sequences() % input.num_choices != 0) {
            throw InputError(
                {"", "num_choices",
                 "a divisor of the " + std::to_string(input.num_sequences()) + " sequences",
                 std::to_string(input.num_choices)});
        }
        auto output = nystromformer_(input, options, this->config(), this->threads(),
                                     detail::first_rows(input));
        // ReLU here whatever hidden_act is.
        const Matrix<Scalar> pooled =
            pre_classifier_(output.last_hidden_state, this->threads(), Activation::relu);
        Matrix<Scalar> logits = classifier_(pooled, this->threads());  // (sequences, 1)
        logits.resize(logits.rows() / input.num_choices, input.num_choices);
        MultipleChoiceModelOutput<Scalar> result{std::move(output), {}, std::move(logits)};
        if (!input.labels.empty())
            result.loss = detail::cross_entropy<Scalar>(result.logits, input.labels);
        return result;
    }

private:
    detail::NystromformerBody<Scalar> nystromformer_;
    detail::Linear<Scalar> pre_classifier_;
    detail::Linear<Scalar> classifier_;
};

/// Source: modeling_nystromformer.py, class NystromformerForTokenClassification
template <typename Scalar = float>
class NystromformerForTokenClassification
    : public PreTrainedModel<NystromformerForTokenClassification<Scalar>> {
public:
    static constexpr const char* architecture = "NystromformerForTokenClassification";

    static NystromformerForTokenClassification load(const StateDict& state,
                                                    const NystromformerConfig& config) {
        NystromformerForTokenClassification model;
        model.nystromformer_ = detail::NystromformerBody<Scalar>::load(state, config);
        model.classifier_ = detail::Linear<Scalar>::load(state["classifier"], config.hidden_size,
                                                         config.num_labels);
        return model;
    }
    void save(const StateWriter& state) const {
        nystromformer_.save(state["nystromformer"]);
        classifier_.save(state["classifier"]);
    }

    /// Logits (rows, num_labels), and the cross entropy of `labels` where they are given.
    TokenClassifierOutput<Scalar> operator()(const ModelInput<Scalar>& input,
                                             const ForwardOptions& options = {}) const {
        detail::check_labels(input, {.integers = true});
        auto output = nystromformer_(input, options, this->config(), this->threads());
        auto logits = classifier_(output.last_hidden_state, this->threads());
        TokenClassifierOutput<Scalar> result{std::move(output), {}, std::move(logits)};
        if (!input.labels.empty())
            result.loss = detail::cross_entropy<Scalar>(result.logits, input.labels);
        return result;
    }

private:
    detail::NystromformerBody<Scalar> nystromformer_;
    detail::Linear<Scalar> classifier_;
};

}  // namespace nystromformer
