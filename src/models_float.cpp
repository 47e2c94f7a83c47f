// SPDX-License-Identifier: MIT
#define NYSTROMFORMER_BODIES
#define NYSTROMFORMER_SCALAR float
#include "models.inc"
