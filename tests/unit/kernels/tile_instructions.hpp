// SPDX-License-Identifier: MIT
// The kernels of amx, but for the tile instructions compiled for any CPU, so that a test can
// emulate those (see kernels/targets.hpp, which compiles the same sources).
#pragma once

#include "unit/kernels/tile_emulator.hpp"

#include <nystromformer/kernels/backend.hpp>
#include <nystromformer/kernels/tile_plan.hpp>

#if defined(NYSTROMFORMER_TILE_EMULATOR)

#define NYSTROMFORMER_ALWAYS_INLINE inline __attribute__((always_inline))
#define NYSTROMFORMER_UNROLL
#define NYSTROMFORMER_VNNI 1
#define NYSTROMFORMER_SDOT 2
#define NYSTROMFORMER_BYTE_INSTRUCTIONS 0
#define NYSTROMFORMER_INT8_GROUP 4
#define NYSTROMFORMER_VECTOR_BYTES 16
#define NYSTROMFORMER_TILE_VECTORS 8
#define NYSTROMFORMER_TILE_HEIGHTS 1
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("amx-tile,amx-bf16,amx-int8"))), \
                             apply_to = function)
#endif
namespace nystromformer::inline v0_2::detail::tile_instructions {
// clang-format off
#include <nystromformer/kernels/target/vectors.inc>
#include <nystromformer/kernels/target/byte_blocks.inc>
#include <nystromformer/kernels/target/tiles.inc>
#include <nystromformer/kernels/target/tile_product.inc>
// clang-format on
}  // namespace nystromformer::inline v0_2::detail::tile_instructions
#if defined(__clang__)
#pragma clang attribute pop
#endif
#pragma GCC diagnostic pop
#undef NYSTROMFORMER_ALWAYS_INLINE
#undef NYSTROMFORMER_UNROLL
#undef NYSTROMFORMER_VNNI
#undef NYSTROMFORMER_SDOT
#undef NYSTROMFORMER_BYTE_INSTRUCTIONS
#undef NYSTROMFORMER_INT8_GROUP
#undef NYSTROMFORMER_VECTOR_BYTES
#undef NYSTROMFORMER_TILE_VECTORS
#undef NYSTROMFORMER_TILE_HEIGHTS

#endif
