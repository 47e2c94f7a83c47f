// SPDX-License-Identifier: MIT
// Encoding: what a tokenizer makes of a text, and how a call truncates and pads it.
#pragma once

#include <nystromformer/core/index.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

/// One entry per token: all vectors except `overflowing` have the same length. Offsets are
/// half-open ranges in the text as it was given (each text of a pair counts from 0); special tokens
/// have (0, 0).
struct Encoding {
    std::vector<std::int64_t> ids;
    std::vector<std::int64_t> type_ids;
    std::vector<std::string> tokens;
    std::vector<std::pair<Index, Index>> offsets;       ///< code points
    std::vector<std::pair<Index, Index>> byte_offsets;  ///< UTF-8 bytes
    std::vector<std::uint8_t> attention_mask;           ///< 0 for padding
    std::vector<std::uint8_t> special_tokens_mask;      ///< 1 for what the tokenizer added
    std::vector<Index> word_ids;        ///< the pre-token that the token is part of, -1 for none
    std::vector<Index> sequence_ids;    ///< 0 or 1: which text, -1 for none
    std::vector<Encoding> overflowing;  ///< the other windows of a text that was truncated

    Index size() const { return static_cast<Index>(ids.size()); }

    /// The first token that covers a code point, or a byte, of text `sequence`; nothing if no token
    /// does (white space, or text that was cut off).
    std::optional<Index> char_to_token(Index character, Index sequence = 0) const {
        return token_at(offsets, character, sequence);
    }
    std::optional<Index> byte_to_token(Index byte, Index sequence = 0) const {
        return token_at(byte_offsets, byte, sequence);
    }
    /// The code points, or bytes, that a token covers; nothing for a token that is not part of a
    /// text, and for a number that no token has.
    std::optional<std::pair<Index, Index>> token_to_chars(Index token) const {
        return of_text(token) ? std::optional(offsets[static_cast<std::size_t>(token)])
                              : std::nullopt;
    }
    std::optional<std::pair<Index, Index>> token_to_bytes(Index token) const {
        return of_text(token) ? std::optional(byte_offsets[static_cast<std::size_t>(token)])
                              : std::nullopt;
    }

private:
    bool of_text(Index token) const {
        return token >= 0 && token < size() && sequence_ids[static_cast<std::size_t>(token)] >= 0;
    }
    std::optional<Index> token_at(const std::vector<std::pair<Index, Index>>& ranges, Index place,
                                  Index sequence) const {
        for (std::size_t i = 0; i < ranges.size(); ++i) {
            const auto& [begin, end] = ranges[i];
            if (sequence_ids[i] == sequence && begin <= place && place < end)
                return static_cast<Index>(i);
        }
        return std::nullopt;
    }
};

// With the names of Hugging Face: which text of a pair is cut; how far inputs are padded.
enum class TruncationStrategy { longest_first, only_first, only_second, do_not_truncate };
enum class PaddingStrategy { longest, fixed, do_not_pad };
enum class Direction { left, right };

/// How a long input is truncated. What is cut off becomes windows (Encoding::overflowing).
struct Truncation {
    Index max_length = 512;  ///< tokens, special ones included
    Index stride = 0;        ///< tokens that a window shares with the one before
    TruncationStrategy strategy = TruncationStrategy::longest_first;
    std::optional<Direction> direction = std::nullopt;  ///< of the windows; nothing: see Tokenizer
};

/// How short inputs are padded: to the longest of the batch or to `length` tokens, rounded up to a
/// multiple of `pad_to_multiple_of`.
struct Padding {
    PaddingStrategy strategy = PaddingStrategy::longest;
    Index length = 0;                                   ///< for PaddingStrategy::fixed
    std::optional<Direction> direction = std::nullopt;  ///< where it goes; nothing: see Tokenizer
    Index pad_to_multiple_of = 0;                       ///< 0: no rounding
    /// Default: the id of `pad_token`. If that is not set either, the id of the tokenizer's pad
    /// token, or 0 if the tokenizer has none.
    std::optional<std::int64_t> pad_id = std::nullopt;
    std::int64_t pad_type_id = 0;
    std::optional<std::string> pad_token = std::nullopt;  ///< nothing: the tokenizer's, or "[PAD]"
};

/// Options that switch off the truncation and padding of tokenizer.json.
inline const Truncation no_truncation{.strategy = TruncationStrategy::do_not_truncate};
inline const Padding no_padding{.strategy = PaddingStrategy::do_not_pad};

/// How to encode. Without truncation or padding here, those of tokenizer.json apply;
/// no_truncation and no_padding switch them off. Those that name no direction take the
/// tokenizer's truncation_side and padding_side.
struct EncodeOptions {
    bool add_special_tokens = true;
    std::optional<Truncation> truncation = std::nullopt;
    std::optional<Padding> padding = std::nullopt;
};

struct DecodeOptions {
    bool skip_special_tokens = true;
    /// Removes the space before English punctuation. Default: as tokenizer_config.json says, else
    /// false. Without effect on a BPE model, as in transformers 5.
    std::optional<bool> clean_up_tokenization_spaces = std::nullopt;
};

}  // namespace nystromformer::inline v0_2
