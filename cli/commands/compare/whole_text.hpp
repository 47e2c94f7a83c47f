// SPDX-License-Identifier: MIT
// A text as `compare` and `attention` give it to a model: whole, without padding.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/options.hpp>
#include <nystromformer/tokenizer.hpp>

#include <filesystem>
#include <string_view>

namespace compare_command {

namespace nf = nystromformer;

/// The tokenizer of a model's folder, whose notices go where those of the model go.
nf::Tokenizer tokenizer_of(const std::filesystem::path& folder, const nf::LoadOptions& options);

/// The text with its special tokens, cut to what the model takes if `long_text` says so; else
/// LengthError for one that is too long. InputError for a text without a token.
nf::Encoding encode_whole(const nf::Tokenizer& tokenizer, const nf::NystromformerConfig& config,
                          std::string_view text, const nf::LongText& long_text = {});

}  // namespace compare_command
