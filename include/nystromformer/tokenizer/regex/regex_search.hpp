// SPDX-License-Identifier: MIT
// Finds the matches of a Regex in a text, in time linear in the text whatever the pattern.
#pragma once

#include <nystromformer/tokenizer/regex/regex.hpp>
#include <nystromformer/tokenizer/regex/regex_failures.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Bytes [begin, end) of the text.
struct RegexMatch {
    std::size_t begin;
    std::size_t end;
};

/// The matches of one pattern in one text after the other. It tries the ways to match in their
/// order and goes back when one fails; when that takes long, it notes which step has failed where,
/// and tries nothing twice. A step fails at a place whatever came before, so the notes hold for all
/// matches of a text.
class RegexSearch {
public:
    explicit RegexSearch(const Regex& regex) : regex_(regex), failures_(regex) {}

    /// Starts on `text` (valid UTF-8).
    void start(std::string_view text) {
        text_ = text;
        next_ = 0;
        last_end_.reset();
        failures_.start(text.size());
        starts_.assign(regex_.groups() + std::size_t{1}, unset);
    }

    /// The next match. Skips an empty one where the last match ends. Throws InputError.
    std::optional<RegexMatch> next() {
        while (next_ <= text_.size()) {
            const auto match = find();
            if (!match) break;
            if (match->begin != match->end || last_end_ != match->end) {
                next_ = match->end;
                last_end_ = match->end;
                return match;
            }
            next_ = match->end + (match->end < text_.size() ? utf8::length(text_[match->end]) : 1);
        }
        next_ = text_.size() + 1;
        return std::nullopt;
    }

private:
    using Kind = RegexStep::Kind;

    /// Where to go on after a failure.
    struct Way {
        enum class Kind : std::uint8_t {
            step,     // step `step` at `at`
            shorter,  // a star may take fewer characters, down to `least`; then step `step`
            failure,  // nowhere: step `step` has failed at `at`
            start,    // nowhere: group `step` had begun at `at` before
            group,    // nowhere: group `step` was from `at` to `least` before
        };
        Kind kind;
        std::uint32_t step;
        std::size_t at;
        std::size_t least = 0;
    };

    std::optional<RegexMatch> find() {
        const FirstCharacter& first = regex_.steps()[0].first;
        for (std::size_t begin = next_; begin <= text_.size(); ++begin) {
            if (!first.allows(text_, begin)) continue;
            if (begin < text_.size() && utf8::is_continuation(text_[begin])) continue;
            if (regex_.groups() > 0) groups_.assign(starts_.size(), {unset, unset});
            if (const auto end = run(0, begin)) return RegexMatch{begin, *end};
        }
        return std::nullopt;
    }

    /// Where the program ends that starts with `step` at `at`.
    std::optional<std::size_t> run(std::uint32_t step, std::size_t at) {
        const std::vector<RegexStep>& steps = regex_.steps();
        const std::size_t bottom = ways_.size();
        while (true) {
            const RegexStep& now = steps[step];
            bool goes_on = true;
            switch (now.kind) {
                case Kind::match:
                    ways_.resize(bottom);
                    return at;
                case Kind::set:
                case Kind::maybe_set: {
                    const std::size_t size = character(now, at);
                    goes_on = size != 0 || now.kind == Kind::maybe_set;
                    at += size;
                    ++step;
                    break;
                }
                case Kind::star:
                case Kind::possessive_star:
                    goes_on = star(step, at);
                    break;
                case Kind::split:
                    goes_on = split(step, at);
                    break;
                case Kind::jump:
                    step = now.target;
                    break;
                case Kind::look_ahead:
                case Kind::look_behind:
                    goes_on = looks(now, step + 1, at) != now.is_negative;
                    step = now.target;
                    break;
                case Kind::anchor:
                    goes_on = holds(now.anchor, text_, at);
                    ++step;
                    break;
                default:
                    goes_on = do_group(now, at);
                    ++step;
            }
            if (!goes_on && !go_back(bottom, step, at)) return std::nullopt;
        }
    }

    /// True if what `step` looks for is ahead of `at`, or behind.
    bool looks(const RegexStep& now, std::uint32_t step, std::size_t at) {
        const auto from = now.kind == Kind::look_ahead ? std::optional(at) : before(at, now.other);
        return from && run(step, *from).has_value();
    }

    /// The place `characters` before `at`, or none.
    std::optional<std::size_t> before(std::size_t at, std::uint32_t characters) const {
        for (; characters > 0; --characters) {
            if (at == 0) return std::nullopt;
            at -= utf8::decode_before(text_, at).size;
        }
        return at;
    }

