// SPDX-License-Identifier: MIT
// Models and kernels of float and double for all tests: precompiled.hpp says so.
#include "instances.hpp"

NYSTROMFORMER_TEST_INSTANCES()
