// SPDX-License-Identifier: MIT
// The text of a regular expression and a place in it; what it says of single characters.
#pragma once

#include <nystromformer/core/memory_budget.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace nystromformer::inline v0_2::detail {

/// A place in a pattern (valid UTF-8).
class RegexText {
public:
    /// `place` and the file of `budget` name the pattern in errors.
    RegexText(std::string pattern, std::string place, MemoryBudget& budget)
        : pattern_(std::move(pattern)), place_(std::move(place)), budget_(&budget) {}

    [[noreturn]] void refuse(const std::string& what) const {
        throw UnsupportedError(
            {budget_->file(), place_, "a regular expression " + what, in_quotes(pattern_)});
    }

    std::size_t size() const { return pattern_.size(); }
    bool at_end() const { return at_ == pattern_.size(); }
    char peek() const { return at_end() ? '\0' : pattern_[at_]; }
    bool starts_with(std::string_view text) const { return rest().starts_with(text); }
    std::string_view rest() const { return std::string_view(pattern_).substr(at_); }

    bool skip(std::string_view text) {
        if (!starts_with(text)) return false;
        at_ += text.size();
        return true;
    }
    char32_t next_point() {
        const auto [point, size] = utf8::decode(pattern_, at_);
        at_ += size;
        return point;
    }
    /// Returns the text before the next `end`, and skips both. If there is no `end`, the pattern
    /// is refused as one `whose` part does not end.
    std::string_view take_to(std::string_view end, const char* whose) {
        const std::size_t size = rest().find(end);
        if (size == std::string_view::npos) refuse(whose);
        const std::string_view result = rest().substr(0, size);
        at_ += size + end.size();
        return result;
    }

    /// The character that `escaped` means after a backslash.
    char32_t character(char32_t escaped) {
        constexpr std::string_view names = "nrtfvae", values = "\n\r\t\f\v\a\x1B";
        if (escaped >= 0x80) return escaped;
        const char byte = static_cast<char>(escaped);
        if (const auto found = names.find(byte); found != std::string_view::npos)
            return static_cast<unsigned char>(values[found]);
        if (byte == 'u') return hexadecimal(4, 4);
        if (byte == 'x' && skip("{")) {
            const char32_t point = hexadecimal(1, 8);
            if (!skip("}")) refuse("whose \\x{ ends");
            return point;
        }
        if (byte == 'x') {
            const char32_t point = hexadecimal(1, 2);
            if (point >= 0x80) refuse("without \\x of a byte beyond ASCII");
            return point;
        }
        const bool is_digit = byte >= '0' && byte <= '9';
        const bool is_letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
        if (is_digit || is_letter) refuse(std::string("without \\") + byte);
        return escaped;
    }

    /// What becomes of the pattern is taken from the budget of its file.
    const MemoryBudget& budget() const { return *budget_; }
    void take(std::size_t bytes) const { budget_->take(bytes); }
    void give(std::size_t bytes) const { budget_->give(bytes); }

private:
    char32_t hexadecimal(std::size_t min_digits, std::size_t max_digits) {
        constexpr std::string_view digits = "0123456789abcdefABCDEF";
        char32_t result = 0;
        std::size_t count = 0;
        for (; count < max_digits && !at_end(); ++count, ++at_) {
            const auto digit = digits.find(peek());
            if (digit == std::string_view::npos) break;
            result = result * 16 + static_cast<char32_t>(digit < 16 ? digit : digit - 6);
        }
        if (count < min_digits || result > 0x10FFFF || (result >= 0xD800 && result < 0xE000))
            refuse("whose \\x{...} and \\u are code points");
        return result;
    }

    std::string pattern_;
    std::string place_;
    MemoryBudget* budget_;
    std::size_t at_ = 0;
};

}  // namespace nystromformer::inline v0_2::detail
