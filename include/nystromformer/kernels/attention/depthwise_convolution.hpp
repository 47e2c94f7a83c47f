// SPDX-License-Identifier: MIT
// The depthwise convolution on the values of one head.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/kernels/backend.hpp>
#include <nystromformer/kernels/panels.hpp>

#include <algorithm>

namespace nystromformer::inline v0_2::detail {

/// context[i] += sum over t of taps[t] * values[first + i + t - num_taps/2], values outside being
/// zero, for every row of `context`, which must be Scratch's.
///
/// A product with a band matrix: row i of it is the taps moved i places to the right.
template <typename Scalar>
void add_depthwise_convolution(const Panels<Scalar>& values, const Scalar* taps, Index num_taps,
                               Index first, Rows<Scalar> context) {
    const Index height = float_kernels<Scalar>().min_rows, margin = height - 1;
    Scratch scratch;
    Scalar* band = scratch.array<Scalar>(num_taps + 2 * margin);
    std::fill_n(band, num_taps + 2 * margin, Scalar(0));
    std::copy_n(taps, num_taps, band + margin);
    for (Index row = 0; row < context.rows; row += height) {
        const Index rows = std::min(height, context.rows - row);
        const Index from = first + row - num_taps / 2;  // the value under the first tap
        const Index begin = std::max<Index>(0, from);
        const Index end = std::min(values.depth, from + num_taps + rows - 1);
        for (Index i = 0; i < values.count(); ++i) {
            Scalar* c = context.row(row) + i * values.width();
            float_kernels<Scalar>().multiply({.a = band + margin + begin - from,
                                              .a_stride = -1,
                                              .panel = values.panel(i) + begin * values.width(),
                                              .start = c,
                                              .start_stride = context.stride,
                                              .c = c,
                                              .c_stride = context.stride,
                                              .rows = rows,
                                              .depth = std::max<Index>(0, end - begin)});
        }
    }
}

}  // namespace nystromformer::inline v0_2::detail
