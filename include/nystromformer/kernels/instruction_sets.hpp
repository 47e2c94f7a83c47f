// SPDX-License-Identifier: MIT
// The kernel sources (*.inc), each compiled for every instruction set in a namespace of its own.
//
// No Eigen and no standard library inside the target regions: a shared template that is compiled
// with wider instructions there could be the copy that the linker keeps for every caller.
#pragma once

#include <nystromformer/kernels/isa.hpp>
#include <nystromformer/kernels/kernel_table.hpp>

#if NYSTROMFORMER_X86
#include <immintrin.h>
#endif

#define NYSTROMFORMER_PRAGMA(words) _Pragma(#words)
#if defined(__clang__)
#define NYSTROMFORMER_UNROLL _Pragma("clang loop unroll(full)")
#define NYSTROMFORMER_BEGIN_TARGET(features) \
    NYSTROMFORMER_PRAGMA(                    \
        clang attribute push(__attribute__((target(features))), apply_to = function))
#define NYSTROMFORMER_END_TARGET _Pragma("clang attribute pop")
#else
#define NYSTROMFORMER_UNROLL _Pragma("GCC unroll 16")
#define NYSTROMFORMER_BEGIN_TARGET(features) \
    _Pragma("GCC push_options") NYSTROMFORMER_PRAGMA(GCC target(features))
#define NYSTROMFORMER_END_TARGET _Pragma("GCC pop_options")
#endif
#define NYSTROMFORMER_ALWAYS_INLINE inline __attribute__((always_inline))
#define NYSTROMFORMER_DOT_INSTRUCTIONS 0  // those of AVX512-VNNI and AVX512-BF16

// What any CPU of the target runs: SSE2 or NEON, or plain code.
#define NYSTROMFORMER_VECTOR_BYTES 16
#define NYSTROMFORMER_TILE_ROWS 6
#define NYSTROMFORMER_TILE_VECTORS 2
namespace nystromformer::detail::portable {
#include <nystromformer/kernels/region.inc>
}  // namespace nystromformer::detail::portable

#if NYSTROMFORMER_NEON
// 32 registers of 16 bytes hold a tile of twice the width.
#undef NYSTROMFORMER_TILE_VECTORS
#define NYSTROMFORMER_TILE_VECTORS 4
namespace nystromformer::detail::neon {
#include <nystromformer/kernels/region.inc>
}  // namespace nystromformer::detail::neon
#endif

#if NYSTROMFORMER_X86
#undef NYSTROMFORMER_VECTOR_BYTES
#define NYSTROMFORMER_VECTOR_BYTES 32
NYSTROMFORMER_BEGIN_TARGET("avx2,fma")
namespace nystromformer::detail::avx2 {
#include <nystromformer/kernels/region.inc>
}  // namespace nystromformer::detail::avx2
NYSTROMFORMER_END_TARGET

#undef NYSTROMFORMER_VECTOR_BYTES
#define NYSTROMFORMER_VECTOR_BYTES 64
#undef NYSTROMFORMER_TILE_ROWS
#define NYSTROMFORMER_TILE_ROWS 14
NYSTROMFORMER_BEGIN_TARGET("avx512f,avx512vl,avx512bw,avx512dq,fma")
namespace nystromformer::detail::avx512 {
#include <nystromformer/kernels/region.inc>
}  // namespace nystromformer::detail::avx512
NYSTROMFORMER_END_TARGET

// AVX-512 again, for CPUs that have instructions for products of bytes and of bf16.
#undef NYSTROMFORMER_DOT_INSTRUCTIONS
#define NYSTROMFORMER_DOT_INSTRUCTIONS 1
NYSTROMFORMER_BEGIN_TARGET("avx512f,avx512vl,avx512bw,avx512dq,avx512vnni,avx512bf16,fma")
namespace nystromformer::detail::avx512vnni {
#include <nystromformer/kernels/region.inc>
}  // namespace nystromformer::detail::avx512vnni
NYSTROMFORMER_END_TARGET
#endif

#undef NYSTROMFORMER_VECTOR_BYTES
#undef NYSTROMFORMER_TILE_ROWS
#undef NYSTROMFORMER_TILE_VECTORS
#undef NYSTROMFORMER_DOT_INSTRUCTIONS
#undef NYSTROMFORMER_END_TARGET
#undef NYSTROMFORMER_BEGIN_TARGET
#undef NYSTROMFORMER_PRAGMA
#undef NYSTROMFORMER_UNROLL
#undef NYSTROMFORMER_ALWAYS_INLINE

namespace nystromformer::detail {

template <typename Scalar>
KernelTable<Scalar> kernels_of(Isa isa) {
#if NYSTROMFORMER_X86
    if (isa == Isa::avx512vnni) return avx512vnni::table<Scalar>();
    if (isa == Isa::avx512) return avx512::table<Scalar>();
    if (isa == Isa::avx2) return avx2::table<Scalar>();
#elif NYSTROMFORMER_NEON
    if (isa == Isa::neon) return neon::table<Scalar>();
#endif
    (void)isa;
    return portable::table<Scalar>();
}

/// The kernels of the active instruction set.
template <typename Scalar>
const KernelTable<Scalar>& kernels() {
    static const KernelTable<Scalar> table = kernels_of<Scalar>(active_isa());
    return table;
}

}  // namespace nystromformer::detail
