// SPDX-License-Identifier: MIT
#define NYSTROMFORMER_BODIES
#include <nystromformer/tokenizer/tokenizer.hpp>
#include <nystromformer/tokenizer/unicode/text.hpp>
