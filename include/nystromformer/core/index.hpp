// SPDX-License-Identifier: MIT
// Index: sizes and positions.
#pragma once

#include <cstdint>

namespace nystromformer::inline v0_2 {

/// Sizes and positions; 64 bits on every supported platform.
using Index = std::int64_t;

}  // namespace nystromformer::inline v0_2
