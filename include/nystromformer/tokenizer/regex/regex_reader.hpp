// SPDX-License-Identifier: MIT
// The characters and classes in the text of a regular expression, in Oniguruma's syntax:
// https://github.com/kkos/oniguruma/blob/master/doc/RE
#pragma once

#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/regex/named_classes.hpp>
#include <nystromformer/tokenizer/regex/regex_text.hpp>
#include <nystromformer/tokenizer/unicode/code_point_set.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// The characters and classes from a place in a pattern on. Everything that it does not know is an
/// UnsupportedError with the pattern.
class RegexReader : public RegexText {
public:
    using RegexText::RegexText;

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
            } else if (starts_with("[:")) {
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
        const std::string_view name = take_to(":]", "whose [: ends");
        auto set = posix_class(name);
        if (!set) refuse("without [:" + printable(name) + ":]");
        if (is_negative) set->negate();
        return std::move(*set);
    }

    /// A character, a range or a class inside brackets.
    void range(CodePointSet& set, std::string& letters) {
        const auto first = class_character(set);
        const bool has_dash = peek() == '-' && !starts_with("-]");
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
        if (starts_with("\\b")) refuse("without \\b in a class");
        if (peek() == '\\') return escape(set, true);
        if (peek() == '[') refuse("without ranges to a [");
        if (starts_with("&&")) refuse("without ranges to &&");
        return next_point();
    }

    void property(bool is_negative, CodePointSet& set) {
        if (folds_) refuse("without \\p in (?i:...)");
        if (!skip("{")) refuse("without \\p that has no {");
        if (skip("^")) is_negative = !is_negative;
        const std::string_view name = take_to("}", "whose \\p{ ends");
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

    bool folds_ = false;
    std::string before_;
};

}  // namespace nystromformer::inline v0_2::detail
