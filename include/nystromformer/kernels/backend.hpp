// SPDX-License-Identifier: MIT
// The kernels: what each takes, and the three families (float, bf16, bytes) of the active backend.
//
// This header only declares; targets.hpp defines, and is what needs <immintrin.h>.
//
// To add an instruction set:
// 1. isa.hpp: list its CPU features in NYSTROMFORMER_FEATURES_name, add the name to Isa and a row
//    to NYSTROMFORMER_BACKENDS. A feature that __builtin_cpu_supports does not know, or that needs
//    more than the CPU's word, gets a number in cpu_features.hpp. The row says which region each
//    family comes from: a set that only multiplies bytes names another's float and bf16 kernels.
// 2. targets.hpp: a region for the families that it compiles itself, either the sources in target/
//    with other settings or a source of its own. A source has to define, in the region's namespace,
//    float_kernels<Scalar>() and row_kernels(), bfloat_kernels() or byte_kernels(). `multiply` gets
//    any number of rows and one panel: how to cut them into tiles is its own affair.
// 3. .ci/run (isas) forces the set if the CPU has it. The tests then compare its kernels with
//    their definitions, and tests/platforms/instructions_test.py looks for instructions that it did
//    not ask for.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/kernels/activations.hpp>
#include <nystromformer/kernels/isa.hpp>

namespace nystromformer::inline v0_2::detail {

/// c := start + a b for `rows` rows of a and one panel of b, the columns that a kernel computes at
/// once. Numbers are added in the order of the depth, whatever `rows` is, so that a row's result
/// does not depend on its neighbours. A step of the depth is one number; for bf16, a pair.
template <typename Number, typename Sum = Number>
struct PanelProduct {
    const Number* a;             // (rows, depth)
    Index a_stride;              // from one row to the next, in numbers
    const Number* panel;         // (depth, columns), without a gap
    const Sum* start = nullptr;  // (rows, columns), may be `c`; null: 0
    Index start_stride = 0;
    Sum* c;  // (rows, columns)
    Index c_stride;
    Index rows, depth;
    const void* next =
        nullptr;  // a panel of this size, brought to the second-level cache meanwhile
};
using BfloatProduct = PanelProduct<unsigned short, float>;

/// Numbers of a row that share a scale when they are rounded to 8 bits, weights and activations.
inline constexpr Index int8_block = 256;

/// How a block of activations is kept: each number is scale * (byte - zero), except the number of
/// the largest magnitude, whose byte stands for 0. Few numbers are far larger than the rest.
struct Int8Block {
    float scale;
    float shift;  // scale * zero
    float largest;
    int place;  // of the largest in the block
};

/// c := bias + a b in 8 bits, where `a` is made by quantize_row. A step of the depth is a group.
struct ByteProduct {
    const void* a;               // (rows, depth) groups of 32 bits
    Index a_stride;              // from one row to the next, in bytes
    const Int8Block* a_blocks;   // (rows, blocks)
    const void* panel;           // (depth, columns) groups
    const float* column_scales;  // (blocks, columns)
    const float* column_sums;    // (blocks, columns): of the panel's numbers, scaled
    const float* bias;           // (columns)
    float* c;
    Index c_stride;
    Index rows, depth, blocks;
    const void* next = nullptr;  // as in PanelProduct
    Index next_bytes = 0;        // its size
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

/// The columns of a panel are at most these, the rows_at_once of a family at most those.
inline constexpr Index max_columns = 32, max_rows_at_once = 96;

/// Products of float or double.
template <typename Scalar>
struct FloatKernels {
    Index columns;       // of a panel
    Index rows_at_once;  // that stay in the second-level cache while panels pass over them
    Index min_rows;      // fewer leave the arithmetic units waiting
    void (*multiply)(const PanelProduct<Scalar>&);
    /// panel (depth, columns) := factor times the transpose of as many rows, `stride` apart.
    void (*pack)(const Scalar* from, Index stride, Index depth, Scalar factor, Scalar* panel);
    void (*layer_norm)(const LayerNormRow<Scalar>&);
};

/// Rows of floats, from the same region as FloatKernels<float>.
struct RowKernels {
    /// Does nothing and returns false for an activation that has no vector form.
    bool (*activate)(Activation, float* row, Index size);
    float (*largest)(const float* row, Index size);
    /// row := e^(row - shift), nothing being above `shift`; returns the sum.
    float (*exponentials)(float* row, Index size, float shift);
};

/// Products of bf16, summed in float. Panels are as wide as those of floats.
struct BfloatKernels {
    Index columns, rows_at_once;
    Index step;        // of pairs; rows and panels are whole steps deep, with zeros at the end
    bool beats_float;  // `multiply` is faster than that of FloatKernels
    void (*multiply)(const BfloatProduct&);
    /// Rounds to nearest, ties to even, and writes zeros up to `padded` numbers.
    void (*round_row)(const float* row, Index size, Index padded, unsigned short* out);
    /// count pairs of every column, (count, columns, 2), to floats (2 count, columns).
    void (*widen)(const unsigned short* panel, Index count, float* out);
    /// out := first[0], second[0], first[1], second[1], ...
    void (*interleave)(const unsigned short* first, const unsigned short* second, Index size,
                       unsigned short* out);
};

/// Products of 8-bit numbers.
struct ByteKernels {
    Index columns, rows_at_once;
    Index group;  // numbers of a row that a product takes at once: four of 8 bits, or two of 16
    Index step;   // of groups, as that of pairs in BfloatKernels
    void (*multiply)(const ByteProduct&);
    void (*quantize_row)(const float* row, Index size, void* out, Int8Block* blocks);
    /// If a group is two: panels of 8-bit numbers, (count, columns, 4), to the 16-bit ones that
    /// `multiply` reads, (2 count, columns, 2).
    void (*widen)(const signed char* panel, Index count, short* out);
};

/// The kernels of the active backend, and of any that the CPU has.
template <typename Scalar>
const FloatKernels<Scalar>& float_kernels();
const RowKernels& row_kernels();
const BfloatKernels& bfloat_kernels();
const ByteKernels& byte_kernels();
template <typename Scalar>
FloatKernels<Scalar> float_kernels(Isa isa);
RowKernels row_kernels(Isa isa);
BfloatKernels bfloat_kernels(Isa isa);
ByteKernels byte_kernels(Isa isa);

}  // namespace nystromformer::inline v0_2::detail

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/kernels/targets.hpp>
#endif
