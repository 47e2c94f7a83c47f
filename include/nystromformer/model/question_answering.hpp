// SPDX-License-Identifier: MIT
// NystromformerForQuestionAnswering.
#pragma once

#include <nystromformer/model/loss.hpp>
#include <nystromformer/model/model.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace nystromformer {

/// Source: modeling_nystromformer.py, class NystromformerForQuestionAnswering
template <typename Scalar = float>
class NystromformerForQuestionAnswering
    : public PreTrainedModel<NystromformerForQuestionAnswering<Scalar>> {
public:
    static constexpr const char* architecture = "NystromformerForQuestionAnswering";

    static NystromformerForQuestionAnswering load(const StateDict& state,
                                                  const NystromformerConfig& config) {
        NystromformerForQuestionAnswering model;
        model.nystromformer_ = detail::NystromformerBody<Scalar>::load(state, config);
        model.qa_outputs_ =
            detail::Linear<Scalar>::load(state["qa_outputs"], config.hidden_size, 2);
        return model;
    }
    void save(const StateWriter& state) const {
        nystromformer_.save(state["nystromformer"]);
        qa_outputs_.save(state["qa_outputs"]);
    }

    /// Start and end logits (rows, 1), and the mean of both cross entropies where the positions are
    /// given.
    QuestionAnsweringModelOutput<Scalar> operator()(const ModelInput<Scalar>& input,
                                                    const ForwardOptions& options = {}) const {
        detail::check_labels(input, {.positions = true});
        auto output = nystromformer_(input, options, this->config(), this->threads());
        const Matrix<Scalar> logits =
            qa_outputs_(output.last_hidden_state, this->threads());  // (rows, 2)
        QuestionAnsweringModelOutput<Scalar> result{std::move(output),
                                                    {},
                                                    Matrix<Scalar>(logits.rows(), 1),
                                                    Matrix<Scalar>(logits.rows(), 1)};
        if (logits.rows() > 0) {  // an empty batch has no columns to point to
            result.start_logits = logits.col(0);
            result.end_logits = logits.col(1);
        }
        if (!input.start_positions.empty() && !input.end_positions.empty()) {
            result.loss =
                (position_loss(result.start_logits, input, input.start_positions,
                               "start_positions") +
                 position_loss(result.end_logits, input, input.end_positions, "end_positions")) /
                2;
        }
        return result;
    }

private:
    /// Cross entropy over the positions of each sequence; a position beyond its end is passed over
    /// and a negative one is 0, as Hugging Face's clamp has it.
    static double position_loss(const Matrix<Scalar>& logits, const ModelInput<Scalar>& input,
                                const std::vector<std::int64_t>& positions, const char* field) {
        detail::check_count(field, positions.size(), input.num_sequences());
        double total = 0, count = 0;
        for (std::size_t i = 0; i < positions.size(); ++i) {
            const Index first = input.offsets[i], length = input.offsets[i + 1] - first;
            const std::int64_t position = std::clamp<std::int64_t>(positions[i], 0, length);
            if (position == length) continue;
            const Matrix<Scalar> row = logits.middleRows(first, length).transpose();  // (1, n)
            total += detail::cross_entropy<Scalar>(row, std::span(&position, 1), field);
            count += 1;
        }
        return total / count;
    }

    detail::NystromformerBody<Scalar> nystromformer_;
    detail::Linear<Scalar> qa_outputs_;
};

}  // namespace nystromformer
