// SPDX-License-Identifier: MIT
// Operations on encodings: rows, windows of a truncated text, merging.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/encoding.hpp>
#include <nystromformer/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Calls `visit` with the same member of `first` and of every one of `rest`, for all row vectors.
template <typename Visit, typename... Encodings>
void for_each_row_vector(Visit&& visit, Encodings&... encodings) {
    visit(encodings.ids...);
    visit(encodings.type_ids...);
    visit(encodings.tokens...);
    visit(encodings.offsets...);
    visit(encodings.byte_offsets...);
    visit(encodings.attention_mask...);
    visit(encodings.special_tokens_mask...);
    visit(encodings.word_ids...);
    visit(encodings.sequence_ids...);
}

/// Rows [begin, end) without windows.
inline Encoding rows(const Encoding& from, std::size_t begin, std::size_t end) {
    Encoding result;
    for_each_row_vector(
        [&](auto& out, const auto& in) {
            const auto first = in.begin() + static_cast<std::ptrdiff_t>(begin);
            out.assign(first, first + static_cast<std::ptrdiff_t>(end - begin));
        },
        result, from);
    return result;
}

/// Appends the rows of `from`, moving what can be moved; the longer of both sides stays in place.
inline void append_rows(Encoding& to, Encoding from) {
    for_each_row_vector(
        [](auto& left, auto& right) {
            if (left.size() < right.size()) {
                right.insert(right.begin(), std::make_move_iterator(left.begin()),
                             std::make_move_iterator(left.end()));
                left.swap(right);
            } else {
                left.insert(left.end(), std::make_move_iterator(right.begin()),
                            std::make_move_iterator(right.end()));
            }
        },
        to, from);
}

/// One row that the tokenizer adds.
inline void append_row(Encoding& to, std::int64_t id, std::string_view token, std::int64_t type_id,
                       bool is_padding) {
    to.ids.push_back(id);
    to.type_ids.push_back(type_id);
    to.tokens.emplace_back(token);
    to.offsets.emplace_back(0, 0);
    to.byte_offsets.emplace_back(0, 0);
    to.attention_mask.push_back(is_padding ? 0 : 1);
    to.special_tokens_mask.push_back(1);
    to.word_ids.push_back(-1);
    to.sequence_ids.push_back(-1);
}

/// The rows of an encoding and of its windows.
inline Index all_rows(const Encoding& encoding) {
    Index rows = encoding.size();
    for (const Encoding& window : encoding.overflowing) rows += window.size();
    return rows;
}

/// InputError if windows or padding would turn `size` rows into so many that memory is out of
/// proportion to the text. A file can ask for that, for example by a stride of all tokens but one.
inline void check_rows_made(Index windows, Index rows_each, Index size, const char* place) {
    constexpr Index free_rows = Index{1} << 21, max_times = 16;
    const Index most = std::max(free_rows, max_times * size);
    if (windows == 0 || rows_each <= most / windows) return;
    throw InputError({"", place, "windows and padding of at most " + std::to_string(most) + " rows",
                      std::to_string(windows) + " windows of " + std::to_string(rows_each)});
}

/// Appends `next` and its windows: every window of either side is joined with every form of the
/// other, in the order of Hugging Face's Encoding::merge_with (windows inside windows are left
/// out).
inline void merge(Encoding& into, Encoding next) {
    const auto forms = static_cast<Index>(into.overflowing.size()) + 1;
    const auto next_forms = static_cast<Index>(next.overflowing.size()) + 1;
    if (forms > 1 || next_forms > 1) {
        const Index rows_in = all_rows(into), rows_next = all_rows(next);
        // Windows of windows: each of either side with each of the other.
        check_rows_made(forms * next_forms, rows_in / forms + rows_next / next_forms + 2,
                        rows_in + rows_next, "truncation");
    }
    std::vector<Encoding> windows;
    const auto join = [&](const Encoding& left, const Encoding& right) {
        windows.push_back(rows(left, 0, left.ids.size()));
        append_rows(windows.back(), rows(right, 0, right.ids.size()));
    };
    for (const Encoding& window : into.overflowing) {
        join(window, next);
        for (const Encoding& other : next.overflowing) join(window, other);
    }
    for (const Encoding& other : next.overflowing) join(into, other);
    append_rows(into, std::move(next));
    into.overflowing = std::move(windows);
}

}  // namespace nystromformer::inline v0_2::detail
