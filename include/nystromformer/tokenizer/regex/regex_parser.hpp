// SPDX-License-Identifier: MIT
// The part of Oniguruma's syntax that tokenizer.json files use, read into a tree:
// https://github.com/kkos/oniguruma/blob/master/doc/RE
#pragma once

#include <nystromformer/tokenizer/regex/regex_node.hpp>
#include <nystromformer/tokenizer/regex/regex_quantifier.hpp>
#include <nystromformer/tokenizer/regex/regex_reader.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Reads one pattern; everything that it does not know is an UnsupportedError with the pattern.
class RegexParser {
public:
    explicit RegexParser(RegexReader reader) : reader_(std::move(reader)) {}

    RegexNode parse() {
        constexpr std::size_t max_bytes = 4096;
        if (reader_.size() > max_bytes)
            reader_.refuse("of at most " + std::to_string(max_bytes) + " bytes");
        // The tree and its reader are gone when the program is complete.
        const std::size_t tree_bytes = reader_.size() * 3 * sizeof(RegexNode);
        reader_.take(tree_bytes);
        keeps_groups_ = has_back_reference(reader_.rest());
        RegexNode result = choice();
        if (!reader_.at_end()) reader_.refuse("whose parentheses are pairs");
        if (highest_reference_ > groups_) refuse("without a back-reference to no group");
        reader_.give(tree_bytes);
        return result;
    }

    /// The sets of its nodes.
    std::vector<CodePointSet> take_sets() { return std::move(sets_); }
    /// True if what groups match must be known.
    bool keeps_groups() const { return keeps_groups_; }
    std::uint32_t groups() const { return groups_; }
    void take(std::size_t bytes) const { reader_.take(bytes); }

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
    RegexNode set_node(CodePointSet set) {
        RegexNode result = node(Kind::set);
        set.finish();
        reader_.take(2 * set.bytes());
        result.set = static_cast<std::uint32_t>(sets_.size());
        sets_.push_back(std::move(set));
        return result;
    }

    static bool has_back_reference(std::string_view pattern) {
        for (std::size_t at = 0; at + 1 < pattern.size(); ++at) {
            if (pattern[at] != '\\') continue;
            ++at;
            if (pattern[at] >= '1' && pattern[at] <= '9') return true;
        }
        return false;
    }

    RegexNode choice() {
        constexpr int max_depth = 32;
        if (++depth_ > max_depth) refuse("with fewer groups in groups");
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
            CodePointSet set;
            if (!dot_is_all_) set.add(U'\n', U'\n');
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
        for (std::uint32_t number = 1; number < 10; ++number)
            if (reader_.skip("\\" + std::to_string(number))) return back_reference(number);
        CodePointSet set;
        const auto point = reader_.escape(set);
        if (point) return set_node(reader_.literal(*point));
        reader_.set_letters_before("");
        return set_node(std::move(set));
    }

    /// \1 to \9, which must stand behind the group that they name.
    RegexNode back_reference(std::uint32_t number) {
        if (reader_.folds()) refuse("without back-references in (?i:...)");
        if (reader_.peek() >= '0' && reader_.peek() <= '9') refuse("with fewer groups");
        if (number > is_never_empty_.size()) refuse("without back-references into a group");
        highest_reference_ = std::max(highest_reference_, number);
        RegexNode result = node(Kind::back_reference);
        result.min = number;
        result.is_never_empty = is_never_empty_[number - 1];
        return result;
    }

    RegexNode group() {
        const bool folds_before = reader_.folds(), dot_before = dot_is_all_;
        RegexNode result;
        bool ends_here = true;
        const bool is_negative = reader_.skip("(?!");
        if (is_negative || reader_.skip("(?=")) {
            result = node(Kind::look_ahead);
            result.is_negative = is_negative;
            result.parts.push_back(looked_at());
            if (!result.parts[0].is_bounded()) refuse("without unbounded repeats in look-ahead");
        } else if (reader_.rest().starts_with("(?<=") || reader_.rest().starts_with("(?<!")) {
            result = look_behind();
        } else if (reader_.skip("(?")) {
            ends_here = flags();
            result = choice();
        } else {
            reader_.skip("(");
            result = counted_group();
        }
        if (ends_here && !reader_.skip(")")) refuse("whose parentheses are pairs");
        reader_.set_folds(folds_before);
        dot_is_all_ = dot_before;
        // What the group ends with is not looked into.
        reader_.set_letters_before(folds_before ? "sf" : "");
        return result;
    }

