// SPDX-License-Identifier: MIT
// The heads that classify: texts, choices and tokens.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/kernels/activations.hpp>
#include <nystromformer/model/layers.hpp>
#include <nystromformer/model/model_body.hpp>
#include <nystromformer/model/weight_loader.hpp>
#include <nystromformer/state_dict.hpp>
#include <nystromformer/threads.hpp>

namespace nystromformer::detail {

/// Source: transformers 4.57.6, modeling_nystromformer.py, class NystromformerClassificationHead
template <typename Scalar>
struct NystromformerClassificationHead {
    Linear<Scalar> dense;
    Activation activation;
    Linear<Scalar> out_proj;

    static NystromformerClassificationHead load(const WeightLoader& state,
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

/// Source: transformers 4.57.6, modeling_nystromformer.py, class
/// NystromformerForSequenceClassification
template <typename Scalar>
struct SequenceClassificationHead {
    static constexpr WordLayout word_layout = WordLayout::rows;
    static constexpr const char* encoder_name = "nystromformer";

    NystromformerClassificationHead<Scalar> classifier;

    static SequenceClassificationHead load(const WeightLoader& root,
                                           const NystromformerConfig& config,
                                           const NystromformerBody<Scalar>&) {
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
    static constexpr const char* encoder_name = "nystromformer";

    Linear<Scalar> pre_classifier;
    Linear<Scalar> classifier;

    static MultipleChoiceHead load(const WeightLoader& root, const NystromformerConfig& config,
                                   const NystromformerBody<Scalar>&) {
        return {
            Linear<Scalar>::load(root["pre_classifier"], config.hidden_size, config.hidden_size),
            Linear<Scalar>::load(root["classifier"], config.hidden_size, 1)};
    }
    void save(const StateWriter& root, const NystromformerBody<Scalar>&) const {
        pre_classifier.save(root["pre_classifier"]);
        classifier.save(root["classifier"]);
    }
    /// (sequences, hidden), their first rows, to (sequences, 1)
    Matrix<Scalar> operator()(const Matrix<Scalar>& hidden_states, ThreadPool& threads) const {
        // ReLU, whatever hidden_act is.
        const Matrix<Scalar> pooled = pre_classifier(hidden_states, threads, Activation::relu);
        return classifier(pooled, threads);
    }
};

/// Source: transformers 4.57.6, modeling_nystromformer.py, class
/// NystromformerForTokenClassification
template <typename Scalar>
struct TokenClassificationHead {
    static constexpr WordLayout word_layout = WordLayout::rows;
    static constexpr const char* encoder_name = "nystromformer";

    Linear<Scalar> classifier;

    static TokenClassificationHead load(const WeightLoader& root, const NystromformerConfig& config,
                                        const NystromformerBody<Scalar>&) {
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

}  // namespace nystromformer::detail
