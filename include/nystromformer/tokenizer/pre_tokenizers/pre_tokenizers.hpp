// SPDX-License-Identifier: MIT
// The pre-tokenisers of tokenizer.json: they cut normalised text into the pieces that the model
// sees.
#pragma once

#include <nystromformer/tokenizer/piece_text.hpp>
#include <nystromformer/tokenizer/pre_tokenizers/byte_level.hpp>
#include <nystromformer/tokenizer/pre_tokenizers/character_splits.hpp>
#include <nystromformer/tokenizer/pre_tokenizers/metaspace.hpp>
#include <nystromformer/tokenizer/pre_tokenizers/split.hpp>

#include <variant>
#include <vector>

namespace nystromformer::inline v0_2::detail {

using PreTokenizer =
    std::variant<WhitespaceSplit, Metaspace, BertPreTokenizer, ByteLevel, Whitespace,
                 CharDelimiterSplit, Punctuation, Digits, UnicodeScripts, FixedLength, Split>;

inline void apply(const std::vector<PreTokenizer>& chain, PieceText& target) {
    for (const PreTokenizer& pre_tokenizer : chain)
        std::visit([&](const auto& step) { step(target); }, pre_tokenizer);
}

}  // namespace nystromformer::inline v0_2::detail
