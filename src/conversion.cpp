// SPDX-License-Identifier: MIT
#define NYSTROMFORMER_BODIES
#include <nystromformer/conversion/convert.hpp>
