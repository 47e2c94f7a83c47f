// SPDX-License-Identifier: MIT
// What the readers of the components of tokenizer.json share.
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/core/memory_budget.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/regex/pattern.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <string>
#include <utility>

namespace nystromformer::detail {

using TokenizerJson = JsonView<TokenizerError>;

[[noreturn]] inline void refuse_component(const TokenizerJson& type, std::string supported) {
    throw UnsupportedError(
        {type.file(), type.path(), "one of " + std::move(supported), in_quotes(type.string())});
}

/// A string of exactly one character.
inline const std::string& read_character(const TokenizerJson& json) {
    const std::string& text = json.string();
    if (text.empty() || utf8::length(text[0]) != text.size()) json.fail("one character");
    return text;
}

/// {"String": text} or {"Regex": pattern}. An empty text matches everywhere, as a regex does.
/// What a regex is compiled to is taken from `budget`.
inline Pattern read_pattern(const TokenizerJson& json, MemoryBudget& budget) {
    const bool is_regex = json.object().has("Regex");
    const auto value = json.at(is_regex ? "Regex" : "String");
    if (!is_regex && !value.string().empty()) return {value.string()};
    return {"", Regex(value.string(), value.path(), budget)};
}

}  // namespace nystromformer::detail
