// SPDX-License-Identifier: MIT
// Regular expressions compiled to a small program, which RegexSearch runs.
#pragma once

#include <nystromformer/tokenizer/regex/regex_node.hpp>
#include <nystromformer/tokenizer/regex/regex_parser.hpp>
#include <nystromformer/tokenizer/regex/regex_reader.hpp>
#include <nystromformer/tokenizer/unicode/code_point_set.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// What the first character of a match may be; cheap to ask, and never false for one that can.
struct FirstCharacter {
    std::array<std::uint64_t, 2> ascii{};
    bool others = false;  // beyond ASCII
    bool any = false;     // the end of the text and what is no character too

    bool allows(std::string_view text, std::size_t at) const {
        if (any || at == text.size()) return any;
        const auto byte = static_cast<unsigned char>(text[at]);
        return byte < 128 ? (ascii[byte / 64] >> byte % 64 & 1) != 0 : others;
    }
    /// Adds the characters of `other`; true if there was something to add.
    bool add(const FirstCharacter& other) {
        const FirstCharacter before = *this;
        ascii[0] |= other.ascii[0];
        ascii[1] |= other.ascii[1];
        others |= other.others;
        any |= other.any;
        return ascii != before.ascii || others != before.others || any != before.any;
    }
};

/// One step of a program; the next one follows it unless said otherwise.
struct RegexStep {
    enum class Kind : std::uint8_t {
        set,              // one character of set number `set`
        maybe_set,        // one or none, never fewer when it could be more
        star,             // any number of them, as many as possible first
        possessive_star,  // as many as possible, never fewer
        split,            // on at `target`, and if that fails at `other`
        jump,             // on at `target`
        look_ahead,       // what follows up to `match` must match here, or not; on at `target`
        look_behind,      // the same from `other` characters before here
        group_begin,      // of group `other`
        group_end,
        back_reference,  // what group `other` has matched
        anchor,
        match,
    };
    Kind kind;
    bool is_negative = false;
    Anchor anchor = Anchor::word;
    std::uint32_t set = 0;
    std::uint32_t target = 0, other = 0;
    FirstCharacter first{};
    std::uint32_t slot = 0;  // numbers the splits and stars
    bool is_last = false;    // nothing follows but `match`
};

/// A regular expression with the meaning that Oniguruma gives it; immutable. Patterns outside the
/// part that RegexParser knows are refused.
class Regex {
public:
    /// `pattern` must be valid UTF-8; `place` and the file of `budget`, which it is taken from,
    /// name it in errors. Throws UnsupportedError, or FormatError if the budget is not enough.
    Regex(const std::string& pattern, const std::string& place, MemoryBudget& budget) {
        RegexParser parser(RegexReader(pattern, place, budget));
        const RegexNode tree = parser.parse();
        sets_ = parser.take_sets();
        if (parser.keeps_groups()) groups_ = parser.groups();
        emit(tree, parser);
        add({RegexStep::Kind::match}, parser);
        find_first();
    }

    const std::vector<RegexStep>& steps() const { return steps_; }
    const CodePointSet& set(const RegexStep& step) const { return sets_[step.set]; }
    std::uint32_t slots() const { return slots_; }
    /// Groups that back-references name, or more; 0 without those.
    std::uint32_t groups() const { return groups_; }

private:
    using Kind = RegexStep::Kind;

    std::uint32_t here() const { return static_cast<std::uint32_t>(steps_.size()); }

    std::uint32_t add(RegexStep step, const RegexParser& parser) {
        constexpr std::size_t max_steps = 4096;
        if (steps_.size() >= max_steps) parser.refuse("with fewer parts and repeats");
        const bool is_star = step.kind == Kind::star || step.kind == Kind::possessive_star;
        if (is_star || step.kind == Kind::split) step.slot = slots_++;
        parser.take(2 * sizeof(RegexStep));  // in a vector that grows
        steps_.push_back(step);
        return here() - 1;
    }
    void add_set(Kind kind, std::uint32_t set, const RegexParser& parser) {
        RegexStep step{kind};
        step.set = set;
        add(step, parser);
    }
    void add_group(Kind kind, std::uint32_t group, const RegexParser& parser) {
        RegexStep step{kind};
        step.other = group;
        add(step, parser);
    }

