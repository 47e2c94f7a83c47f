// SPDX-License-Identifier: MIT
// The scratch memory that forward passes keep on each thread: how to free it, and how much they
// use.
#pragma once

#include <nystromformer/core/mode.hpp>

#include <cstddef>

namespace nystromformer::inline v0_2 {

/// Frees the scratch memory that forward passes on this thread have left for the next one (a few
/// MB, or about 16 KB a token after a long text). Not during a forward pass.
void release_scratch();

/// The most bytes of scratch memory that each thread of the process had in use since the last call,
/// added up. Not during a forward pass.
[[nodiscard]] std::size_t take_scratch_peaks();

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/core/scratch.hpp>
#endif
