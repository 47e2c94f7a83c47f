// SPDX-License-Identifier: MIT
// The attention of one head of one sequence: exact softmax and its Nystrom approximation (Xiong et
// al., AAAI 2021).
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/kernels/blocked_attention.hpp>
#include <nystromformer/kernels/gemm.hpp>
#include <nystromformer/kernels/panels.hpp>
#include <nystromformer/kernels/rows.hpp>

#include <algorithm>
#include <utility>

namespace nystromformer::detail {

/// The means of m consecutive segments of x (n, d), n >= m: the landmarks (m, d). With s = n / m,
/// the first (s + 1) m - n segments have s rows, the others s + 1 (the authors' rule; all equal
/// where m divides n).
template <typename Scalar>
Matrix<Scalar> segment_means(const Matrix<Scalar>& x, Index num_landmarks) {
    const Index size = x.rows() / num_landmarks;
    const Index num_short = (size + 1) * num_landmarks - x.rows();
    Matrix<Scalar> means = Matrix<Scalar>::Zero(num_landmarks, x.cols());
    Index row = 0;
    for (Index segment = 0; segment < num_landmarks; ++segment) {
        const Index length = segment < num_short ? size : size + 1;
        for (Index i = 0; i < length; ++i) means.row(segment) += x.row(row++);
        means.row(segment) /= static_cast<Scalar>(length);
    }
    return means;  // (m, d)
}

/// softmax of every row; masked keys get the lowest finite score.
template <typename Scalar>
Matrix<Scalar> softmax(Matrix<Scalar> scores, KeyMask key_mask = {}) {
    softmax_rows(scores, key_mask);
    return scores;
}

/// softmax(q~ k~'), the (m, m) kernel between the landmarks.
template <typename Scalar>
Matrix<Scalar> landmark_kernel(const Matrix<Scalar>& q_landmarks,
                               const Matrix<Scalar>& k_landmarks) {
    return softmax(product_transposed(q_landmarks, k_landmarks));
}

/// ||kernel||_1: the largest column sum.
template <typename Scalar>
Scalar largest_column_sum(const Matrix<Scalar>& kernel) {
    Scalar largest = 0;
    for (Index column = 0; column < kernel.cols(); ++column) {
        Scalar sum = 0;
        for (Index row = 0; row < kernel.rows(); ++row) sum += kernel(row, column);
        if (!(sum <= largest)) largest = sum;  // NaN is kept
    }
    return largest;
}

/// One step towards the Moore-Penrose inverse of k from z (Razavi et al.; Xiong et al. 2021, eq.
/// 11).
template <typename Scalar>
Matrix<Scalar> inverse_step(const Matrix<Scalar>& k, const Matrix<Scalar>& z) {
    const auto identity = Matrix<Scalar>::Identity(k.rows(), k.rows());
    const Matrix<Scalar> kz = product(k, z);  // (m, m)
    const Matrix<Scalar> inner =
        Scalar(15) * identity - product<Scalar>(kz, Scalar(7) * identity - kz);
    return product<Scalar>(Scalar(0.25) * z, Scalar(13) * identity - product(kz, inner));
}

/// `iterations` steps from z = k' / divisor. Few steps regularise: more is not closer to exact
/// attention.
template <typename Scalar>
Matrix<Scalar> iterative_inverse(const Matrix<Scalar>& k, Scalar divisor, Index iterations) {
    Matrix<Scalar> z = (1 / divisor) * k.transpose();
    for (Index i = 0; i < iterations; ++i) z = inverse_step(k, z);
    return z;  // (m, m)
}

/// context (n, e) := softmax(q k') v for scaled q (n, d) and k (keys, d), and v (keys, e), by
/// blocks: never (n, keys) in memory.
template <typename Scalar>
Matrix<Scalar> exact_attention(const Matrix<Scalar>& q, const Matrix<Scalar>& k,
                               const Matrix<Scalar>& v, KeyMask key_mask = {}) {
    Scratch scratch;
    const BlockedAttention<Scalar> attention(k, v, Scalar(1), key_mask, scratch);
    Matrix<Scalar> context(q.rows(), v.cols());
    const Rows<Scalar> block = scratch.rows<Scalar>(block_rows, v.cols());
    for (Index row = 0; row < q.rows(); row += block_rows) {
        const Index rows = std::min<Index>(block_rows, q.rows() - row);
        attention(Rows<const Scalar>(q).middle_rows(row, rows), block.middle_rows(0, rows));
        context.middleRows(row, rows) = block.middle_rows(0, rows).map();
    }
    return context;  // (n, e)
}

/// What the Nystrom form is run with.
template <typename Scalar>
struct NystromOptions {
    Index num_landmarks;
    Scalar divisor;  // of the inverse's start
    Index iterations;
};

/// softmax(q k~') pinv(softmax(q~ k~')) (softmax(q~ k') v)      Xiong et al. 2021, eq. 13
/// `probabilities` is kernel_1 times the inverse (n, m), what Hugging Face returns as attentions;
/// `residual` is ||kernel_2 inverse - I||; both where they are asked for.
template <typename Scalar>
Matrix<Scalar> nystrom_attention(const Matrix<Scalar>& q, const Matrix<Scalar>& k,
                                 const Matrix<Scalar>& v, KeyMask key_mask,
                                 const NystromOptions<Scalar>& options,
                                 Matrix<Scalar>* probabilities = nullptr,
                                 double* residual = nullptr) {
    const Matrix<Scalar> q_landmarks = segment_means(q, options.num_landmarks);  // (m, d)
    const Matrix<Scalar> k_landmarks = segment_means(k, options.num_landmarks);  // (m, d)
    const Matrix<Scalar> kernel_2 = landmark_kernel(q_landmarks, k_landmarks);   // (m, m)
    const Matrix<Scalar> inverse = iterative_inverse(kernel_2, options.divisor, options.iterations);
    if (probabilities != nullptr) {
        *probabilities = product(softmax(product_transposed(q, k_landmarks)), inverse);
    }
    if (residual != nullptr) {
        const auto identity = Matrix<Scalar>::Identity(kernel_2.rows(), kernel_2.rows());
        *residual = static_cast<double>((product(kernel_2, inverse) - identity).norm());
    }
    const Matrix<Scalar> kernel_3_v = exact_attention(q_landmarks, k, v, key_mask);  // (m, d)
    return exact_attention(q, k_landmarks, product(inverse, kernel_3_v));            // (n, d)
}

}  // namespace nystromformer::detail