    void emit(const RegexNode& node, const RegexParser& parser) {
        switch (node.kind) {
            case RegexNode::Kind::set:
                return add_set(Kind::set, node.set, parser);
            case RegexNode::Kind::sequence:
                for (const RegexNode& part : node.parts) emit(part, parser);
                return;
            case RegexNode::Kind::choice:
                return emit_choice(node, parser);
            case RegexNode::Kind::repeat:
                return emit_repeat(node, parser);
            case RegexNode::Kind::group:
                add_group(Kind::group_begin, node.min, parser);
                emit(node.parts[0], parser);
                return add_group(Kind::group_end, node.min, parser);
            case RegexNode::Kind::back_reference:
                return add_group(Kind::back_reference, node.min, parser);
            case RegexNode::Kind::look_behind:
            case RegexNode::Kind::look_ahead: {
                const bool is_ahead = node.kind == RegexNode::Kind::look_ahead;
                const std::uint32_t step = add(
                    {is_ahead ? Kind::look_ahead : Kind::look_behind, node.is_negative}, parser);
                steps_[step].other = node.min;
                emit(node.parts[0], parser);
                add({Kind::match}, parser);
                steps_[step].target = here();
                return;
            }
            case RegexNode::Kind::anchor:
                add({Kind::anchor, false, node.anchor}, parser);
                return;
        }
    }

    void emit_choice(const RegexNode& node, const RegexParser& parser) {
        std::vector<std::uint32_t> jumps;
        for (std::size_t i = 0; i < node.parts.size(); ++i) {
            const bool is_last = i + 1 == node.parts.size();
            const std::uint32_t split = is_last ? 0 : add({Kind::split}, parser);
            if (!is_last) steps_[split].target = here();
            emit(node.parts[i], parser);
            if (is_last) break;
            jumps.push_back(add({Kind::jump}, parser));
            steps_[split].other = here();
        }
        for (const std::uint32_t jump : jumps) steps_[jump].target = here();
    }

    void emit_repeat(const RegexNode& node, const RegexParser& parser) {
        const RegexNode& body = node.parts[0];
        for (std::uint32_t i = 0; i < node.min; ++i) emit(body, parser);
        const bool is_possessive = node.greed == Greed::possessive;
        const bool is_unbounded = node.max == RegexNode::unbounded;
        if (is_unbounded && body.kind == RegexNode::Kind::set && node.greed != Greed::lazy)
            return add_set(is_possessive ? Kind::possessive_star : Kind::star, body.set, parser);
        if (is_possessive && node.max > node.min)  // x?+
            return add_set(Kind::maybe_set, body.set, parser);
        std::vector<std::uint32_t> splits;
        for (std::uint32_t i = node.min; is_unbounded ? i == node.min : i < node.max; ++i) {
            splits.push_back(add({Kind::split}, parser));
            emit(body, parser);
        }
        if (is_unbounded) {
            RegexStep jump{Kind::jump};
            jump.target = splits[0];
            add(jump, parser);
        }
        for (const std::uint32_t split : splits) {
            steps_[split].target = split + 1;
            steps_[split].other = here();
            if (node.greed == Greed::lazy) std::swap(steps_[split].target, steps_[split].other);
        }
    }

    /// Fills in what follows each step and what it can begin with: the smallest solution.
    void find_first() {
        for (std::size_t i = 0; i + 1 < steps_.size(); ++i) {
            std::size_t next = i + 1;
            while (steps_[next].kind == Kind::jump && steps_[next].target > next)
                next = steps_[next].target;
            steps_[i].is_last = steps_[next].kind == Kind::match;
        }
        for (bool grows = true; grows;) {
            grows = false;
            for (std::size_t i = steps_.size(); i-- > 0;) grows |= steps_[i].first.add(first_of(i));
        }
    }
    FirstCharacter first_of(std::size_t i) const {
        const RegexStep& step = steps_[i];
        FirstCharacter result;
        switch (step.kind) {
            case Kind::split:
                result = steps_[step.target].first;
                result.add(steps_[step.other].first);
                break;
            case Kind::jump:
                result = steps_[step.target].first;
                break;
            case Kind::group_begin:
            case Kind::group_end:
                result = steps_[i + 1].first;
                break;
            case Kind::set:
            case Kind::maybe_set:
            case Kind::star:
            case Kind::possessive_star:
                result.ascii = set(step).ascii();
                result.others = set(step).may_hold_others();
                if (step.kind != Kind::set) result.add(steps_[i + 1].first);
                break;
            default:
                result.any = true;
        }
        return result;
    }

    std::vector<RegexStep> steps_;
    std::vector<CodePointSet> sets_;
    std::uint32_t slots_ = 0, groups_ = 0;
};

}  // namespace nystromformer::inline v0_2::detail
