// SPDX-License-Identifier: MIT
// The tree of a regular expression.
#pragma once

#include <nystromformer/tokenizer/unicode/unicode.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail {

enum class Greed : std::uint8_t { greedy, lazy, possessive };
enum class Anchor : std::uint8_t { text_begin, text_end, line_begin, line_end, word, no_word };

/// True if `anchor` holds before byte `at` of `text`.
inline bool holds(Anchor anchor, std::string_view text, std::size_t at) {
    const bool at_begin = at == 0, at_end = at == text.size();
    const auto is_word = [](char32_t point) {
        return unicode::has(point, unicode::flag_onig_word);
    };
    const auto touches_word = [&] {
        return (!at_begin && is_word(utf8::decode_before(text, at).point)) !=
               (!at_end && is_word(utf8::decode(text, at).point));
    };
    switch (anchor) {
        case Anchor::text_begin:
            return at_begin;
        case Anchor::text_end:
            return at_end;
        case Anchor::line_begin:  // no line begins after a last line feed
            return at_begin || (text[at - 1] == '\n' && !at_end);
        case Anchor::line_end:
            return at_end || text[at] == '\n';
        case Anchor::word:
            return touches_word();
        default:
            return !touches_word();
    }
}

/// A node and the nodes below it.
struct RegexNode {
    enum class Kind : std::uint8_t {
        set,
        sequence,
        choice,
        repeat,
        look_ahead,
        look_behind,  // of `min` characters
        anchor,
        group,           // number `min`, which a back-reference names
        back_reference,  // to group `min`
    };
    static constexpr std::uint32_t unbounded = std::numeric_limits<std::uint32_t>::max();

    Kind kind = Kind::sequence;
    std::vector<RegexNode> parts{};  // one for a repeat, a group, looking ahead and behind
    std::uint32_t set = 0;           // the number of the set of one character
    std::uint32_t min = 0, max = 0;  // of a repeat
    Greed greed = Greed::greedy;     // of a repeat
    bool is_negative = false;        // of looking ahead and behind
    bool is_never_empty = false;     // of a back-reference
    Anchor anchor = Anchor::word;

    /// True if the node can match no text at all.
    bool can_be_empty() const {
        const auto is_empty = [](const RegexNode& part) { return part.can_be_empty(); };
        switch (kind) {
            case Kind::set:
                return false;
            case Kind::sequence:
                return std::all_of(parts.begin(), parts.end(), is_empty);
            case Kind::choice:
                return std::any_of(parts.begin(), parts.end(), is_empty);
            case Kind::repeat:
                return min == 0 || is_empty(parts[0]);
            case Kind::group:
                return is_empty(parts[0]);
            case Kind::back_reference:
                return !is_never_empty;
            default:
                return true;
        }
    }

    /// The characters of every match, if all have the same number.
    std::optional<std::uint32_t> fixed_length() const {
        std::uint32_t result = 0;
        switch (kind) {
            case Kind::set:
                return 1;
            case Kind::anchor:
                return 0;
            case Kind::sequence:
                for (const RegexNode& part : parts) {
                    const auto length = part.fixed_length();
                    if (!length) return std::nullopt;
                    result += *length;
                }
                return result;
            case Kind::choice:
                for (const RegexNode& part : parts)
                    if (part.fixed_length() != parts[0].fixed_length()) return std::nullopt;
                return parts[0].fixed_length();
            case Kind::repeat: {
                const auto length = parts[0].fixed_length();
                return length && min == max ? std::optional(min * *length) : std::nullopt;
            }
            case Kind::group:
                return parts[0].fixed_length();
            default:
                return std::nullopt;
        }
    }

    /// True if no repeat in the node is without bound.
    bool is_bounded() const {
        return (kind != Kind::repeat || max != unbounded) &&
               std::all_of(parts.begin(), parts.end(),
                           [](const RegexNode& part) { return part.is_bounded(); });
    }
};

}  // namespace nystromformer::inline v0_2::detail
