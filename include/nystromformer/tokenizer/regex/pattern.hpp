// SPDX-License-Identifier: MIT
// The patterns of Split and Replace and their matches in a text.
#pragma once

#include <nystromformer/tokenizer/regex/regex.hpp>
#include <nystromformer/tokenizer/regex/regex_search.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace nystromformer::inline v0_2::detail {

/// A text, or a regular expression.
struct Pattern {
    std::string text;  // not empty without a regex
    std::optional<Regex> regex{};
};

/// Calls `tell(begin, end)` for each match of `pattern` in `text`, from left to right. `search` is
/// for the pattern's regex.
template <typename Tell>
void for_each_match(const Pattern& pattern, std::optional<RegexSearch>& search,
                    std::string_view text, Tell&& tell) {
    if (search) {
        search->start(text);
        while (const auto match = search->next()) tell(match->begin, match->end);
        return;
    }
    for (std::size_t at = text.find(pattern.text); at != std::string_view::npos;
         at = text.find(pattern.text, at)) {
        tell(at, at + pattern.text.size());
        at += pattern.text.size();
    }
}

inline std::optional<RegexSearch> make_search(const Pattern& pattern) {
    return pattern.regex ? std::optional<RegexSearch>(*pattern.regex) : std::nullopt;
}

}  // namespace nystromformer::inline v0_2::detail
