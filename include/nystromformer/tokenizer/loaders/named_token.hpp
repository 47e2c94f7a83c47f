// SPDX-License-Identifier: MIT
// A token as tokenizer_config.json and the files next to it name it.
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/added_token_finder.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Plain text or an AddedToken: Python keeps them apart, also when it asks which one it has.
struct NamedToken {
    std::string content;
    std::optional<bool> normalized = std::nullopt;  // nothing: what is not special is
    bool single_word = false, lstrip = false, rstrip = false, special = true;
    bool is_text = true;
    std::optional<std::int64_t> id = std::nullopt;  // that the file has for it; Python gives others
    std::string file = {}, place = {};              // where it stands

    using View = JsonView<TokenizerError>;

    /// A special token without rules.
    static NamedToken text(std::string content) {
        NamedToken token;
        token.content = std::move(content);
        return token;
    }

    /// Text, or an object with the flags of an AddedToken; `special`: of each. Throws
    /// TokenizerError.
    static NamedToken read(const View& json, bool special = false) {
        const auto content = json.is_object() ? json.at("content") : json;
        NamedToken token = text(content.string());
        token.file = json.file();
        token.place = json.path();
        if (!json.is_object()) return token;
        const auto flag = [&](const char* key) {
            return json.holds(key) && json.at(key).boolean();
        };
        token.is_text = false;
        token.special = special || flag("special");
        if (json.holds("normalized")) token.normalized = flag("normalized");
        token.single_word = flag("single_word");
        token.lstrip = flag("lstrip");
        token.rstrip = flag("rstrip");
        return token;
    }

    AddedToken added_token() const {
        AddedToken token;
        token.content = content;
        token.single_word = single_word;
        token.lstrip = lstrip;
        token.rstrip = rstrip;
        token.special = special;
        token.normalized = normalized.value_or(!special);
        return token;
    }

    /// Equal for tokens that Python's `==` finds equal.
    std::string key() const {
        std::string result = content + '\0';
        for (const bool flag :
             {is_text, single_word, lstrip, rstrip, special, normalized.value_or(!special)})
            result += flag ? '1' : '0';
        return result;
    }
};

/// Such files list only a few; a token takes a hundred times as much memory as its text in the
/// file.
inline void check_token_count(const JsonView<TokenizerError>& json) {
    constexpr std::size_t max_tokens = 1U << 15;
    if (json.size() > max_tokens) json.fail("at most " + std::to_string(max_tokens) + " tokens");
}

inline std::vector<NamedToken> read_tokens(const JsonView<TokenizerError>& json,
                                           bool special = false) {
    std::vector<NamedToken> result;
    check_token_count(json.array());
    for (std::size_t i = 0; i < json.size(); ++i)
        result.push_back(NamedToken::read(json.at(i), special));
    return result;
}

}  // namespace nystromformer::inline v0_2::detail
