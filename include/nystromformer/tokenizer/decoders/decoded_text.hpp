// SPDX-License-Identifier: MIT
// What several decoders do to a text.
#pragma once

#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace nystromformer::inline v0_2::detail {

/// `text` with `to` for every `from`, as Rust's str::replace has it: an empty `from` stands between
/// all characters and at both ends.
inline std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
    std::string result;
    std::size_t done = 0;
    if (from.empty()) {
        for (; done < text.size(); done += utf8::length(text[done]))
            result.append(to).append(text.substr(done, utf8::length(text[done])));
        return result.append(to);
    }
    for (std::size_t at = text.find(from); at != std::string_view::npos;
         at = text.find(from, done)) {
        result.append(text.substr(done, at - done)).append(to);
        done = at + from.size();
    }
    return result.append(text.substr(done));
}

/// English punctuation and contractions without the space before them. The decoders' list also
/// writes " do not" as " don't"; that of transformers' decode does not.
inline std::string clean_up(std::string text, bool contracts_do_not) {
    struct Rule {
        std::string_view from, to;
    };
    constexpr Rule rules[] = {{" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
                              {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
                              {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
    for (const auto& [from, to] : rules) {
        if (from == " do not" && !contracts_do_not) continue;
        if (text.find(from) != std::string::npos) text = replace_all(text, from, to);
    }
    return text;
}

}  // namespace nystromformer::inline v0_2::detail
