// SPDX-License-Identifier: MIT
// Properties of code points: look-ups in the generated tables, Hangul, grapheme clusters.
#pragma once

#include <nystromformer/tokenizer/unicode_tables.hpp>
#include <nystromformer/tokenizer/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>

namespace nystromformer::detail::unicode {

inline const Record& record(char32_t point) {
    constexpr char32_t planes_end = 0x34000, tags_begin = 0xE0000, tags_end = 0xE1000;
    char32_t compact = point;
    if (point >= planes_end) {
        if (point < tags_begin || point >= tags_end) return records[0];
        compact = point - tags_begin + planes_end;
    }
    return records[stage_2[stage_1[compact / 128] * 128U + compact % 128]];
}

inline bool has(char32_t point, Flag flag) { return (record(point).flags & flag) != 0; }
inline bool is_white(char32_t point) {
    if (point < 0x80) return point == ' ' || (point >= 9 && point <= 13);
    return has(point, flag_white);
}
inline bool is_word(char32_t point) { return has(point, flag_word); }

/// The lower-case form of one code point (U+0130 has two, which the caller handles).
inline char32_t lower(char32_t point) {
    const auto* range =
        std::lower_bound(std::begin(lower_ranges), std::end(lower_ranges), point,
                         [](const LowerRange& row, char32_t value) { return row.last < value; });
    if (range == std::end(lower_ranges) || point < range->first ||
        (point - range->first) % range->step != 0)
        return point;
    return static_cast<char32_t>(static_cast<std::int64_t>(point) + range->delta);
}

constexpr char32_t hangul_first = 0xAC00;
constexpr char32_t hangul_last = 0xD7A3;

/// Calls `emit` with each code point of the full decomposition of `point` (itself if it has none),
/// canonical or with `compatibility`.
template <typename Emit>
void decompose(char32_t point, bool compatibility, Emit&& emit) {
    if (point >= hangul_first && point <= hangul_last) {
        const char32_t index = point - hangul_first;
        emit(static_cast<char32_t>(0x1100 + index / 588));
        emit(static_cast<char32_t>(0x1161 + index % 588 / 28));
        if (index % 28 != 0) emit(static_cast<char32_t>(0x11A7 + index % 28));
        return;
    }
    if (!has(point, compatibility ? flag_nfkd : flag_nfd)) return emit(point);
    const auto begin = std::begin(decomposition_keys), end = std::end(decomposition_keys);
    auto key = std::lower_bound(begin, end, point * 2);
    // With both forms the compatibility one stands second; with one form it serves both.
    if (compatibility && std::next(key) != end && *std::next(key) == point * 2 + 1) ++key;
    const auto entry = key - begin;
    for (std::uint32_t i = decomposition_starts[entry]; i < decomposition_starts[entry + 1]; ++i) {
        const char32_t unit = decomposition_pool[i];
        if (unit < 0xD800 || unit > 0xDBFF) {
            emit(unit);
        } else {
            emit(0x10000 + ((unit - 0xD800) << 10) + (decomposition_pool[++i] - 0xDC00U));
        }
    }
}

/// What the rules of UAX 29 need to know of the characters of a cluster so far.
class GraphemeState {
public:
    explicit GraphemeState(char32_t first) { advance(record(first)); }

    /// Adds the next character and returns true, or returns false where a new cluster starts.
    bool join(char32_t next) {
        const Record& after = record(next);
        if (!joins(after.grapheme)) return false;
        advance(after);
        return true;
    }

private:
    static bool is_control(Grapheme kind) {
        return kind == Grapheme::control || kind == Grapheme::cr || kind == Grapheme::lf;
    }

    bool joins(Grapheme after) const {
        using enum Grapheme;
        if (before_ == cr && after == lf) return true;               // GB3
        if (is_control(before_) || is_control(after)) return false;  // GB4, GB5
        if (before_ == l && (after == l || after == v || after == lv || after == lvt)) return true;
        if ((before_ == lv || before_ == v) && (after == v || after == t)) return true;  // GB7
        if ((before_ == lvt || before_ == t) && after == t) return true;                 // GB8
        if (after == extend || after == zwj || after == spacing_mark) return true;  // GB9, GB9a
        if (before_ == prepend) return true;                                        // GB9b
        if (after == consonant) return conjunct_ == Conjunct::linked;               // GB9c
        if (before_ == zwj && after == pictographic) return joined_emoji_;          // GB11
        return before_ == regional_indicator && after == regional_indicator &&
               odd_indicators_;  // GB12, GB13
    }

    void advance(const Record& next) {
        const Grapheme kind = next.grapheme;
        if ((next.flags & flag_linker) != 0) {
            if (conjunct_ == Conjunct::open) conjunct_ = Conjunct::linked;
        } else if ((next.flags & flag_incb_extend) == 0) {
            conjunct_ = kind == Grapheme::consonant ? Conjunct::open : Conjunct::none;
        }
        joined_emoji_ = kind == Grapheme::zwj && emoji_;
        emoji_ = kind == Grapheme::pictographic || (kind == Grapheme::extend && emoji_);
        odd_indicators_ = kind == Grapheme::regional_indicator && !odd_indicators_;
        before_ = kind;
    }

    enum class Conjunct { none, open, linked };  // no consonant, one, one followed by a linker
    Grapheme before_ = Grapheme::any;
    Conjunct conjunct_ = Conjunct::none;
    bool emoji_ = false;           // pictographic extend*
    bool joined_emoji_ = false;    // pictographic extend* zwj
    bool odd_indicators_ = false;  // an odd number of regional indicators
};

/// Where the extended grapheme cluster that starts at `begin` of valid text ends.
inline std::size_t cluster_end(std::string_view text, std::size_t begin) {
    const utf8::Decoded first = utf8::decode(text, begin);
    GraphemeState state(first.point);
    std::size_t end = begin + first.size;
    while (end < text.size()) {
        const utf8::Decoded next = utf8::decode(text, end);
        if (!state.join(next.point)) break;
        end += next.size;
    }
    return end;
}

}  // namespace nystromformer::detail::unicode
