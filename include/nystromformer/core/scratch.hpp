// SPDX-License-Identifier: MIT
// The bodies of scratch.hpp.
#pragma once

#include <nystromformer/core/memory.hpp>
#include <nystromformer/scratch.hpp>

namespace nystromformer::inline v0_2 {

NYSTROMFORMER_INLINE void release_scratch() { detail::ScratchMemory::of_this_thread().release(); }

NYSTROMFORMER_INLINE std::size_t take_scratch_peaks() {
    return detail::ScratchMemory::take_peaks();
}

}  // namespace nystromformer::inline v0_2
