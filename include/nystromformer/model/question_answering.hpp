// SPDX-License-Identifier: MIT
// The head of NystromformerForQuestionAnswering.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/model/head_kind.hpp>
#include <nystromformer/model/layers.hpp>
#include <nystromformer/model/model_body.hpp>
#include <nystromformer/model/weight_loader.hpp>
#include <nystromformer/state_dict.hpp>
#include <nystromformer/threads.hpp>

namespace nystromformer::inline v0_2::detail {

/// Source: transformers 4.57.6, modeling_nystromformer.py, class NystromformerForQuestionAnswering
template <typename Scalar>
struct QuestionAnsweringHead {
    static constexpr WordLayout word_layout = WordLayout::rows;
    static constexpr HeadKind kind = HeadKind::question_answering;

    Linear<Scalar> qa_outputs;

    static QuestionAnsweringHead load(const WeightLoader& root, const NystromformerConfig& config,
                                      const NystromformerBody<Scalar>&) {
        return {Linear<Scalar>::load(root["qa_outputs"], config.hidden_size, 2)};
    }
    void save(const StateWriter& root, const NystromformerBody<Scalar>&) const {
        qa_outputs.save(root["qa_outputs"]);
    }
    /// (rows, hidden) to (rows, 2): start and end logits
    Matrix<Scalar> operator()(const Matrix<Scalar>& hidden_states, ThreadPool& threads) const {
        return qa_outputs(hidden_states, threads);
    }
};

}  // namespace nystromformer::inline v0_2::detail
