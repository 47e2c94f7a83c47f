// SPDX-License-Identifier: MIT
// The kernel sources of target/, compiled for each instruction set in a region and namespace of its
// own, and the choice among them.
//
// No Eigen and no standard library inside the regions: a shared template that is compiled with
// wider instructions there could be the copy that the linker keeps for every caller.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/kernels/backend.hpp>
#include <nystromformer/kernels/tile_plan.hpp>

#include <cstddef>
#include <string_view>

#if NYSTROMFORMER_X86
#include <immintrin.h>
#endif

// A region is compiled with the features of its own name in isa.hpp, and with no others.
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
#define NYSTROMFORMER_BEGIN_REGION(isa)                         \
    NYSTROMFORMER_BEGIN_TARGET(NYSTROMFORMER_FEATURE_TEXT(isa)) \
    namespace nystromformer::inline v0_2::detail::isa {
#define NYSTROMFORMER_END_REGION \
    }                            \
    NYSTROMFORMER_END_TARGET
#define NYSTROMFORMER_ALWAYS_INLINE inline __attribute__((always_inline))
#define NYSTROMFORMER_VNNI 1                 // AVX512-VNNI
#define NYSTROMFORMER_SDOT 2                 // AArch64's DotProd
#define NYSTROMFORMER_BYTE_INSTRUCTIONS 0    // none, or one of those
#define NYSTROMFORMER_BFLOAT_INSTRUCTIONS 0  // AVX512-BF16
#define NYSTROMFORMER_INT8_GROUP 4           // see byte_blocks.inc

// A Debug build would run the kernels 20 times slower, and nobody steps through them, so GCC
// optimizes these regions in every build. Clang has no such pragma: it can only turn optimization
// off.
#if defined(__GNUC__) && !defined(__clang__) && !defined(__OPTIMIZE__)
#define NYSTROMFORMER_OPTIMIZED_REGIONS
#pragma GCC push_options
#pragma GCC optimize("O2")
#endif

// The bounds of arrays are template parameters of type int.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"

#define NYSTROMFORMER_VECTOR_BYTES 16
#if defined(NYSTROMFORMER_TILE_MODEL)
// The kernels of amx on a model of its tiles, and all others in panels of 32 columns.
#define NYSTROMFORMER_TILE_VECTORS 8
#define NYSTROMFORMER_TILE_HEIGHTS 1
namespace nystromformer::inline v0_2::detail::wide_portable {
#include <nystromformer/kernels/target/region.inc>
}  // namespace nystromformer::inline v0_2::detail::wide_portable
namespace nystromformer::inline v0_2::detail::tile_model {
// clang-format off
#include <nystromformer/kernels/target/vectors.inc>
#include <nystromformer/kernels/target/byte_blocks.inc>
#include <nystromformer/kernels/target/tile_model.inc>
#include <nystromformer/kernels/target/tile_product.inc>
// clang-format on
inline BfloatKernels bfloat_kernels() { return on_tiles(wide_portable::bfloat_kernels()); }
inline ByteKernels byte_kernels() { return on_tiles(wide_portable::byte_kernels()); }
}  // namespace nystromformer::inline v0_2::detail::tile_model
#undef NYSTROMFORMER_TILE_VECTORS
#undef NYSTROMFORMER_TILE_HEIGHTS
#endif

// What any CPU of the target runs: SSE2 or NEON, or plain code.
#if NYSTROMFORMER_X86
#undef NYSTROMFORMER_INT8_GROUP
#define NYSTROMFORMER_INT8_GROUP 2
#endif
#define NYSTROMFORMER_TILE_VECTORS 2
#define NYSTROMFORMER_TILE_HEIGHTS 1, 2, 3, 4, 5, 6
namespace nystromformer::inline v0_2::detail::portable {
#include <nystromformer/kernels/target/region.inc>
}  // namespace nystromformer::inline v0_2::detail::portable

#if NYSTROMFORMER_NEON
// 32 registers of 16 bytes hold a tile of twice the width.
#undef NYSTROMFORMER_TILE_VECTORS
#define NYSTROMFORMER_TILE_VECTORS 4
namespace nystromformer::inline v0_2::detail::neon {
#include <nystromformer/kernels/target/region.inc>
}  // namespace nystromformer::inline v0_2::detail::neon

#undef NYSTROMFORMER_BYTE_INSTRUCTIONS
#define NYSTROMFORMER_BYTE_INSTRUCTIONS NYSTROMFORMER_SDOT
NYSTROMFORMER_BEGIN_REGION(neon_dotprod)
// clang-format off
#include <nystromformer/kernels/target/vectors.inc>
#include <nystromformer/kernels/target/byte_blocks.inc>
#include <nystromformer/kernels/target/byte_product.inc>
// clang-format on
NYSTROMFORMER_END_REGION