    bool do_group(const RegexStep& now, std::size_t& at) {
        const std::uint32_t group = now.other;
        if (now.kind == Kind::back_reference) return refer(group, at);
        if (now.kind == Kind::group_begin) {
            ways_.push_back({Way::Kind::start, group, starts_[group]});
            starts_[group] = at;
        } else {
            ways_.push_back({Way::Kind::group, group, groups_[group].begin, groups_[group].end});
            groups_[group] = {starts_[group], at};
        }
        return true;
    }
    /// Steps over what a group has matched; false if that is not here, or nothing yet.
    bool refer(std::uint32_t group, std::size_t& at) {
        const auto [begin, end] = groups_[group];
        if (begin == unset) return false;
        failures_.spend(end - begin);
        if (text_.compare(at, end - begin, text_, begin, end - begin) != 0) return false;
        at += end - begin;
        return true;
    }

    /// The bytes of the character at `at` if it is of the step's set, or 0.
    std::size_t character(const RegexStep& step, std::size_t at) const {
        if (at == text_.size()) return 0;
        const CodePointSet& set = regex_.set(step);
        if (utf8::is_ascii(text_[at])) return set.has_ascii(text_[at]) ? 1 : 0;
        const auto [point, size] = utf8::decode(text_, at);
        return set.contains(point) ? size : 0;
    }

    std::size_t star_end(const RegexStep& step, std::size_t at) const {
        for (std::size_t size = character(step, at); size != 0; size = character(step, at))
            at += size;
        return at;
    }

    bool star(std::uint32_t& step, std::size_t& at) {
        const RegexStep& now = regex_.steps()[step];
        const bool may_shorten = now.kind == Kind::star && !now.is_last;
        if (failures_.are_noted()) {
            if (!note(step, at)) return false;
            const std::size_t size = character(now, at);
            if (size != 0 && may_shorten) ways_.push_back({Way::Kind::step, step + 1, at});
            at += size;
            if (size == 0) ++step;
            return true;
        }
        const std::size_t end = star_end(now, at);
        failures_.spend(end - at);
        if (end != at && may_shorten) ways_.push_back({Way::Kind::shorter, step + 1, end, at});
        at = end;
        ++step;
        return true;
    }

    bool split(std::uint32_t& step, std::size_t at) {
        const std::vector<RegexStep>& steps = regex_.steps();
        const RegexStep& now = steps[step];
        failures_.spend(1);
        const bool can_first = steps[now.target].first.allows(text_, at);
        const bool can_other = steps[now.other].first.allows(text_, at);
        if (failures_.are_noted() && !note(step, at)) return false;
        if (can_first && can_other) ways_.push_back({Way::Kind::step, now.other, at});
        step = can_first ? now.target : now.other;
        return can_first || can_other;
    }

    /// Takes up the last way that is open; false if there is none above `bottom`.
    bool go_back(std::size_t bottom, std::uint32_t& step, std::size_t& at) {
        failures_.spend(1);
        while (ways_.size() > bottom) {
            Way& way = ways_.back();
            step = way.step;
            if (way.kind == Way::Kind::failure) {
                failures_.add(step, way.at);
            } else if (way.kind == Way::Kind::start) {
                starts_[step] = way.at;
            } else if (way.kind == Way::Kind::group) {
                groups_[step] = {way.at, way.least};
            } else if (way.kind == Way::Kind::step) {
                at = way.at;
                ways_.pop_back();
                return true;
            } else if (shorten(way)) {
                at = way.at;
                if (at == way.least) ways_.pop_back();
                return true;
            }
            ways_.pop_back();
        }
        return false;
    }
    /// Takes characters off the end of a star until the next step may go on there.
    bool shorten(Way& way) {
        const FirstCharacter& first = regex_.steps()[way.step].first;
        while (way.at > way.least) {
            way.at -= utf8::decode_before(text_, way.at).size;
            failures_.spend(1);
            if (first.allows(text_, way.at)) return true;
        }
        return false;
    }

    /// False if step has failed at `at`; otherwise it will be noted if it does.
    bool note(std::uint32_t step, std::size_t at) {
        if (failures_.has(step, at)) return false;
        ways_.push_back({Way::Kind::failure, step, at});
        return true;
    }

    const Regex& regex_;
    std::string_view text_;
    std::size_t next_ = 0;
    std::optional<std::size_t> last_end_;  // of the last match
    static constexpr std::size_t unset = static_cast<std::size_t>(-1);
    std::vector<std::size_t> starts_;  // of each group that has begun
    std::vector<RegexMatch> groups_;   // what each group has matched last
    std::vector<Way> ways_;
    RegexFailures failures_;
};

}  // namespace nystromformer::inline v0_2::detail
