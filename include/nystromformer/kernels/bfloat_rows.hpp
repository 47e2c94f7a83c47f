// SPDX-License-Identifier: MIT
// Rows of floats rounded to bf16, and panels of them.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/kernels/backend.hpp>
#include <nystromformer/kernels/blocking.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace nystromformer::inline v0_2::detail {

/// Pairs of bf16 for `count` numbers, in whole steps of the kernels.
inline Index bfloat_pairs(Index count) {
    const Index step = bfloat_kernels().step;
    return blocks_of(count, 2 * step) * step;
}

/// Rows of pairs of bf16: the left factor of a product.
class BfloatRows {
public:
    /// Not yet written. `scratch` must outlive this.
    BfloatRows(Index num_rows, Index num_pairs, Scratch& scratch)
        : pairs_(num_pairs), data_(scratch.array<std::uint16_t>(num_rows * stride())) {}
    BfloatRows(ConstRows<float> x, Index num_pairs, Scratch& scratch)
        : BfloatRows(x.rows, num_pairs, scratch) {
        for (Index i = 0; i < x.rows; ++i) round(i, x.row(i), x.cols);
    }

    /// Row i := x (cols), then zeros.
    void round(Index i, const float* x, Index cols) const {
        bfloat_kernels().round_row(x, cols, pairs_ * 2, data_ + i * stride());
    }

    Index pairs() const { return pairs_; }
    /// An odd number of cache lines, so that rows do not share one set of the cache.
    Index stride() const { return (blocks_of(pairs_ * 2, 32) | 1) * 32; }
    const std::uint16_t* row(Index i) const { return data_ + i * stride(); }

private:
    Index pairs_;
    std::uint16_t* data_;
};

/// One panel (pairs, columns of a panel) := the rows of x, at most as many as it has columns, the
/// other columns 0.
inline void pack_bfloats(ConstRows<float> x, Index pairs, std::uint16_t* panel) {
    Scratch scratch;
    const BfloatRows rounded(x, pairs, scratch);
    const Index width = bfloat_kernels().columns;
    std::fill_n(panel, pairs * 2 * width, std::uint16_t{0});
    for (Index row = 0; row < x.rows; ++row)
        for (Index pair = 0; pair < pairs; ++pair)
            std::memcpy(panel + (pair * width + row) * 2, rounded.row(row) + pair * 2, 4);
}

}  // namespace nystromformer::inline v0_2::detail
