// SPDX-License-Identifier: MIT
// The instruction sets that kernels are compiled for, and the one that this process uses.
#pragma once

#include <nystromformer/kernels/isa.hpp>
