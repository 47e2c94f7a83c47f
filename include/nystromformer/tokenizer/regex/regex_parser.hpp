// SPDX-License-Identifier: MIT
// The part of Oniguruma's syntax that tokenizer.json files use, read into a tree:
// https://github.com/kkos/oniguruma/blob/master/doc/RE
#pragma once

#include <nystromformer/tokenizer/regex/regex_node.hpp>
#include <nystromformer/tokenizer/regex/regex_reader.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace nystromformer::detail {

/// Reads one pattern; everything that it does not know is an UnsupportedError with the pattern.
class RegexParser {
public:
    explicit RegexParser(RegexReader reader) : reader_(std::move(reader)) {}

    RegexNode parse() {
        constexpr std::size_t most_bytes = 4096;
        if (reader_.size() > most_bytes)
            reader_.refuse("of at most " + std::to_string(most_bytes) + " bytes");
        RegexNode result = choice();
        if (!reader_.at_end()) reader_.refuse("whose parentheses are pairs");
        return result;
    }

    [[noreturn]] void refuse(const std::string& what) const { reader_.refuse(what); }

private:
    using Kind = RegexNode::Kind;

    static RegexNode node(Kind kind) {
        RegexNode result;
        result.kind = kind;
        return result;
    }
    static RegexNode anchor(Anchor which) {
        RegexNode result = node(Kind::anchor);
        result.anchor = which;
        return result;
    }
    static RegexNode set_node(CodePointSet set) {
        RegexNode result = node(Kind::set);
        result.set = std::move(set);
        result.set.finish();
        return result;
    }

    RegexNode choice() {
        constexpr int deepest = 32;
        if (++depth_ > deepest) refuse("with fewer groups in groups");
        const std::string before = reader_.letters_before();
        RegexNode result = node(Kind::choice);
        do {
            reader_.set_letters_before(before);
            result.parts.push_back(sequence());
        } while (reader_.skip("|"));
        --depth_;
        if (result.parts.size() > 1) return result;
        RegexNode only = std::move(result.parts[0]);
        return only;
    }

    RegexNode sequence() {
        RegexNode result = node(Kind::sequence);
        while (!reader_.at_end() && reader_.peek() != '|' && reader_.peek() != ')')
            result.parts.push_back(quantified(atom()));
        if (result.parts.size() != 1) return result;
        RegexNode only = std::move(result.parts[0]);
        return only;
    }

    RegexNode atom() {
        switch (reader_.peek()) {
            case '(':
                return group();
            case '[':
                return set_node(reader_.bracket());
            case '\\':
                return escaped();
            case '*':
            case '+':
            case '?':
            case '{':
                refuse("without a quantifier that follows nothing");
            default:
                break;
        }
        if (reader_.skip("^")) return anchor(Anchor::line_begin);
        if (reader_.skip("$")) return anchor(Anchor::line_end);
        if (reader_.skip(".")) {
            CodePointSet set(U'\n');
            set.negate();
            return set_node(std::move(set));
        }
        return set_node(reader_.literal(reader_.next_point()));
    }

    RegexNode escaped() {
        for (const auto& [text, which] :
             {std::pair("\\A", Anchor::text_begin), std::pair("\\z", Anchor::text_end),
              std::pair("\\b", Anchor::word), std::pair("\\B", Anchor::no_word)})
            if (reader_.skip(text)) return anchor(which);
        CodePointSet set;
        const auto point = reader_.escape(set);
        if (point) return set_node(reader_.literal(*point));
        reader_.set_letters_before("");
        return set_node(std::move(set));
    }

    RegexNode group() {
        const bool folds_before = reader_.folds();
        RegexNode result;
        const bool is_negative = reader_.skip("(?!");
        if (is_negative || reader_.skip("(?=")) {
            result = node(Kind::look_ahead);
            result.is_negative = is_negative;
            result.parts.push_back(choice());
            if (!result.parts[0].is_bounded()) refuse("without unbounded repeats in look-ahead");
        } else {
            if (reader_.skip("(?i:")) {
                reader_.set_folds(true);
            } else if (!reader_.skip("(?:") && (!reader_.skip("(") || reader_.peek() == '?')) {
                refuse("without groups other than (...), (?:...), (?i:...), (?=...) and (?!...)");
            }
            result = choice();
        }
        if (!reader_.skip(")")) refuse("whose parentheses are pairs");
        reader_.set_folds(folds_before);
        // What the group ends with is not looked into.
        reader_.set_letters_before(folds_before ? "sf" : "");
        return result;
    }

    RegexNode quantified(RegexNode part) {
        RegexNode result = node(Kind::repeat);
        result.max = RegexNode::unbounded;
        const bool is_interval = reader_.peek() == '{';
        if (is_interval) {
            interval(result);
        } else if (reader_.skip("?")) {
            result.max = 1;
        } else if (reader_.skip("+")) {
            result.min = 1;
        } else if (!reader_.skip("*")) {
            return part;
        }
        if (part.can_be_empty()) refuse("without repeats of what may be empty");
        if (reader_.skip("?")) {
            if (is_interval && result.min == result.max) refuse("without {n}?");
            result.greed = Greed::lazy;
        } else if (!is_interval && reader_.skip("+")) {
            if (part.kind != Kind::set) refuse("without possessive repeats of groups");
            result.greed = Greed::possessive;
        }
        const char next = reader_.peek();
        if (next == '?' || next == '*' || next == '+' || next == '{')
            refuse("without repeats of repeats");
        result.parts.push_back(std::move(part));
        return result;
    }

    /// {n}, {n,}, {n,m} or {,m}.
    void interval(RegexNode& repeat) {
        reader_.skip("{");
        const auto low = number();
        repeat.min = low.value_or(0);
        repeat.max = repeat.min;
        bool is_valid = low.has_value();
        if (reader_.skip(",")) {
            const auto high = number();
            is_valid |= high.has_value();
            repeat.max = high.value_or(RegexNode::unbounded);
        }
        if (!is_valid || !reader_.skip("}") || repeat.max < repeat.min)
            refuse("without a { that is no interval");
    }
    std::optional<std::uint32_t> number() {
        constexpr std::uint32_t most = 1000;
        std::optional<std::uint32_t> result;
        for (char byte = reader_.peek(); byte >= '0' && byte <= '9'; byte = reader_.peek()) {
            result = result.value_or(0) * 10 + static_cast<std::uint32_t>(byte - '0');
            if (*result > most) refuse("with at most " + std::to_string(most) + " repeats");
            reader_.next_point();
        }
        return result;
    }

    RegexReader reader_;
    int depth_ = 0;
};

}  // namespace nystromformer::detail
