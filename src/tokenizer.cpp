// SPDX-License-Identifier: MIT
// With the conversion of folders, which would compile the loaders of tokenizers again.
#define NYSTROMFORMER_BODIES
#include <nystromformer/conversion/convert.hpp>
#include <nystromformer/tokenizer/tokenizer.hpp>
#include <nystromformer/tokenizer/unicode/text.hpp>
