// SPDX-License-Identifier: MIT
// Operations on single rows: softmax and layer norm.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/kernels/backend.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

namespace nystromformer::inline v0_2::detail {

/// Rows of 1 (attend) and 0 (padding) for the keys of one sequence; empty: all 1.
using KeyMask = std::span<const std::int64_t>;

/// Adds the lowest finite number to the scores of masked keys (mask 0): a row with every key
/// masked is uniform, as in Hugging Face, and never NaN.
template <typename Scalar>
void mask_row(Scalar* row, KeyMask key_mask) {
    for (std::size_t i = 0; i < key_mask.size(); ++i) {
        if (key_mask[i] == 0) row[i] += std::numeric_limits<Scalar>::lowest();
    }
}

/// The largest number of a row that is not empty.
template <typename Scalar>
Scalar largest(const Scalar* row, Index size) {
    if constexpr (std::is_same_v<Scalar, float>) return row_kernels().largest(row, size);
    return *std::max_element(row, row + size);
}

/// row := e^(row - shift), with nothing above `shift`; returns the sum.
template <typename Scalar>
Scalar exponentials(Scalar* row, Index size, Scalar shift) {
    if constexpr (std::is_same_v<Scalar, float>) {
        return row_kernels().exponentials(row, size, shift);
    }
    Scalar sum = 0;
    for (Index i = 0; i < size; ++i) sum += row[i] = std::exp(row[i] - shift);
    return sum;
}

/// Turns `row` into its softmax in place.
template <typename Scalar>
void softmax_row(Scalar* row, Index size, KeyMask key_mask = {}) {
    mask_row(row, key_mask);
    const Scalar sum = exponentials(row, size, largest(row, size));
    for (Index i = 0; i < size; ++i) row[i] /= sum;
}

/// softmax over every row of `scores` (rows, keys), in place; `key_mask` (keys) or empty.
template <typename Scalar>
void softmax_rows(Rows<Scalar> scores, KeyMask key_mask = {}) {
    for (Index i = 0; i < scores.rows; ++i) softmax_row(scores.row(i), scores.cols, key_mask);
}

}  // namespace nystromformer::inline v0_2::detail
