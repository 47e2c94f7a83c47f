// SPDX-License-Identifier: MIT
// Truncation into overlapping windows, and padding:
// https://github.com/huggingface/tokenizers/tree/3ba8ad00/tokenizers/src/utils
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/encoding.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/encoding.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

constexpr Index longest_row = Index{1} << 20;  // tokens; a bound on what padding may allocate

inline Direction read_direction(const JsonView<TokenizerError>& json) {
    if (json.string() == "Left") return Direction::left;
    if (json.string() != "Right") json.fail("\"Left\" or \"Right\"");
    return Direction::right;
}

/// A number of tokens. Rust's largest, 2^64 - 1, stands for no limit; 2^62 is none either.
inline Index read_length(const JsonView<TokenizerError>& json) {
    constexpr std::int64_t max_length = std::int64_t{1} << 62;
    if (json.raw().is_number_unsigned() && json.raw().get<std::uint64_t>() > max_length)
        return max_length;
    return json.integer(0, max_length);
}

/// Reads /truncation. Throws TokenizerError.
inline Truncation read_truncation(const JsonView<TokenizerError>& json) {
    Truncation result;
    result.max_length = read_length(json.at("max_length"));
    result.stride = read_length(json.at("stride"));
    const auto strategy = json.at("strategy");
    if (strategy.string() == "OnlyFirst") {
        result.strategy = TruncationStrategy::only_first;
    } else if (strategy.string() == "OnlySecond") {
        result.strategy = TruncationStrategy::only_second;
    } else if (strategy.string() != "LongestFirst") {
        strategy.fail("\"LongestFirst\", \"OnlyFirst\" or \"OnlySecond\"");
    }
    result.direction =
        json.has("direction") ? read_direction(json.at("direction")) : Direction::right;
    return result;
}

/// Reads /padding. Throws TokenizerError.
inline Padding read_padding(const JsonView<TokenizerError>& json) {
    Padding result;
    const auto strategy = json.at("strategy");
    if (strategy.is_object()) {
        result.strategy = PaddingStrategy::fixed;
        result.length = strategy.at("Fixed").integer(0, longest_row);
    } else if (strategy.string() != "BatchLongest") {
        strategy.fail("\"BatchLongest\" or {\"Fixed\": length}");
    }
    result.direction = read_direction(json.at("direction"));
    if (json.holds("pad_to_multiple_of"))
        result.pad_to_multiple_of = json.at("pad_to_multiple_of").integer(0, longest_row);
    // An id that the vocabulary does not have harms no text that is not padded.
    result.pad_id = json.at("pad_id").integer(0, 0xFFFFFFFF);
    result.pad_type_id = json.at("pad_type_id").integer(0, 0x7FFFFFFF);
    result.pad_token = json.at("pad_token").string();
    return result;
}

inline InputError stride_error(Index stride, Index max_length) {
    return InputError({"", "truncation.stride",
                       "0, or less than the " + std::to_string(max_length) +
                           " tokens that a window has besides the special ones",
                       std::to_string(stride)});
}

/// Cuts `encoding` to windows of `max_length`; the first one stays, the others are its overflow.
inline void truncate(Encoding& encoding, Index max_length, const Truncation& truncation) {
    const Index size = encoding.size();
    if (max_length >= size) return;
    std::vector<Encoding> windows;
    if (max_length == 0) {
        windows.push_back(std::move(encoding));
        encoding = {};
    } else {
        if (truncation.stride >= max_length) throw stride_error(truncation.stride, max_length);
        const Index step = max_length - truncation.stride;
        check_rows_made((size - max_length - 1) / step + 2, max_length, size, "truncation.stride");
        const bool from_right = truncation.direction == Direction::left;
        for (Index begin = 0;; begin += step) {
            const Index end = std::min(begin + max_length, size);
            windows.push_back(rows(encoding,
                                   static_cast<std::size_t>(from_right ? size - end : begin),
                                   static_cast<std::size_t>(from_right ? size - begin : end)));
            if (end == size) break;
        }
        encoding = std::move(windows.front());
        windows.erase(windows.begin());
    }
    encoding.overflowing = std::move(windows);
}

/// The lengths that "longest first" leaves of two texts.
inline std::pair<Index, Index> longest_first(Index first, Index second, Index max_length) {
    Index shorter = std::min(first, second), longer = std::max(first, second);
    longer = shorter > max_length ? shorter : std::max(shorter, max_length - shorter);
    if (shorter + longer > max_length) {
        shorter = max_length / 2;
        longer = shorter + max_length % 2;
    }
    return first > second ? std::pair(longer, shorter) : std::pair(shorter, longer);
}

