// SPDX-License-Identifier: MIT
// The readers of the components of tokenizer.json.
#pragma once

#include <nystromformer/tokenizer/component_json.hpp>
#include <nystromformer/tokenizer/decoder_reader.hpp>
#include <nystromformer/tokenizer/normalizer_reader.hpp>
#include <nystromformer/tokenizer/pre_tokenizer_reader.hpp>