#undef NYSTROMFORMER_BYTE_INSTRUCTIONS
#define NYSTROMFORMER_BYTE_INSTRUCTIONS 0
NYSTROMFORMER_BEGIN_REGION(neon_i8mm)
// clang-format off
#include <nystromformer/kernels/target/vectors.inc>
#include <nystromformer/kernels/target/byte_blocks.inc>
#include <nystromformer/kernels/target/matrix_product.inc>
// clang-format on
inline ByteKernels byte_kernels() { return on_matrices(neon::byte_kernels()); }
NYSTROMFORMER_END_REGION

NYSTROMFORMER_BEGIN_REGION(neon_bf16)
// clang-format off
#include <nystromformer/kernels/target/vectors.inc>
#include <nystromformer/kernels/target/byte_blocks.inc>
#include <nystromformer/kernels/target/matrix_product.inc>
// clang-format on
inline BfloatKernels bfloat_kernels() { return on_matrices(neon::bfloat_kernels()); }
NYSTROMFORMER_END_REGION
#endif

#if NYSTROMFORMER_WIDE_X86
#undef NYSTROMFORMER_VECTOR_BYTES
#define NYSTROMFORMER_VECTOR_BYTES 32
NYSTROMFORMER_BEGIN_REGION(avx2)
#include <nystromformer/kernels/target/region.inc>
NYSTROMFORMER_END_REGION

#undef NYSTROMFORMER_VECTOR_BYTES
#define NYSTROMFORMER_VECTOR_BYTES 64
#undef NYSTROMFORMER_TILE_HEIGHTS
#define NYSTROMFORMER_TILE_HEIGHTS 1, 2, 3, 4, 5, 6, 7, 14
NYSTROMFORMER_BEGIN_REGION(avx512)
#include <nystromformer/kernels/target/region.inc>
NYSTROMFORMER_END_REGION

#undef NYSTROMFORMER_INT8_GROUP
#define NYSTROMFORMER_INT8_GROUP 4
#undef NYSTROMFORMER_BYTE_INSTRUCTIONS
#define NYSTROMFORMER_BYTE_INSTRUCTIONS NYSTROMFORMER_VNNI
NYSTROMFORMER_BEGIN_REGION(avx512vnni)
// clang-format off
#include <nystromformer/kernels/target/vectors.inc>
#include <nystromformer/kernels/target/byte_blocks.inc>
#include <nystromformer/kernels/target/byte_product.inc>
// clang-format on
NYSTROMFORMER_END_REGION

#undef NYSTROMFORMER_BFLOAT_INSTRUCTIONS
#define NYSTROMFORMER_BFLOAT_INSTRUCTIONS 1
NYSTROMFORMER_BEGIN_REGION(avx512bf16)
// clang-format off
#include <nystromformer/kernels/target/vectors.inc>
#include <nystromformer/kernels/target/bfloat_product.inc>
// clang-format on
NYSTROMFORMER_END_REGION

NYSTROMFORMER_BEGIN_REGION(amx)
// clang-format off
#include <nystromformer/kernels/target/vectors.inc>
#include <nystromformer/kernels/target/byte_blocks.inc>
#include <nystromformer/kernels/target/tiles.inc>
#include <nystromformer/kernels/target/tile_product.inc>
// clang-format on
inline BfloatKernels bfloat_kernels() { return on_tiles(avx512bf16::bfloat_kernels()); }
inline ByteKernels byte_kernels() { return on_tiles(avx512vnni::byte_kernels()); }
NYSTROMFORMER_END_REGION
#endif
#pragma GCC diagnostic pop
#if defined(NYSTROMFORMER_OPTIMIZED_REGIONS)
#pragma GCC pop_options
#undef NYSTROMFORMER_OPTIMIZED_REGIONS
#endif
#undef NYSTROMFORMER_VECTOR_BYTES
#undef NYSTROMFORMER_TILE_VECTORS
#undef NYSTROMFORMER_TILE_HEIGHTS
#undef NYSTROMFORMER_BYTE_INSTRUCTIONS
#undef NYSTROMFORMER_BFLOAT_INSTRUCTIONS
#undef NYSTROMFORMER_INT8_GROUP
#undef NYSTROMFORMER_VNNI
#undef NYSTROMFORMER_SDOT
#undef NYSTROMFORMER_BEGIN_REGION
#undef NYSTROMFORMER_END_REGION
#undef NYSTROMFORMER_BEGIN_TARGET
#undef NYSTROMFORMER_END_TARGET
#undef NYSTROMFORMER_PRAGMA
#undef NYSTROMFORMER_UNROLL
#undef NYSTROMFORMER_ALWAYS_INLINE

