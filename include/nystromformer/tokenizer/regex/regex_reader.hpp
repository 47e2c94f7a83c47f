// SPDX-License-Identifier: MIT
// The characters and classes in the text of a regular expression, in Oniguruma's syntax:
// https://github.com/kkos/oniguruma/blob/master/doc/RE
#pragma once

#include <nystromformer/core/memory_budget.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/regex/named_classes.hpp>
#include <nystromformer/tokenizer/unicode/code_point_set.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::detail {

/// A place in a pattern (valid UTF-8) and what is read from there. Everything that it does not know
/// is an UnsupportedError with the pattern.
class RegexReader {
public:
    /// `place` and the file of `budget` name the pattern in errors.
    RegexReader(std::string pattern, std::string place, MemoryBudget& budget)
        : pattern_(std::move(pattern)), place_(std::move(place)), budget_(&budget) {}

    [[noreturn]] void refuse(const std::string& what) const {
        throw UnsupportedError(
            {budget_->file(), place_, "a regular expression " + what, in_quotes(pattern_)});
    }

    std::size_t size() const { return pattern_.size(); }
    bool at_end() const { return at_ == pattern_.size(); }
    char peek() const { return at_end() ? '\0' : pattern_[at_]; }
    bool skip(std::string_view text) {
        if (pattern_.compare(at_, text.size(), text) != 0) return false;
        at_ += text.size();
        return true;
    }
    char32_t next_point() {
        const auto [point, size] = utf8::decode(pattern_, at_);
        at_ += size;
        return point;
    }

    bool folds() const { return folds_; }
    /// Enters or leaves (?i:...).
    void set_folds(bool folds) {
        if (folds && !folds_) before_.clear();
        folds_ = folds;
    }
    /// The letters that the character before may be, in (?i:...).
    const std::string& letters_before() const { return before_; }
    void set_letters_before(std::string letters) { before_ = std::move(letters); }

    /// A class in brackets, with the classes in it.
    CodePointSet bracket() {
        std::string letters;
        CodePointSet set = bracket(letters, 0);
        follow(letters);
        return set;
    }

    CodePointSet literal(char32_t point) {
        CodePointSet set(point);
        std::string letters;
        if (folds_) fold(point, point, set, letters);
        follow(letters);
        return set;
    }

    /// A backslash and what follows it: a character, or a class, which is added to `set`.
    std::optional<char32_t> escape(CodePointSet& set, bool in_brackets = false) {
        skip("\\");
        if (at_end()) refuse("without a \\ at its end");
        const char32_t point = next_point();
        const bool is_upper = point >= 'A' && point <= 'Z';
        switch (is_upper ? point | 0x20 : point) {
            case 's':
                set.add_white(!is_upper);
                return std::nullopt;
            case 'w':
                set.add_word(!is_upper, in_brackets);
                return std::nullopt;
            case 'd':
                add_categories("Nd", is_upper, set);
                return std::nullopt;
            case 'p':
                property(is_upper, set);
                return std::nullopt;
            default:
                return character(point);
        }
    }

    const MemoryBudget& budget() const { return *budget_; }
    /// What becomes of the pattern is taken from the budget of its file.
    void take(std::size_t bytes) const { budget_->take(bytes); }
    void give(std::size_t bytes) const { budget_->give(bytes); }
    std::string_view rest() const { return std::string_view(pattern_).substr(at_); }

private:
    /// && binds less than all else in a class; ^ is for the whole of it.
    CodePointSet bracket(std::string& letters, int depth) {
        constexpr int max_depth = 16;
        if (depth > max_depth) refuse("with fewer classes in classes");
        skip("[");
        const bool is_negative = skip("^");
        if (folds_ && is_negative) refuse("without [^...] in (?i:...)");
        std::vector<CodePointSet> sides(1);
        for (bool is_first = true; is_first || !skip("]"); is_first = false) {
            if (skip("&&")) {
                sides.emplace_back();
            } else if (pattern_.compare(at_, 2, "[:") == 0) {
                sides.back().add(posix_bracket());
            } else if (peek() == '[') {
                sides.back().add(bracket(letters, depth + 1));
            } else {
                range(sides.back(), letters);
            }
            take(sizeof(CodePointSet));
        }
        CodePointSet set = std::move(sides[0]);
        for (std::size_t i = 1; i < sides.size(); ++i) set.intersect(std::move(sides[i]));
        if (is_negative) set.negate();
        return set;
    }

