// SPDX-License-Identifier: MIT
// The scratch memory that forward passes keep on each thread: how to free it, and how much they
// use.
#pragma once

#include <nystromformer/core/mode.hpp>

#include <cstddef>

namespace nystromformer::inline v0_2 {

/// Frees the scratch memory that forward passes on this thread keep for the next one (a few MB, or
/// about 16 KB per token after a long text). Do not call it during a forward pass.
void release_scratch();

/// The largest number of bytes of scratch memory that each thread had in use since the last call,
/// summed over the threads of the process. Do not call it during a forward pass.
[[nodiscard]] std::size_t take_scratch_peaks();

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/core/scratch.hpp>
#endif
