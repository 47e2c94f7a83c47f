// SPDX-License-Identifier: MIT
#define NYSTROMFORMER_BODIES
#define NYSTROMFORMER_SCALAR double
#include "models.inc"
