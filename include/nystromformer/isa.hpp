// SPDX-License-Identifier: MIT
// The instruction sets that kernels are compiled for, and the one that this process uses.
#pragma once

#include <nystromformer/kernels/isa.hpp>

#include <vector>

namespace nystromformer::inline v0_2 {

/// The instruction sets that this CPU runs, best first.
inline std::vector<Isa> supported_isas() {
    std::vector<Isa> supported;
    for (const detail::Backend& backend : detail::backends)
        if (backend.runs_here()) supported.push_back(backend.isa);
    return supported;
}

}  // namespace nystromformer::inline v0_2
