// SPDX-License-Identifier: MIT
#define NYSTROMFORMER_BODIES
#include <nystromformer/core/json_parser.hpp>
#include <nystromformer/core/scratch.hpp>
#include <nystromformer/core/thread_pool.hpp>