    /// What must match ahead or behind, without groups that could be referred to.
    RegexNode looked_at() {
        const std::uint32_t before = groups_;
        RegexNode result = choice();
        if (keeps_groups_ && groups_ != before)
            refuse("without groups in look-ahead or look-behind, where it has back-references");
        return result;
    }

    /// Each choice must have matches of one length.
    RegexNode look_behind() {
        const bool is_negative = reader_.skip("(?<!");
        if (!is_negative) reader_.skip("(?<=");
        RegexNode body = looked_at();
        std::vector<RegexNode> choices;
        if (body.kind == Kind::choice) {
            choices = std::move(body.parts);
        } else {
            choices.push_back(std::move(body));
        }
        // Not behind one of them is not behind the first and not behind the second.
        RegexNode result = node(is_negative ? Kind::sequence : Kind::choice);
        for (RegexNode& choice : choices) {
            const auto length = choice.fixed_length();
            if (!length) refuse("without look-behind of more than one length");
            RegexNode one = node(Kind::look_behind);
            one.is_negative = is_negative;
            one.min = *length;
            one.parts.push_back(std::move(choice));
            result.parts.push_back(std::move(one));
        }
        return result;
    }

    /// Behind "(?": i and m switched on and off. False if they hold up to the end of the group
    /// around, as in (?i), rather than in a group of their own.
    bool flags() {
        for (bool is_on = true; reader_.peek() != ':' && reader_.peek() != ')';) {
            if (is_on && reader_.skip("-")) {
                is_on = false;
            } else if (reader_.skip("i")) {
                reader_.set_folds(is_on);
            } else if (reader_.skip("m")) {
                dot_is_all_ = is_on;
            } else {
                refuse(
                    "without groups other than (...), (?:...), (?i...), (?m...), (?=...), (?!...), "
                    "(?<=...) and (?<!...)");
            }
        }
        if (reader_.skip(":")) return true;
        reader_.skip(")");
        return false;
    }

    RegexNode counted_group() {
        const std::uint32_t number = ++groups_;
        RegexNode body = choice();
        if (!keeps_groups_) return body;
        if (is_never_empty_.size() < number) is_never_empty_.resize(number);
        is_never_empty_[number - 1] = !body.can_be_empty();
        RegexNode result = node(Kind::group);
        result.min = number;
        result.parts.push_back(std::move(body));
        return result;
    }

    RegexNode quantified(RegexNode part) {
        const auto repeats = read_quantifier(reader_);
        if (!repeats) return part;
        if (part.can_be_empty()) refuse("without repeats of what may be empty");
        if (repeats->greed == Greed::possessive && part.kind != Kind::set)
            refuse("without possessive repeats of groups");
        const char next = reader_.peek();
        const bool goes_on = next == '?' || next == '*' || next == '+' || next == '{';
        if (goes_on &&
            (!repeats->is_interval || repeats->greed == Greed::lazy || part.kind == Kind::repeat))
            refuse("without repeats of repeats");
        RegexNode result = node(Kind::repeat);
        result.min = repeats->min;
        result.max = repeats->max;
        result.greed = repeats->greed;
        result.parts.push_back(std::move(part));
        return goes_on ? quantified(std::move(result)) : result;
    }

    RegexReader reader_;
    std::vector<CodePointSet> sets_;
    std::vector<bool> is_never_empty_;  // each group that has ended
    std::uint32_t groups_ = 0, highest_reference_ = 0;
    bool keeps_groups_ = false;
    bool dot_is_all_ = false;
    int depth_ = 0;
};

}  // namespace nystromformer::inline v0_2::detail
