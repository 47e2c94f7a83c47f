// SPDX-License-Identifier: MIT
// Checks of what a caller says about truncation and padding, made before a text is read.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/encoding.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/truncation.hpp>

#include <cstdint>
#include <string>

namespace nystromformer::inline v0_2::detail {

/// InputError for fields that go unused because the file says how.
template <typename Rule, typename Strategy>
void check_from_file(const Rule& rule, const char* field, Strategy from_file) {
    if (rule == Rule{.strategy = from_file}) return;
    throw InputError({"", field, "a strategy, or no other field with the strategy from_file", ""});
}

/// InputError for lengths that no input can keep, of which each gets `added` special tokens; one
/// text without a pair gets `added_alone`.
inline void check_truncation(const Truncation& truncation, Index added, Index added_alone) {
    if (truncation.strategy == TruncationStrategy::do_not_truncate) return;
    if (truncation.strategy == TruncationStrategy::from_file)
        return check_from_file(truncation, "truncation", TruncationStrategy::from_file);
    check_max_length(truncation, added);
    const Index stride = truncation.stride;
    if (stride < 0)
        throw InputError({"", "truncation.stride", "at least 0", std::to_string(stride)});
    // As enable_truncation of tokenizers 0.23, which does not know of pairs here and lets a stride
    // of a whole window pass.
    const Index window = truncation.max_length - added_alone;
    if (window >= 0 && stride > window) throw stride_error(stride, window);
}

/// InputError for numbers that no padding can have, and for a length that would go unused.
inline void check_padding(const Padding& padding) {
    if (padding.strategy == PaddingStrategy::do_not_pad) return;
    if (padding.strategy == PaddingStrategy::from_file)
        return check_from_file(padding, "padding", PaddingStrategy::from_file);
    const auto check = [](bool is_good, const char* field, const std::string& expected,
                          std::int64_t found) {
        if (!is_good)
            throw InputError(
                {"", std::string("padding.") + field, expected, std::to_string(found)});
    };
    const std::string most = std::to_string(longest_row);
    if (padding.strategy == PaddingStrategy::fixed) {
        check(padding.length > 0 && padding.length <= longest_row, "length",
              "1 to " + most + " with PaddingStrategy::fixed", padding.length);
    } else {
        check(padding.length == 0, "length", "0, or PaddingStrategy::fixed with a length",
              padding.length);
    }
    check(padding.pad_to_multiple_of >= 0 && padding.pad_to_multiple_of <= longest_row,
          "pad_to_multiple_of", "0 to " + most, padding.pad_to_multiple_of);
    check(padding.pad_id.value_or(0) >= 0, "pad_id", "at least 0", padding.pad_id.value_or(0));
    check(padding.pad_type_id >= 0, "pad_type_id", "at least 0", padding.pad_type_id);
}

}  // namespace nystromformer::inline v0_2::detail
