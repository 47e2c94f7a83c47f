// SPDX-License-Identifier: MIT
// Properties of code points: look-ups in the generated tables, Hangul, grapheme clusters.
#pragma once

#include <nystromformer/tokenizer/unicode/unicode_tables.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>

namespace nystromformer::inline v0_2::detail::unicode {

inline const Record& record(char32_t point) {
    constexpr char32_t planes_end = 0x34000, tags_begin = 0xE0000, tags_end = 0xE1000;
    char32_t compact = point;
    if (point >= planes_end) {
        constexpr char32_t private_begin = 0xF0000;
        if (point >= private_begin && (point & 0xFFFE) != 0xFFFE) return record(0xE000);
        if (point < tags_begin || point >= tags_end) return records[0];
        compact = point - tags_begin + planes_end;
    }
    return records[stage_2[stage_1[compact / block_size] * block_size + compact % block_size]];
}

inline bool has(char32_t point, Flag flag) { return (record(point).flags & flag) != 0; }
inline bool is_white(char32_t point) {
    if (point < 0x80) return point == ' ' || (point >= 9 && point <= 13);
    return has(point, flag_white);
}
inline bool is_word(char32_t point) { return has(point, flag_word); }

/// Sets of general categories, a bit for each.
constexpr std::uint32_t category_bit(Category category) {
    return 1U << static_cast<unsigned>(category);
}
inline std::uint32_t category_bit(char32_t point) { return category_bit(record(point).category); }

constexpr std::uint32_t letters = category_bit(Category::lu) | category_bit(Category::ll) |
                                  category_bit(Category::lt) | category_bit(Category::lm) |
                                  category_bit(Category::lo);
constexpr std::uint32_t numbers =
    category_bit(Category::nd) | category_bit(Category::nl) | category_bit(Category::no);
constexpr std::uint32_t separators =
    category_bit(Category::zs) | category_bit(Category::zl) | category_bit(Category::zp);

/// The script of UnicodeScripts, 0 if it goes with any.
inline std::uint8_t script(char32_t point) {
    const auto* after = std::upper_bound(
        std::begin(script_ranges), std::end(script_ranges), point,
        [](char32_t value, const ScriptRange& range) { return value < range.first; });
    return std::prev(after)->script;
}

/// Ideographs, as BertNormalizer has them.
constexpr bool is_chinese(char32_t point) {
    if (point < 0x3400) return false;
    return point <= 0x4DBF || (point >= 0x4E00 && point <= 0x9FFF) ||
           (point >= 0xF900 && point <= 0xFAFF) || (point >= 0x20000 && point <= 0x2A6DF) ||
           (point >= 0x2A700 && point <= 0x2B81F) || (point >= 0x2B920 && point <= 0x2CEAF) ||
           (point >= 0x2F800 && point <= 0x2FA1F);
}

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

/// What `first` and `second` make in canonical composition, or 0.
inline char32_t compose(char32_t first, char32_t second) {
    constexpr char32_t l_begin = 0x1100, v_begin = 0x1161, t_begin = 0x11A7;
    constexpr char32_t l_count = 19, v_count = 21, t_count = 28;
    if (first - l_begin < l_count && second - v_begin < v_count)
        return hangul_first + ((first - l_begin) * v_count + (second - v_begin)) * t_count;
    if (first >= hangul_first && first <= hangul_last && (first - hangul_first) % t_count == 0 &&
        second > t_begin && second < t_begin + t_count)
        return first + (second - t_begin);
    const auto* row =
        std::lower_bound(std::begin(compositions), std::end(compositions), std::pair(first, second),
                         [](const Composition& entry, const std::pair<char32_t, char32_t>& value) {
                             return std::pair(entry.first, entry.second) < value;
                         });
    const bool is_there =
        row != std::end(compositions) && row->first == first && row->second == second;
    return is_there ? row->composite : 0;
}

/// What the rules of UAX 29 need to know of the characters of a cluster so far.
class GraphemeState {
public:
    explicit GraphemeState(char32_t first) { advance(record(first)); }

    /// Adds the next character and returns true, or returns false if a new cluster starts.
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

}  // namespace nystromformer::inline v0_2::detail::unicode
