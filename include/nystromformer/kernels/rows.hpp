// SPDX-License-Identifier: MIT
// Operations on single rows: softmax, layer norm and the depthwise convolution.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/kernels/instruction_sets.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

namespace nystromformer::detail {

/// Turns `row` into softmax(row + bias) in place, where the bias of a masked key (mask 0) is the
/// lowest finite number: a row with every key masked is uniform, as in Hugging Face, and never NaN.
template <typename Scalar>
void softmax_row(Scalar* row, Index size, std::span<const std::int64_t> key_mask = {}) {
    for (Index i = 0; i < static_cast<Index>(key_mask.size()); ++i) {
        if (key_mask[static_cast<std::size_t>(i)] == 0)
            row[i] += std::numeric_limits<Scalar>::lowest();
    }
    if constexpr (std::is_same_v<Scalar, float>) return kernels<float>().softmax(row, size);
    const Scalar most = *std::max_element(row, row + size);
    Scalar sum = 0;
    for (Index i = 0; i < size; ++i) {
        row[i] = std::exp(row[i] - most);
        sum += row[i];
    }
    for (Index i = 0; i < size; ++i) row[i] /= sum;
}

/// softmax over every row of `scores` (rows, keys), in place; `key_mask` (keys) or empty.
template <typename Scalar>
void softmax_rows(Matrix<Scalar>& scores, std::span<const std::int64_t> key_mask = {}) {
    for (Index i = 0; i < scores.rows(); ++i) {
        softmax_row(scores.row(i).data(), scores.cols(), key_mask);
    }
}

/// (row - mean) / sqrt(variance + eps) * weight + bias in place, sums in double.
template <typename Scalar>
void layer_norm_row(Scalar* row, const Scalar* weight, const Scalar* bias, Index size, double eps) {
    double sum = 0;
    for (Index i = 0; i < size; ++i) sum += row[i];
    const double mean = sum / static_cast<double>(size);
    double squares = 0;
    for (Index i = 0; i < size; ++i) squares += (row[i] - mean) * (row[i] - mean);
    const double inverse = 1 / std::sqrt(squares / static_cast<double>(size) + eps);
    for (Index i = 0; i < size; ++i) {
        row[i] = static_cast<Scalar>((row[i] - mean) * inverse) * weight[i] + bias[i];
    }
}

/// context[i] += sum over t of taps[t] * values[i + t - taps/2], rows outside being zero.
template <typename Scalar>
void add_depthwise_convolution(const Matrix<Scalar>& values, const Scalar* taps, Index num_taps,
                               Matrix<Scalar>& context) {
    for (Index i = 0; i < values.rows(); ++i) {
        const Index first = std::max<Index>(0, num_taps / 2 - i);
        const Index last = std::min<Index>(num_taps, values.rows() - i + num_taps / 2);
        kernels<Scalar>().convolve_row(taps + first, values.row(i + first - num_taps / 2).data(),
                                       last - first, values.cols(), context.row(i).data());
    }
}

}  // namespace nystromformer::detail