namespace nystromformer::inline v0_2::detail {

// A backend asks the CPU for every feature that its kernels are compiled with.
consteval bool has_all(std::string_view features, std::string_view wanted) {
    while (!wanted.empty()) {
        const std::size_t end = wanted.find_first_of(",+");
        const std::string_view word = wanted.substr(0, end);
        bool found = false;
        for (std::string_view rest = features; !found && !rest.empty();) {
            const std::size_t comma = rest.find_first_of(",+");
            found = rest.substr(0, comma) == word;
            rest = comma == rest.npos ? std::string_view() : rest.substr(comma + 1);
        }
        if (!found) return false;
        wanted = end == wanted.npos ? std::string_view() : wanted.substr(end + 1);
    }
    return true;
}
#define NYSTROMFORMER_BACKEND(isa, floats, bfloats, bytes)                                        \
    static_assert(has_all(NYSTROMFORMER_FEATURE_TEXT(isa), NYSTROMFORMER_FEATURE_TEXT(floats)));  \
    static_assert(has_all(NYSTROMFORMER_FEATURE_TEXT(isa), NYSTROMFORMER_FEATURE_TEXT(bfloats))); \
    static_assert(has_all(NYSTROMFORMER_FEATURE_TEXT(isa), NYSTROMFORMER_FEATURE_TEXT(bytes)));
NYSTROMFORMER_BACKENDS(NYSTROMFORMER_BACKEND)
#undef NYSTROMFORMER_BACKEND

template <typename Scalar>
FloatKernels<Scalar> float_kernels(Isa wanted) {
#define NYSTROMFORMER_BACKEND(isa, floats, bfloats, bytes) \
    if (wanted == Isa::isa) return floats::float_kernels<Scalar>();
    NYSTROMFORMER_BACKENDS(NYSTROMFORMER_BACKEND)
#undef NYSTROMFORMER_BACKEND
    return portable::float_kernels<Scalar>();
}
NYSTROMFORMER_INLINE RowKernels row_kernels(Isa wanted) {
#define NYSTROMFORMER_BACKEND(isa, floats, bfloats, bytes) \
    if (wanted == Isa::isa) return floats::row_kernels();
    NYSTROMFORMER_BACKENDS(NYSTROMFORMER_BACKEND)
#undef NYSTROMFORMER_BACKEND
    return portable::row_kernels();
}
NYSTROMFORMER_INLINE BfloatKernels bfloat_kernels(Isa wanted) {
#define NYSTROMFORMER_BACKEND(isa, floats, bfloats, bytes) \
    if (wanted == Isa::isa) return bfloats::bfloat_kernels();
    NYSTROMFORMER_BACKENDS(NYSTROMFORMER_BACKEND)
#undef NYSTROMFORMER_BACKEND
    return portable::bfloat_kernels();
}
NYSTROMFORMER_INLINE ByteKernels byte_kernels(Isa wanted) {
#define NYSTROMFORMER_BACKEND(isa, floats, bfloats, bytes) \
    if (wanted == Isa::isa) return bytes::byte_kernels();
    NYSTROMFORMER_BACKENDS(NYSTROMFORMER_BACKEND)
#undef NYSTROMFORMER_BACKEND
    return portable::byte_kernels();
}

template <typename Scalar>
const FloatKernels<Scalar>& float_kernels() {
    static const FloatKernels<Scalar> kernels = float_kernels<Scalar>(active_isa());
    return kernels;
}
NYSTROMFORMER_INLINE const RowKernels& row_kernels() {
    static const RowKernels kernels = row_kernels(active_isa());
    return kernels;
}
NYSTROMFORMER_INLINE const BfloatKernels& bfloat_kernels() {
    static const BfloatKernels kernels = bfloat_kernels(active_isa());
    return kernels;
}
NYSTROMFORMER_INLINE const ByteKernels& byte_kernels() {
    static const ByteKernels kernels = byte_kernels(active_isa());
    return kernels;
}

#if defined(NYSTROMFORMER_BODIES)
template FloatKernels<float> float_kernels<float>(Isa);
template FloatKernels<double> float_kernels<double>(Isa);
template const FloatKernels<float>& float_kernels<float>();
template const FloatKernels<double>& float_kernels<double>();
#endif

}  // namespace nystromformer::inline v0_2::detail
