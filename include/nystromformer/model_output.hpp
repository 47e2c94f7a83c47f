// SPDX-License-Identifier: MIT
// What the models return, with Hugging Face's names. Rows are the stacked rows of the input.
#pragma once

#include <nystromformer/matrix.hpp>

#include <optional>
#include <vector>

namespace nystromformer::inline v0_2 {

/// The factors of one head's Nystrom attention to n tokens with m landmarks; empty for exact
/// attention. The context is kernel_1 inverse kernel_3 v, plus the convolution of v.
/// Source: Xiong et al. 2021, eq. 13
template <typename Scalar>
struct NystromFactors {
    Matrix<Scalar> kernel_1;  ///< (n, m) softmax(q k~'): tokens to landmarks
    Matrix<Scalar> inverse;   ///< (m, m) pinv(softmax(q~ k~')), by iteration
    Matrix<Scalar> kernel_3;  ///< (m, n) softmax(q~ k'): landmarks to tokens

    /// (n, n), what stands for softmax(q k') of exact attention; takes n^2 numbers of memory.
    Matrix<Scalar> approximation() const { return kernel_1 * inverse * kernel_3; }
};

/// What ForwardOptions asks for besides the result. What it does not ask for is empty.
template <typename Scalar>
struct EncoderReport {
    std::vector<Matrix<Scalar>> hidden_states;  ///< layers + 1 of (rows, hidden), embeddings first
    std::vector<std::vector<Matrix<Scalar>>>
        attentions;  ///< [layer][sequence * heads + head] (n, n) or (n, m)
    std::vector<std::vector<NystromFactors<Scalar>>>
        nystrom_factors;                                 ///< [layer][sequence * heads + head]
    std::vector<std::vector<double>> inverse_residuals;  ///< [layer][sequence * heads + head]
};

template <typename Scalar>
struct BaseModelOutput : EncoderReport<Scalar> {
    Matrix<Scalar> last_hidden_state;  ///< (rows, hidden)
};

template <typename Scalar>
struct MaskedLMOutput : EncoderReport<Scalar> {
    std::optional<double> loss;
    Matrix<Scalar> logits;  ///< (rows, vocab), or only the rows that were asked for
};

template <typename Scalar>
struct SequenceClassifierOutput : EncoderReport<Scalar> {
    std::optional<double> loss;
    Matrix<Scalar> logits;  ///< (sequences, num_labels)
};

template <typename Scalar>
struct MultipleChoiceModelOutput : EncoderReport<Scalar> {
    std::optional<double> loss;
    Matrix<Scalar> logits;  ///< (examples, num_choices)
};

template <typename Scalar>
struct TokenClassifierOutput : EncoderReport<Scalar> {
    std::optional<double> loss;
    Matrix<Scalar> logits;  ///< (rows, num_labels)
};

template <typename Scalar>
struct QuestionAnsweringModelOutput : EncoderReport<Scalar> {
    std::optional<double> loss;
    Matrix<Scalar> start_logits;  ///< (rows, 1)
    Matrix<Scalar> end_logits;    ///< (rows, 1)
};

}  // namespace nystromformer::inline v0_2
