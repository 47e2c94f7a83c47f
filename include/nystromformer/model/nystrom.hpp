// SPDX-License-Identifier: MIT
// The Nystrom approximation of one head's attention (Xiong et al., AAAI 2021, arXiv:2102.03902).
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/kernels/attention/bfloat_attention.hpp>
#include <nystromformer/kernels/panels.hpp>
#include <nystromformer/kernels/rows.hpp>

#include <algorithm>

namespace nystromformer::inline v0_2::detail {

/// means (m, d) := the means of m consecutive segments of x (n, d), n >= m: the landmark rule. With
/// s = n / m, the first (s + 1) m - n segments have s rows, the others s + 1 (the authors' rule;
/// all equal if m divides n).
template <typename Scalar>
void segment_means(ConstRows<Scalar> x, Rows<Scalar> means) {
    const Index size = x.rows / means.rows;
    const Index num_short = (size + 1) * means.rows - x.rows;
    Index first = 0;
    for (Index segment = 0; segment < means.rows; ++segment) {
        const Index length = segment < num_short ? size : size + 1;
        Scalar* mean = means.row(segment);
        std::copy_n(x.row(first), x.cols, mean);
        for (Index i = 1; i < length; ++i)
            for (Index col = 0; col < x.cols; ++col) mean[col] += x.row(first + i)[col];
        for (Index col = 0; col < x.cols; ++col) mean[col] /= static_cast<Scalar>(length);
        first += length;
    }
}

/// kernel (n, keys) := softmax(q k' scale), masked keys with the lowest finite score.
template <typename Scalar>
void softmax_kernel(ConstRows<Scalar> q, ConstRows<Scalar> k, Scalar scale, KeyMask key_mask,
                    Rows<Scalar> kernel) {
    product_transposed(q, k, scale, kernel);
    softmax_rows(kernel, key_mask);
}

/// ||kernel||_1: the largest column sum.
template <typename Scalar>
Scalar largest_column_sum(Rows<Scalar> kernel) {
    Scalar largest = 0;
    for (Index column = 0; column < kernel.cols; ++column) {
        Scalar sum = 0;
        for (Index row = 0; row < kernel.rows; ++row) sum += kernel.row(row)[column];
        if (!(sum <= largest)) largest = sum;  // NaN is kept
    }
    return largest;
}

/// x := factor I - x for a square x.
template <typename Scalar>
void subtract_from_identity(Scalar factor, Rows<Scalar> x) {
    for (Index row = 0; row < x.rows; ++row)
        for (Index col = 0; col < x.cols; ++col)
            x.row(row)[col] = (row == col ? factor : Scalar(0)) - x.row(row)[col];
}

/// One step of z (m, m) towards the Moore-Penrose inverse of k:
/// z (13 I - k z (15 I - k z (7 I - k z))) / 4      Razavi et al.; Xiong et al. 2021, eq. 11
template <typename Scalar>
void inverse_step(ConstRows<Scalar> k, Rows<Scalar> z) {
    Scratch scratch;
    const Rows<Scalar> kz = scratch.rows<Scalar>(k.rows, k.rows);
    const Rows<Scalar> inner = scratch.rows<Scalar>(k.rows, k.rows);
    product<Scalar>(k, z, kz);
    inner.map() = kz.map();
    subtract_from_identity(Scalar(7), inner);
    product<Scalar>(kz, inner, inner);
    subtract_from_identity(Scalar(15), inner);
    product<Scalar>(kz, inner, inner);
    subtract_from_identity(Scalar(13), inner);
    product<Scalar>(z, inner, kz);
    z.map() = Scalar(0.25) * kz.map();
}

/// inverse (m, m) := `iterations` steps from k' / divisor. Few steps regularise: more is not closer
/// to exact attention.
template <typename Scalar>
void iterative_inverse(ConstRows<Scalar> k, Scalar divisor, Index iterations,
                       Rows<Scalar> inverse) {
    inverse.map() = (1 / divisor) * k.map().transpose();
    for (Index i = 0; i < iterations; ++i) inverse_step(k, inverse);
}

/// softmax(q k' scale), which is formed only if it is asked for.
template <typename Scalar>
struct SoftmaxKernel {
    Rows<const Scalar> q, k;  // (n, d), (keys, d)
    Scalar scale;
    KeyMask key_mask = {};

    /// out: (n, keys)
    void form(Rows<Scalar> out) const { softmax_kernel<Scalar>(q, k, scale, key_mask, out); }
    /// out (n, e) := this kernel times v (keys, e), block by block, in products of bf16 or of
    /// Scalar.
    void times(ConstRows<Scalar> v, bool in_bfloats, Rows<Scalar> out) const {
        with_operands<Scalar>(k, v, scale, in_bfloats, [&](const auto& operands) {
            exact_attention(q, operands, key_mask, out);
        });
    }
};

/// The landmarks of one head, for
///     softmax(q k~') pinv(softmax(q~ k~')) (softmax(q~ k') v)      Xiong et al. 2021, eq. 13
///     kernel_1            kernel_2          kernel_3
/// which is exact attention to m landmarks: keys k~, and values pinv(kernel_2) (kernel_3 v).
template <typename Scalar>
struct Landmarks {
    Rows<Scalar> q, k;      // q~ and k~, (m, d)
    Rows<Scalar> kernel_2;  // (m, m)
    Scalar divisor;         // of the inverse's start; several heads may share the largest of theirs
    Rows<Scalar> values;    // (m, d)

    static Landmarks in(Scratch& scratch, Index num_landmarks, Index head_dim) {
        auto rows = [&](Index cols) { return scratch.rows<Scalar>(num_landmarks, cols); };
        return {rows(head_dim), rows(head_dim), rows(num_landmarks), Scalar(1), rows(head_dim)};
    }

    /// From all rows of a sequence, (n, d).
    void find(ConstRows<Scalar> all_q, ConstRows<Scalar> all_k, Scalar scale) {
        segment_means(all_q, q);                            // (m, d)
        segment_means(all_k, k);                            // (m, d)
        SoftmaxKernel<Scalar>{q, k, scale}.form(kernel_2);  // (m, m)
        divisor = largest_column_sum(kernel_2);
    }

    /// inverse (m, m) := pinv(kernel_2)
    void find_inverse(Index iterations, Rows<Scalar> inverse) const {
        iterative_inverse<Scalar>(kernel_2, divisor, iterations, inverse);
    }
    /// values := inverse (kernel_3 v)
    void find_values(const SoftmaxKernel<Scalar>& kernel_3, ConstRows<Scalar> v,
                     ConstRows<Scalar> inverse, bool in_bfloats) const {
        kernel_3.times(v, in_bfloats, values);     // (m, d)
        product<Scalar>(inverse, values, values);  // (m, d)
    }

    /// For queries (n, d): kernel_1 times `values` is their context.
    SoftmaxKernel<Scalar> kernel_1(ConstRows<Scalar> queries, Scalar scale) const {
        return {queries, k, scale};
    }
    /// For keys (n, d).
    SoftmaxKernel<Scalar> kernel_3(ConstRows<Scalar> keys, Scalar scale, KeyMask key_mask) const {
        return {q, keys, scale, key_mask};
    }
};

}  // namespace nystromformer::inline v0_2::detail
