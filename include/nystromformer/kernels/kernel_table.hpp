// SPDX-License-Identifier: MIT
// What a kernel takes, and the table of the kernels of one instruction set.
#pragma once

#include <nystromformer/core/matrix.hpp>

namespace nystromformer::detail {

/// One tile of a matrix product: some rows of a, one panel of b, and where the result goes.
template <typename Scalar>
struct GemmTile {
    const Scalar* a;      // (rows, depth >= 1), rows a_stride apart
    const Scalar* panel;  // (depth, columns of a panel), without a gap
    const Scalar* start;  // (rows, columns of a panel), rows start_stride apart: what sums begin
                          // with; null: 0
    Scalar* c;            // (rows, columns of a panel), rows c_stride apart; may be `start`
    Index a_stride, start_stride, c_stride, depth;
    const void* next = nullptr;  // what is read after this tile: brought to the second-level cache
    Index next_step = 0;         // meanwhile, so many bytes further with each of the `depth` steps
};

/// Numbers of a row that share a scale when they are rounded to 8 bits, weights and activations.
inline constexpr Index int8_block = 256;

/// How a block of activations is kept: each number is scale * (byte - zero), but for the one of
/// the largest magnitude, whose byte stands for 0. Few numbers are far larger than the rest.
struct Int8Block {
    float scale;
    float shift;  // scale * zero
    float largest;
    int place;  // of the largest in the block
};

/// One tile of a product of 8-bit numbers: rows of activations (see quantize_row) times one panel.
struct Int8Tile {
    const void* a;               // rows of `depth` groups of 32 bits, a_stride bytes apart
    const Int8Block* a_blocks;   // (rows, blocks)
    const void* panel;           // (depth, columns of a panel) groups
    const float* column_scales;  // (blocks, columns of a panel)
    const float* column_sums;    // (blocks, columns of a panel): of the panel's numbers, scaled
    const float* bias;           // (columns of a panel)
    float* c;
    Index a_stride, c_stride, depth, blocks;
    const void* next = nullptr;  // as in GemmTile, but for each of the `blocks`
    Index next_step = 0;
};

/// And for both in pairs of bf16, summed in float: c = start + a panel.
struct BfloatTile {
    const unsigned short* a;      // rows of `depth` pairs, a_stride numbers apart
    const unsigned short* panel;  // (depth, columns of a panel) pairs
    const float* start;           // as in GemmTile
    float* c;
    Index a_stride, start_stride, c_stride, depth;
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
    /// panel (depth, columns) := factor times the transpose of as many rows, `stride` apart.
    void (*pack)(const Scalar* from, Index stride, Index depth, Scalar factor, Scalar* panel);
    void (*layer_norm)(const LayerNormRow<Scalar>&);
    void (*map)(FloatFunction, float* row, Index size);
    float (*largest)(const float* row, Index size);
    float (*exponentials)(float* row, Index size, float most);

    Index int8_group;  // numbers of a row that an 8-bit product takes at once: 4 bytes, or 2 of 16
                       // bits, for which panels are widened
    void (*multiply_int8)(const Int8Tile&, int rows);
    void (*quantize_row)(const float* row, Index size, void* out, Int8Block* blocks);
    void (*widen_bytes)(const signed char* panel, Index count, short* out);
    void (*multiply_bfloat)(const BfloatTile&, int rows);
    void (*round_to_bfloats)(const float* row, Index size, Index padded, unsigned short* out);
    void (*widen_bfloats)(const unsigned short* panel, Index count, float* out);
    void (*interleave_bfloats)(const unsigned short* first, const unsigned short* second,
                               Index size, unsigned short* out);
};

}  // namespace nystromformer::detail
