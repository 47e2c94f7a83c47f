// SPDX-License-Identifier: MIT
// The quantifiers of a regular expression: ?, *, +, {n,m}, lazy and possessive.
#pragma once

#include <nystromformer/tokenizer/regex/regex_node.hpp>
#include <nystromformer/tokenizer/regex/regex_reader.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace nystromformer::inline v0_2::detail {

/// How often what stands before a quantifier is repeated.
struct RegexRepeats {
    std::uint32_t min = 0, max = RegexNode::unbounded;
    Greed greed = Greed::greedy;
    bool is_interval = false;  // which a quantifier may follow: x{1,3}+ is (?:x{1,3})+
};

inline std::optional<std::uint32_t> read_repeat_count(RegexReader& reader) {
    constexpr std::uint32_t max_repeats = 1000;
    std::optional<std::uint32_t> result;
    for (char byte = reader.peek(); byte >= '0' && byte <= '9'; byte = reader.peek()) {
        result = result.value_or(0) * 10 + static_cast<std::uint32_t>(byte - '0');
        if (*result > max_repeats)
            reader.refuse("with at most " + std::to_string(max_repeats) + " repeats");
        reader.next_point();
    }
    return result;
}

/// {n}, {n,}, {n,m} or {,m}.
inline RegexRepeats read_interval(RegexReader& reader) {
    reader.skip("{");
    const auto low = read_repeat_count(reader);
    RegexRepeats result{low.value_or(0), low.value_or(0)};
    bool is_valid = low.has_value();
    if (reader.skip(",")) {
        const auto high = read_repeat_count(reader);
        is_valid |= high.has_value();
        result.max = high.value_or(RegexNode::unbounded);
    }
    if (!is_valid || !reader.skip("}") || result.max < result.min)
        reader.refuse("without a { that is no interval");
    return result;
}

/// The quantifier that comes next, or nothing.
inline std::optional<RegexRepeats> read_quantifier(RegexReader& reader) {
    RegexRepeats result;
    const bool is_interval = reader.peek() == '{';
    if (is_interval) {
        result = read_interval(reader);
    } else if (reader.skip("?")) {
        result.max = 1;
    } else if (reader.skip("+")) {
        result.min = 1;
    } else if (!reader.skip("*")) {
        return std::nullopt;
    }
    result.is_interval = is_interval;
    if (reader.skip("?")) {
        if (is_interval && result.min == result.max) reader.refuse("without {n}?");
        result.greed = Greed::lazy;
    } else if (!is_interval && reader.skip("+")) {
        result.greed = Greed::possessive;
    }
    return result;
}

}  // namespace nystromformer::inline v0_2::detail
