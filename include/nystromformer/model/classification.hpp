// SPDX-License-Identifier: MIT
// The heads that classify: texts, choices and tokens.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/error_text.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/kernels/activations.hpp>
#include <nystromformer/model/family.hpp>
#include <nystromformer/model/head_kind.hpp>
#include <nystromformer/model/layers.hpp>
#include <nystromformer/model/model_body.hpp>
#include <nystromformer/model/weight_loader.hpp>
#include <nystromformer/state_dict.hpp>
#include <nystromformer/threads.hpp>

#include <string>

namespace nystromformer::inline v0_2::detail {

/// ConfigError unless every label from 0 to num_labels - 1 has a name, for heads that give labels.
inline void require_labels(const NystromformerConfig& config) {
    if (config.num_labels < 1)
        throw ConfigError({"", "num_labels", "at least one label for this head", "none"});
    for (Index i = 0; i < config.num_labels; ++i) {
        if (config.id2label.contains(i)) continue;
        throw ConfigError(
            {"", "id2label",
             "a name for label " + std::to_string(i) + " of " + std::to_string(config.num_labels),
             "none"});
    }
}

/// ELECTRA's for multiple choice. UnsupportedError for a summary other than that of the first row.
/// Source: transformers 5.24, modeling_electra.py, class ElectraSequenceSummary
inline Activation summary_activation(const NystromformerConfig& config) {
    const auto refuse = [](const char* place, const char* expected, const std::string& found) {
        throw UnsupportedError({"", place, expected, found});
    };
    if (config.summary_type != "first")
        refuse("/summary_type", "\"first\"", in_quotes(config.summary_type));
    if (!config.summary_use_proj) refuse("/summary_use_proj", "true", "false");
    if (config.summary_activation.empty()) return Activation::linear;
    const auto found = find_activation(config.summary_activation);
    if (!found) {
        refuse("/summary_activation", "the name of an activation",
               in_quotes(config.summary_activation));
    }
    return *found;
}

/// What a family's head applies between its two layers.
inline Activation head_activation(HeadActivation Family::*head, const NystromformerConfig& config) {
    switch (family_of(config.head_model_type.value_or(config.model_type)).*head) {
        case HeadActivation::hidden_act:
            return config.activation();
        case HeadActivation::relu:
            return Activation::relu;
        case HeadActivation::tanh:
            return Activation::tanh;
        case HeadActivation::gelu:
            return Activation::gelu;
        default:
            return summary_activation(config);
    }
}

/// Source: transformers 4.57.6, modeling_nystromformer.py, class NystromformerClassificationHead.
/// The BERTs have it under other names: see family.hpp.
template <typename Scalar>
struct NystromformerClassificationHead {
    Linear<Scalar> dense;
    Activation activation;
    Linear<Scalar> out_proj;

    static NystromformerClassificationHead load(const WeightLoader& state,
                                                const NystromformerConfig& config) {
        return {Linear<Scalar>::load(state["dense"], config.hidden_size, config.hidden_size),
                head_activation(&Family::sequence_classification, config),
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

/// Source: transformers 4.57.6, modeling_nystromformer.py, class
/// NystromformerForSequenceClassification
template <typename Scalar>
struct SequenceClassificationHead {
    static constexpr WordLayout word_layout = WordLayout::rows;
    static constexpr HeadKind kind = HeadKind::sequence_classification;

    NystromformerClassificationHead<Scalar> classifier;

    static SequenceClassificationHead load(const WeightLoader& root,
                                           const NystromformerConfig& config,
                                           const NystromformerBody<Scalar>&) {
        require_labels(config);
        return {NystromformerClassificationHead<Scalar>::load(root["classifier"], config)};
    }
    void save(const StateWriter& root, const NystromformerBody<Scalar>&) const {
        classifier.save(root["classifier"]);
    }
    /// (sequences, hidden), their first rows, to (sequences, num_labels)
    Matrix<Scalar> operator()(const Matrix<Scalar>& hidden_states, ThreadPool& threads) const {
        return classifier(hidden_states, threads);
    }
};

/// Source: transformers 4.57.6, modeling_nystromformer.py, class NystromformerForMultipleChoice
template <typename Scalar>
struct MultipleChoiceHead {
    static constexpr WordLayout word_layout = WordLayout::rows;
    static constexpr HeadKind kind = HeadKind::multiple_choice;

    Linear<Scalar> pre_classifier;
    Activation activation;
    Linear<Scalar> classifier;

    static MultipleChoiceHead load(const WeightLoader& root, const NystromformerConfig& config,
                                   const NystromformerBody<Scalar>&) {
        return {
            Linear<Scalar>::load(root["pre_classifier"], config.hidden_size, config.hidden_size),
            head_activation(&Family::multiple_choice, config),
            Linear<Scalar>::load(root["classifier"], config.hidden_size, 1)};
    }
    void save(const StateWriter& root, const NystromformerBody<Scalar>&) const {
        pre_classifier.save(root["pre_classifier"]);
        classifier.save(root["classifier"]);
    }
    /// (sequences, hidden), their first rows, to (sequences, 1)
    Matrix<Scalar> operator()(const Matrix<Scalar>& hidden_states, ThreadPool& threads) const {
        // ReLU in Nystromformer, whatever hidden_act is.
        const Matrix<Scalar> pooled = pre_classifier(hidden_states, threads, activation);
        return classifier(pooled, threads);
    }
};

/// Source: transformers 4.57.6, modeling_nystromformer.py, class
/// NystromformerForTokenClassification
template <typename Scalar>
struct TokenClassificationHead {
    static constexpr WordLayout word_layout = WordLayout::rows;
    static constexpr HeadKind kind = HeadKind::token_classification;

    Linear<Scalar> classifier;

    static TokenClassificationHead load(const WeightLoader& root, const NystromformerConfig& config,
                                        const NystromformerBody<Scalar>&) {
        require_labels(config);
        return {Linear<Scalar>::load(root["classifier"], config.hidden_size, config.num_labels)};
    }
    void save(const StateWriter& root, const NystromformerBody<Scalar>&) const {
        classifier.save(root["classifier"]);
    }
    /// (rows, hidden) to (rows, num_labels)
    Matrix<Scalar> operator()(const Matrix<Scalar>& hidden_states, ThreadPool& threads) const {
        return classifier(hidden_states, threads);
    }
};

}  // namespace nystromformer::inline v0_2::detail