/// InputError if `added` special tokens do not fit.
inline void check_max_length(const Truncation& truncation, Index added) {
    if (truncation.max_length >= added) return;
    throw InputError({"", "truncation.max_length",
                      "at least " + std::to_string(added) + " (the special tokens)",
                      std::to_string(truncation.max_length)});
}

/// Cuts a text, or a pair, so that `added` special tokens still fit. Throws InputError, and
/// LengthError if the other text of a pair leaves no room for the one to cut.
inline void truncate(Encoding& first, Encoding* second, const Truncation& truncation, Index added) {
    if (truncation.strategy == TruncationStrategy::do_not_truncate) return;
    check_max_length(truncation, added);
    const Index max_length = truncation.max_length - added;
    const Index total = first.size() + (second != nullptr ? second->size() : 0);
    if (max_length == 0) {
        truncate(first, 0, truncation);
        if (second != nullptr) truncate(*second, 0, truncation);
        return;
    }
    if (total <= max_length) return;
    if (truncation.strategy == TruncationStrategy::longest_first) {
        if (second == nullptr) return truncate(first, max_length, truncation);
        const auto [left, right] = longest_first(first.size(), second->size(), max_length);
        truncate(first, left, truncation);
        return truncate(*second, right, truncation);
    }
    Encoding* target = truncation.strategy == TruncationStrategy::only_first ? &first : second;
    if (target == nullptr)
        throw InputError({"", "truncation.strategy", "a pair for only_second", "one text"});
    const Index left = target->size() - (total - max_length);
    if (left <= 0) {
        const Index rest = total - target->size();
        throw LengthError(
            {"", "truncation",
             "at most " + std::to_string(max_length - 1) + " tokens in the text that is not cut",
             std::to_string(rest)},
            static_cast<std::size_t>(total + added),
            static_cast<std::size_t>(truncation.max_length));
    }
    truncate(*target, left, truncation);
}

/// Fills `encoding` and its windows to `length` rows.
inline void pad(Encoding& encoding, Index length, const Padding& padding) {
    for (Encoding& window : encoding.overflowing) pad(window, length, padding);
    if (encoding.size() >= length) return;
    Encoding fill;
    for (Index i = encoding.size(); i < length; ++i)
        append_row(fill, padding.pad_id.value_or(0), padding.pad_token.value_or("[PAD]"),
                   padding.pad_type_id, true);
    if (padding.direction != Direction::left) return append_rows(encoding, std::move(fill));
    fill.overflowing = std::move(encoding.overflowing);
    append_rows(fill, std::move(encoding));
    encoding = std::move(fill);
}

/// InputError if the text of `rows` padding tokens would take much memory.
inline void check_padding_text(const Padding& padding, Index rows) {
    constexpr Index max_bytes = Index{1} << 26;
    const Index bytes = padding.pad_token ? static_cast<Index>(padding.pad_token->size()) : 0;
    if (bytes <= 15) return;  // such a string takes no memory of its own
    if (bytes > max_bytes / std::max<Index>(rows, 1))
        throw InputError({"", "padding.pad_token",
                          "at most " + std::to_string(max_bytes) + " bytes in all",
                          std::to_string(rows) + " of " + std::to_string(bytes) + " bytes"});
}

/// The rows to which `padding` fills the encodings of a batch.
inline Index padded_length(const std::vector<Encoding>& batch, const Padding& padding) {
    Index length = padding.strategy == PaddingStrategy::fixed ? padding.length : 0;
    if (padding.strategy == PaddingStrategy::longest)
        for (const Encoding& encoding : batch) length = std::max(length, encoding.size());
    if (const Index multiple = padding.pad_to_multiple_of; multiple > 0)
        length = (length + multiple - 1) / multiple * multiple;
    return length;
}

/// pad, or InputError if that would take much memory.
inline void pad_checked(Encoding& encoding, Index length, const Padding& padding) {
    const auto windows = static_cast<Index>(encoding.overflowing.size()) + 1;
    check_rows_made(windows, length, all_rows(encoding), "padding");
    check_padding_text(padding, windows * length);
    pad(encoding, length, padding);
}

/// Pads a batch together. Throws InputError.
inline void pad(std::vector<Encoding>& batch, const Padding& padding) {
    if (padding.strategy == PaddingStrategy::do_not_pad) return;
    const Index length = padded_length(batch, padding);
    for (Encoding& encoding : batch) pad_checked(encoding, length, padding);
}

}  // namespace nystromformer::inline v0_2::detail
