// SPDX-License-Identifier: MIT
// Header-only or compiled: where the bodies of the public functions are.
//
// By default a public header (`nystromformer/fill_mask.hpp`) ends by including its bodies, all
// inline. With NYSTROMFORMER_COMPILED, which the CMake target nystromformer::compiled defines, it
// only declares, and the library of that target has the bodies. A body is written once:
//     NYSTROMFORMER_INLINE Index ThreadPool::num_threads() const noexcept { ... }
// A header of bodies is included by one source of that library (src/), which defines
// NYSTROMFORMER_BODIES; templates are instantiated there for float and double.
//
// What stands below a body must not include its face, which would include the body half-way: plain
// types that both need have a face of their own (`encoding.hpp` next to `tokenizer.hpp`).
#pragma once

#if defined(NYSTROMFORMER_COMPILED)
#define NYSTROMFORMER_INLINE
#else
#define NYSTROMFORMER_INLINE inline
#endif
