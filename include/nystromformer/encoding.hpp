// SPDX-License-Identifier: MIT
// Encoding: what a tokenizer makes of a text, and how a call truncates and pads it.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/error.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

/// One entry per token: all vectors except `overflowing` have the same length. Offsets are
/// half-open ranges in the text as it was given (each text of a pair counts from 0); special tokens
/// have (0, 0).
///
/// Of an encoding that you fill yourself, a function below needs `ids` and what it looks up, of
/// equal length, or throws InputError. Without sequence_ids, all tokens are of text 0.
struct Encoding {
    std::vector<std::int64_t> ids = {};
    std::vector<std::int64_t> type_ids = {};
    /// As the vocabulary spells them. An added token stands as in the text (" [MASK]" if it takes
    /// the space before it), and so does an unknown piece of a Unigram. Look for tokens by id.
    std::vector<std::string> tokens = {};
    std::vector<std::pair<Index, Index>> offsets = {};       ///< code points
    std::vector<std::pair<Index, Index>> byte_offsets = {};  ///< UTF-8 bytes
    std::vector<std::int64_t> attention_mask = {};           ///< 0 for padding
    std::vector<std::int64_t> special_tokens_mask = {};      ///< 1 for what the tokenizer added
    std::vector<Index> word_ids = {};      ///< the pre-token that the token is part of, -1 for none
    std::vector<Index> sequence_ids = {};  ///< 0 or 1: which text, -1 for none
    /// The other windows of a text that was truncated. Padding fills them too, but
    /// ModelInput::of_encodings takes the encoding itself without them.
    std::vector<Encoding> overflowing = {};

    Index size() const { return static_cast<Index>(ids.size()); }

    /// The first token that covers a code point, or a byte, of text `sequence`; nothing if no token
    /// does (white space, or text that was cut off).
    std::optional<Index> char_to_token(Index character, Index sequence = 0) const {
        return token_at("offsets", offsets, character, sequence);
    }
    std::optional<Index> byte_to_token(Index byte, Index sequence = 0) const {
        return token_at("byte_offsets", byte_offsets, byte, sequence);
    }
    /// The code points, or bytes, that a token covers; nothing for a token that is not part of a
    /// text, and for a number that no token has.
    std::optional<std::pair<Index, Index>> token_to_chars(Index token) const {
        return range_of("offsets", offsets, token);
    }
    std::optional<std::pair<Index, Index>> token_to_bytes(Index token) const {
        return range_of("byte_offsets", byte_offsets, token);
    }

private:
    using Ranges = std::vector<std::pair<Index, Index>>;

    std::optional<std::pair<Index, Index>> range_of(const char* field, const Ranges& ranges,
                                                    Index token) const {
        check_sizes(field, ranges.size());
        if (token < 0 || token >= size()) return std::nullopt;
        const auto at = static_cast<std::size_t>(token);
        return sequence_of(at) >= 0 ? std::optional(ranges[at]) : std::nullopt;
    }
    std::optional<Index> token_at(const char* field, const Ranges& ranges, Index place,
                                  Index sequence) const {
        check_sizes(field, ranges.size());
        for (std::size_t i = 0; i < ranges.size(); ++i) {
            const auto& [begin, end] = ranges[i];
            if (sequence_of(i) == sequence && begin <= place && place < end)
                return static_cast<Index>(i);
        }
        return std::nullopt;
    }
    Index sequence_of(std::size_t token) const {
        return sequence_ids.empty() ? 0 : sequence_ids[token];
    }
    void check_sizes(const char* field, std::size_t length) const {
        check_size(field, length);
        if (!sequence_ids.empty()) check_size("sequence_ids", sequence_ids.size());
    }
    void check_size(const char* field, std::size_t length) const {
        if (length == ids.size()) return;
        throw InputError({"", field, std::to_string(ids.size()) + ", one for each of ids",
                          std::to_string(length)});
    }
};

/// longest_first takes tokens from the longer text of a pair until both fit. only_first and
/// only_second cut that text alone: an input that is too long is an InputError if that text is too
/// short to make it fit, or not there. from_file is what tokenizer.json says.
enum class TruncationStrategy {
    longest_first,
    only_first,
    only_second,
    do_not_truncate,
    from_file,
};
enum class PaddingStrategy { longest, fixed, do_not_pad, from_file };
enum class Direction { left, right };

/// How a long input is truncated. What is cut off becomes windows (Encoding::overflowing). With
/// TruncationStrategy::from_file, any other field but its default is an InputError.
struct Truncation {
    Index max_length = 512;  ///< tokens, special ones included
    /// Tokens that a window shares with the one before: less than max_length without the special
    /// tokens, or 0.
    Index stride = 0;
    TruncationStrategy strategy = TruncationStrategy::longest_first;
    std::optional<Direction> direction = std::nullopt;  ///< of the windows; nothing: see Tokenizer

    bool operator==(const Truncation&) const = default;
};

/// How short inputs are padded: to the longest of the batch or to `length` tokens, rounded up to a
/// multiple of `pad_to_multiple_of`. A `length` without PaddingStrategy::fixed is an InputError, as
/// is the reverse. With PaddingStrategy::from_file, any other field but its default is one, too.
struct Padding {
    PaddingStrategy strategy = PaddingStrategy::longest;
    Index length = 0;                                   ///< for PaddingStrategy::fixed, and only it
    std::optional<Direction> direction = std::nullopt;  ///< where it goes; nothing: see Tokenizer
    Index pad_to_multiple_of = 0;                       ///< 0: no rounding
    /// Default: the id of `pad_token`. If that is not set either, the id of the tokenizer's pad
    /// token, or 0 if the tokenizer has none.
    std::optional<std::int64_t> pad_id = std::nullopt;
    std::int64_t pad_type_id = 0;
    /// Default: the vocabulary's token of `pad_id`. If that is not set, or the vocabulary does not
    /// have it, the tokenizer's pad token, or "[PAD]" if the tokenizer has none.
    std::optional<std::string> pad_token = std::nullopt;

    bool operator==(const Padding&) const = default;
};

/// Options that switch off the truncation and padding of tokenizer.json.
inline const Truncation no_truncation{.strategy = TruncationStrategy::do_not_truncate};
inline const Padding no_padding{.strategy = PaddingStrategy::do_not_pad};

/// How to encode. By default, the truncation and padding of tokenizer.json apply; no_truncation and
/// no_padding switch them off. `{}` is a default Truncation or Padding, and does truncate or pad.
/// Those that name no direction take the tokenizer's truncation_side and padding_side.
struct EncodeOptions {
    bool add_special_tokens = true;
    Truncation truncation = {.strategy = TruncationStrategy::from_file};
    Padding padding = {.strategy = PaddingStrategy::from_file};
};

struct DecodeOptions {
    bool skip_special_tokens = true;
    /// Removes the space before English punctuation. Default: as tokenizer_config.json says, else
    /// false. Without effect on a BPE model, as in transformers 5.
    std::optional<bool> clean_up_tokenization_spaces = std::nullopt;
};

}  // namespace nystromformer::inline v0_2
