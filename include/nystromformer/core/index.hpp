// SPDX-License-Identifier: MIT
// Index: sizes and positions.
#pragma once

#include <cstdint>

namespace nystromformer {

/// Sizes and positions; 64 bits on every supported platform.
using Index = std::int64_t;

}  // namespace nystromformer