    /// [:name:] or [:^name:].
    CodePointSet posix_bracket() {
        if (folds_) refuse("without [:...:] in (?i:...)");
        skip("[:");
        const bool is_negative = skip("^");
        const std::size_t end = pattern_.find(":]", at_);
        if (end == std::string::npos) refuse("whose [: ends");
        const auto name = std::string_view(pattern_).substr(at_, end - at_);
        auto set = posix_class(name);
        if (!set) refuse("without [:" + printable(name) + ":]");
        at_ = end + 2;
        if (is_negative) set->negate();
        return std::move(*set);
    }

    /// A character, a range or a class inside brackets.
    void range(CodePointSet& set, std::string& letters) {
        const auto first = class_character(set);
        const bool has_dash = peek() == '-' && pattern_.compare(at_, 2, "-]") != 0;
        if (!first && has_dash) refuse("without - after a class in a class");
        if (!first) return;
        char32_t last = *first;
        if (has_dash) {
            skip("-");
            const auto end = class_character(set);
            if (!end || *end < *first) refuse("without reversed ranges");
            last = *end;
        }
        set.add(*first, last);
        if (folds_) fold(*first, last, set, letters);
    }

    std::optional<char32_t> class_character(CodePointSet& set) {
        if (at_end()) refuse("whose [ ends");
        if (pattern_.compare(at_, 2, "\\b") == 0) refuse("without \\b in a class");
        if (peek() == '\\') return escape(set, true);
        if (peek() == '[') refuse("without ranges to a [");
        if (pattern_.compare(at_, 2, "&&") == 0) refuse("without ranges to &&");
        return next_point();
    }

    void property(bool is_negative, CodePointSet& set) {
        if (folds_) refuse("without \\p in (?i:...)");
        if (!skip("{")) refuse("without \\p that has no {");
        if (skip("^")) is_negative = !is_negative;
        const std::size_t end = pattern_.find('}', at_);
        if (end == std::string::npos) refuse("whose \\p{ ends");
        const auto name = std::string_view(pattern_).substr(at_, end - at_);
        at_ = end + 1;
        if (category_bits(name)) return add_categories(name, is_negative, set);
        auto named = property_class(name);
        if (!named) refuse("without \\p{" + printable(name) + '}');
        if (is_negative) named->negate();
        set.add(std::move(*named));
    }
    void add_categories(std::string_view name, bool is_negative, CodePointSet& set) const {
        const auto bits = category_bits(name);
        if (!bits) refuse("without \\p{" + printable(name) + '}');
        set.add_categories(is_negative ? ~*bits : *bits);
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
    char32_t hexadecimal(std::size_t least_digits, std::size_t most_digits) {
        constexpr std::string_view digits = "0123456789abcdefABCDEF";
        char32_t result = 0;
        std::size_t count = 0;
        for (; count < most_digits && !at_end(); ++count, ++at_) {
            const auto digit = digits.find(peek());
            if (digit == std::string_view::npos) break;
            result = result * 16 + static_cast<char32_t>(digit < 16 ? digit : digit - 6);
        }
        if (count < least_digits || result > 0x10FFFF || (result >= 0xD800 && result < 0xE000))
            refuse("whose \\x{...} and \\u are code points");
        return result;
    }

    /// Adds the other cases of the letters in [first, last], which must be ASCII.
    void fold(char32_t first, char32_t last, CodePointSet& set, std::string& letters) const {
        if (last >= 0x80) refuse("with nothing but ASCII in (?i:...)");
        for (char32_t point = first; point <= last; ++point) {
            const char32_t lower = point | 0x20, upper = lower - 0x20;
            if (lower < 'a' || lower > 'z') continue;
            set.add(lower, lower);
            set.add(upper, upper);
            if (lower == 's') set.add(0x17F, 0x17F);
            if (lower == 'k') set.add(0x212A, 0x212A);
            letters += static_cast<char>(lower);
        }
    }
    /// Oniguruma folds some ligatures to two letters; a pattern with such a pair is refused.
    void follow(const std::string& letters) {
        for (const std::string_view pair : {"ss", "st", "ff", "fi", "fl"})
            if (folds_ && before_.find(pair[0]) != std::string::npos &&
                letters.find(pair[1]) != std::string::npos)
                refuse("without " + std::string(pair) + " in (?i:...)");
        before_ = letters;
    }

    std::string pattern_;
    std::string place_;
    MemoryBudget* budget_;
    std::size_t at_ = 0;
    bool folds_ = false;
    std::string before_;
};

}  // namespace nystromformer::detail
