// SPDX-License-Identifier: MIT
// What byte-level post-processors do to offsets: spaces that are part of a token are not part of
// what it is said to cover:
// https://github.com/huggingface/tokenizers/blob/3ba8ad00/tokenizers/src/pre_tokenizers/byte_level.rs
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/tokenizer/encoding.hpp>
#include <nystromformer/tokenizer/pre_tokenizers/byte_alphabet.hpp>
#include <nystromformer/tokenizer/unicode/unicode.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace nystromformer::inline v0_2::detail {

/// The texts of an input as they were given; the second one is empty if there is no pair.
using Texts = std::array<std::string_view, 2>;

/// Trims the offsets of the rows of `encoding`, and those of its windows.
class OffsetTrimmer {
public:
    OffsetTrimmer(const Texts& texts, bool add_prefix_space)
        : texts_(texts), add_prefix_space_(add_prefix_space) {}

    void operator()(Encoding& encoding) const {
        for (std::size_t i = 0; i < encoding.tokens.size(); ++i) trim(encoding, i);
        for (Encoding& window : encoding.overflowing) (*this)(window);
    }

private:
    static bool is_space(char32_t point) {
        return point == byte_level_char(' ') || unicode::is_white(point);
    }

    void trim(Encoding& encoding, std::size_t i) const {
        const std::string_view token = encoding.tokens[i];
        Index leading = 0, trailing = 0;
        for (std::size_t at = 0; at < token.size(); ++leading) {
            const auto [point, size] = utf8::decode(token, at);
            if (!is_space(point)) break;
            at += size;
        }
        for (std::size_t end = token.size(); end > 0; ++trailing) {
            const auto [point, size] = utf8::decode_before(token, end);
            if (!is_space(point)) break;
            end -= size;
        }
        if (leading == 0 && trailing == 0) return;
        const auto [first, last] = encoding.offsets[i];
        // A single space in front of the text may be the one that was added.
        const bool is_first = i == 0 || first == 0;
        if (is_first && add_prefix_space_ && leading == 1) leading = 0;
        const Index begin = std::min(first + leading, last);
        const Index end =
            trailing > 0 && last >= trailing ? std::max(last - trailing, begin) : last;
        move_bytes(encoding, i, begin, end);
        encoding.offsets[i] = {begin, end};
    }

    /// The byte offsets that go with code points [begin, end), which lie in the old ones.
    void move_bytes(Encoding& encoding, std::size_t i, Index begin, Index end) const {
        if (encoding.sequence_ids[i] < 0) return;
        const auto [first, last] = encoding.offsets[i];
        auto& [first_byte, last_byte] = encoding.byte_offsets[i];
        const std::string_view text = texts_[static_cast<std::size_t>(encoding.sequence_ids[i])];
        first_byte = advance(text, first_byte, begin - first);
        if (end < last) last_byte = advance(text, first_byte, end - begin);
    }

    static Index advance(std::string_view text, Index byte, Index points) {
        for (; points > 0 && static_cast<std::size_t>(byte) < text.size(); --points)
            byte += static_cast<Index>(utf8::scan(text, static_cast<std::size_t>(byte)).size);
        return byte;
    }

    Texts texts_;
    bool add_prefix_space_;
};

}  // namespace nystromformer::inline v0_2::detail
