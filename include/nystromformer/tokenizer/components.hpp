// SPDX-License-Identifier: MIT
// Reads the components of tokenizer.json; those that this library does not run are refused by name.
#pragma once

#include <nystromformer/core/error.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/tokenizer/normalizers.hpp>
#include <nystromformer/tokenizer/pre_tokenizers.hpp>
#include <nystromformer/tokenizer/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

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

inline Replace read_replace(const TokenizerJson& json) {
    const auto pattern = json.at("pattern").object();
    if (pattern.has("Regex")) {
        const auto regex = pattern.at("Regex");
        if (regex.string() != " {2,}") {
            throw UnsupportedError({json.file(), regex.path(),
                                    "a String or the regular expression \" {2,}\"",
                                    in_quotes(regex.string())});
        }
        return {"", json.at("content").string()};
    }
    const auto text = pattern.at("String");
    if (text.string().empty()) text.fail("text");
    return {text.string(), json.at("content").string()};
}

inline Precompiled read_precompiled(const TokenizerJson& json) {
    const auto charsmap = json.at("precompiled_charsmap");
    const auto blob = decode_base64(charsmap.string());
    if (!blob) charsmap.fail("base64");
    return Precompiled(Charsmap(*blob, json.file(), charsmap.path()));
}

/// Appends the normaliser at `json` to `chain`; a Sequence appends its parts.
inline void read_normalizers(const TokenizerJson& json, std::vector<Normalizer>& chain) {
    const auto type = json.object().at("type");
    const std::string& name = type.string();
    if (name == "Sequence") {
        const auto parts = json.at("normalizers").array();
        for (std::size_t i = 0; i < parts.size(); ++i) read_normalizers(parts.at(i), chain);
    } else if (name == "Replace") {
        chain.emplace_back(read_replace(json));
    } else if (name == "NFKD" || name == "NFD") {
        chain.emplace_back(Decompose{name == "NFKD"});
    } else if (name == "StripAccents") {
        chain.emplace_back(StripAccents{});
    } else if (name == "Lowercase") {
        chain.emplace_back(Lowercase{});
    } else if (name == "Precompiled") {
        chain.emplace_back(read_precompiled(json));
    } else if (name == "Strip") {
        chain.emplace_back(
            Strip{json.at("strip_left").boolean(), json.at("strip_right").boolean()});
    } else if (name == "Prepend") {
        const auto content = json.at("prepend");
        if (content.string().empty()) content.fail("text");
        chain.emplace_back(Prepend{content.string()});
    } else {
        refuse_component(
            type,
            "Sequence, Replace, NFD, NFKD, StripAccents, Lowercase, Precompiled, Strip, "
            "Prepend");
    }
}

/// Both JSON forms: add_prefix_space (and str_rep) until 2024, prepend_scheme and split since.
inline Metaspace read_metaspace(const TokenizerJson& json) {
    Metaspace result;
    result.replacement = read_character(json.at("replacement"));
    if (json.has("prepend_scheme")) {
        const auto scheme = json.at("prepend_scheme");
        if (scheme.string() == "first") {
            result.prepend = PrependScheme::first;
        } else if (scheme.string() == "never") {
            result.prepend = PrependScheme::never;
        } else if (scheme.string() != "always") {
            scheme.fail("\"always\", \"first\" or \"never\"");
        }
    }
    if (json.holds("add_prefix_space") && !json.at("add_prefix_space").boolean()) {
        if (json.has("prepend_scheme") && result.prepend != PrependScheme::never)
            json.at("add_prefix_space").fail("true, as prepend_scheme has it");
        if (!json.has("prepend_scheme"))
            json.at("add_prefix_space").fail("with prepend_scheme never");
        result.prepend = PrependScheme::never;
    }
    if (json.holds("split")) result.split = json.at("split").boolean();
    return result;
}

/// Appends the pre-tokeniser at `json` to `chain`; a Sequence appends its parts.
inline void read_pre_tokenizers(const TokenizerJson& json, std::vector<PreTokenizer>& chain) {
    const auto type = json.object().at("type");
    const std::string& name = type.string();
    if (name == "Sequence") {
        const auto parts = json.at("pretokenizers").array();
        for (std::size_t i = 0; i < parts.size(); ++i) read_pre_tokenizers(parts.at(i), chain);
    } else if (name == "WhitespaceSplit") {
        chain.emplace_back(WhitespaceSplit{});
    } else if (name == "Metaspace") {
        chain.emplace_back(read_metaspace(json));
    } else {
        refuse_component(type, "Sequence, WhitespaceSplit, Metaspace");
    }
}

}  // namespace nystromformer::detail
