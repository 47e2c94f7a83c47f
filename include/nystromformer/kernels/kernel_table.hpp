// SPDX-License-Identifier: MIT
// What a kernel takes, and the table of the kernels of one instruction set.
#pragma once

#include <nystromformer/core/matrix.hpp>

namespace nystromformer::detail {

/// One tile of a matrix product: some rows of a, one panel of b, and where the result goes.
template <typename Scalar>
struct GemmTile {
    const Scalar* a;      // (rows, depth), rows a_stride apart
    const Scalar* panel;  // (depth, columns of a panel), rows panel_stride apart
    const Scalar*
        start;  // (rows, columns of a panel), rows start_stride apart: what sums begin with
    Scalar* c;  // (rows, columns of a panel), rows c_stride apart; may be `start`
    Index a_stride, panel_stride, start_stride, c_stride, depth;
};

/// out := layer norm of x + residual; `residual` may be null, and `out` may be either of them.
template <typename Scalar>
struct LayerNormRow {
    const Scalar* x;
    const Scalar* residual;
    const Scalar* weight;
    const Scalar* bias;
    Scalar* out;
    Index size;
    Scalar eps;
};

/// What `map` can apply to a row of floats; `exp_negative` is for numbers of at most 0.
enum class FloatFunction {
    exp,
    exp_negative,
    tanh,
    erf,
    sigmoid,
    gelu,
    gelu_new,
    gelu_fast,
    quick_gelu,
    silu,
    relu
};

/// The kernels of one instruction set. Those on floats alone are there for every Scalar.
template <typename Scalar>
struct KernelTable {
    Index tile_rows;     // of a full GEMM tile
    Index tile_columns;  // of a panel
    void (*multiply)(const GemmTile<Scalar>&, int rows);
    void (*layer_norm)(const LayerNormRow<Scalar>&);
    void (*map)(FloatFunction, float* row, long size);
    float (*largest)(const float* row, long size);
    float (*exponentials)(float* row, long size, float most);
};

}  // namespace nystromformer::detail
