// SPDX-License-Identifier: MIT
// Reads the components of tokenizer.json. A list of kinds (std::variant) says which there are: what
// dispatches on a type's name, and the names in the error for another, are made from that list.
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/core/memory_budget.hpp>
#include <nystromformer/core/names.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/regex/pattern.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace nystromformer::inline v0_2::detail {

using TokenizerJson = JsonView<TokenizerError>;

/// The types in tokenizer.json that a component is read from.
template <typename... Names>
constexpr std::array<std::string_view, sizeof...(Names)> types(const Names&... names) {
    return {std::string_view(names)...};
}

/// The limits of a component's file.
struct ComponentLimits {
    MemoryBudget& budget;         ///< what may still be made of the file
    std::int64_t vocab_size = 0;  ///< ids are below this
};

/// One component of tokenizer.json. A kind of component has
///   type_names            its types
///   load(ComponentJson)   reads it; a kind without it has no options
///   is_local()            true: it gives the same for the parts of a text that is cut before a
///                         single space between two letters or digits of ASCII as for the whole; a
///                         kind without it never does
struct ComponentJson {
    const TokenizerJson& json;
    const std::string& type;
    const ComponentLimits& limits;

    TokenizerJson at(const char* key) const { return json.at(key); }
    bool flag(const char* key) const { return json.at(key).boolean(); }
};

template <typename Kind>
Kind load_component(const ComponentJson& component) {
    if constexpr (requires { Kind::load(component); }) {
        return Kind::load(component);
    } else {
        return {};
    }
}

/// ComponentJson's is_local.
template <typename Kind>
bool is_local(const Kind& component) {
    if constexpr (requires { component.is_local(); }) {
        return component.is_local();
    } else {
        return false;
    }
}
template <typename... Kinds>
bool is_local(const std::variant<Kinds...>& component) {
    return std::visit([](const auto& kind) { return is_local(kind); }, component);
}

template <typename Kind>
bool is_named(std::string_view type) {
    return std::find(Kind::type_names.begin(), Kind::type_names.end(), type) !=
           Kind::type_names.end();
}

/// "A, B, C": the types of all kinds.
template <typename... Kinds>
std::string names_of_types() {
    std::string names;
    const auto add = [&](const auto& types) {
        for (const std::string_view type : types) {
            if (!names.empty()) names += ", ";
            names += type;
        }
    };
    (add(Kinds::type_names), ...);
    return names;
}

/// Appends the component at `json` to `chain`; a Sequence appends its parts, which are under
/// `parts_key`. UnsupportedError for a type that no kind has.
template <typename... Kinds>
void read_components(const TokenizerJson& json, const char* parts_key,
                     const ComponentLimits& limits, std::vector<std::variant<Kinds...>>& chain) {
    limits.budget.take(2 * sizeof(std::variant<Kinds...>));  // in a vector that grows
    const auto type = json.object().at("type");
    if (type.string() == "Sequence") {
        const auto parts = json.at(parts_key).array();
        for (std::size_t i = 0; i < parts.size(); ++i)
            read_components(parts.at(i), parts_key, limits, chain);
        return;
    }
    const ComponentJson component{json, type.string(), limits};
    const auto append_if_named = [&]<typename Kind>(std::type_identity<Kind>) {
        if (!is_named<Kind>(component.type)) return false;
        chain.emplace_back(load_component<Kind>(component));
        return true;
    };
    if ((append_if_named(std::type_identity<Kinds>()) || ...)) return;
    throw UnsupportedError({type.file(), type.path(),
                            "one of Sequence, " + names_of_types<Kinds...>(),
                            in_quotes(type.string())});
}

/// The value of an enum by its name.
template <typename Enum, std::size_t size>
Enum read_enum(const TokenizerJson& json, const EnumNames<Enum, size>& names) {
    const auto value = names.find(json.string());
    if (!value) json.fail(names.list());
    return *value;
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

}  // namespace nystromformer::inline v0_2::detail
