// SPDX-License-Identifier: MIT
// The kernel sources (*.inc), each compiled for every instruction set in a namespace of its own.
//
// No Eigen and no standard library inside the target regions: a shared template that is compiled
// with wider instructions there could be the copy that the linker keeps for every caller.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/kernels/isa.hpp>

namespace nystromformer::detail {

/// One tile of a matrix product: some rows of a, one panel of packed weights, and where the result
/// goes.
template <typename Scalar>
struct GemmTile {
    const Scalar* a;      // (rows, depth), rows a_stride apart
    const Scalar* panel;  // (depth, columns of a panel)
    const Scalar* bias;   // (columns of a panel)
    Scalar* c;            // (rows, columns of a panel), rows c_stride apart
    Index a_stride, c_stride, depth;
};

/// What `map` can apply to a row of floats.
enum class FloatFunction { exp, tanh, erf, sigmoid, gelu, gelu_new, quick_gelu, silu };

}  // namespace nystromformer::detail

#if defined(__clang__)
#define NYSTROMFORMER_UNROLL _Pragma("clang loop unroll(full)")
#else
#define NYSTROMFORMER_UNROLL _Pragma("GCC unroll 16")
#endif
#define NYSTROMFORMER_INLINE inline __attribute__((always_inline))

#define NYSTROMFORMER_VECTOR_BYTES 16
#define NYSTROMFORMER_TILE_ROWS 6
namespace nystromformer::detail::portable {
#include <nystromformer/kernels/elementwise.inc>
#include <nystromformer/kernels/gemm_tile.inc>
}  // namespace nystromformer::detail::portable
#undef NYSTROMFORMER_VECTOR_BYTES
#undef NYSTROMFORMER_TILE_ROWS

#if NYSTROMFORMER_X86
#define NYSTROMFORMER_VECTOR_BYTES 32
#define NYSTROMFORMER_TILE_ROWS 6
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
namespace nystromformer::detail::avx2 {
#include <nystromformer/kernels/elementwise.inc>
#include <nystromformer/kernels/gemm_tile.inc>
}  // namespace nystromformer::detail::avx2
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef NYSTROMFORMER_VECTOR_BYTES
#undef NYSTROMFORMER_TILE_ROWS

#define NYSTROMFORMER_VECTOR_BYTES 64
#define NYSTROMFORMER_TILE_ROWS 14
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,fma")
#endif
namespace nystromformer::detail::avx512 {
#include <nystromformer/kernels/elementwise.inc>
#include <nystromformer/kernels/gemm_tile.inc>
}  // namespace nystromformer::detail::avx512
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef NYSTROMFORMER_VECTOR_BYTES
#undef NYSTROMFORMER_TILE_ROWS
#endif
#undef NYSTROMFORMER_UNROLL
#undef NYSTROMFORMER_INLINE

namespace nystromformer::detail {

/// The kernels of one instruction set.
template <typename Scalar>
struct KernelTable {
    Index tile_rows;     // of a full GEMM tile
    Index tile_columns;  // of a panel
    void (*multiply)(const GemmTile<Scalar>&, int rows);
    void (*convolve_row)(const Scalar* taps, const Scalar* in, long num_taps, long width,
                         Scalar* out);
    void (*map)(FloatFunction, float* row, long size);
    void (*softmax)(float* row, long size);
};

#define NYSTROMFORMER_TABLE(isa)                                                              \
    KernelTable<Scalar> {                                                                     \
        isa::TileShape<Scalar>::rows, isa::TileShape<Scalar>::columns, isa::multiply<Scalar>, \
            isa::convolve_row<Scalar>, isa::map, isa::softmax                                 \
    }

template <typename Scalar>
KernelTable<Scalar> kernels_of(Isa isa) {
#if NYSTROMFORMER_X86
    if (isa == Isa::avx512) return NYSTROMFORMER_TABLE(avx512);
    if (isa == Isa::avx2) return NYSTROMFORMER_TABLE(avx2);
#endif
    (void)isa;
    return NYSTROMFORMER_TABLE(portable);
}
#undef NYSTROMFORMER_TABLE

/// The kernels of the active instruction set.
template <typename Scalar>
const KernelTable<Scalar>& kernels() {
    static const KernelTable<Scalar> table = kernels_of<Scalar>(active_isa());
    return table;
}

}  // namespace nystromformer::detail
