// SPDX-License-Identifier: MIT
// Reads the normalisers of tokenizer.json; those that this library does not run are refused by
// name.
#pragma once

#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/loaders/component_json.hpp>
#include <nystromformer/tokenizer/normalizers/normalizers.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::detail {

inline Replace read_replace(const TokenizerJson& json, MemoryBudget& budget) {
    const auto pattern = json.at("pattern").object();
    const bool is_regex = pattern.has("Regex");
    const auto value = pattern.at(is_regex ? "Regex" : "String");
    Replace result{read_pattern(pattern, budget), json.at("content").string()};
    result.is_space_run = is_regex && value.string() == " {2,}";
    return result;
}

inline Precompiled read_precompiled(const TokenizerJson& json) {
    const auto charsmap = json.at("precompiled_charsmap");
    const auto blob = decode_base64(charsmap.string());
    if (!blob) charsmap.fail("base64");
    return Precompiled(Charsmap(*blob, json.file(), charsmap.path()));
}

/// strip_accents may be null or missing: then it is as lowercase says.
inline BertNormalizer read_bert_normalizer(const TokenizerJson& json) {
    BertNormalizer result;
    result.clean_text = json.at("clean_text").boolean();
    result.handle_chinese_chars = json.at("handle_chinese_chars").boolean();
    result.lowercase = json.at("lowercase").boolean();
    result.strip_accents =
        json.holds("strip_accents") ? json.at("strip_accents").boolean() : result.lowercase;
    return result;
}

/// Appends the normaliser at `json` to `chain`; a Sequence appends its parts.
inline void read_normalizers(const TokenizerJson& json, std::vector<Normalizer>& chain,
                             MemoryBudget& budget) {
    budget.take(2 * sizeof(Normalizer));  // in a vector that grows
    const auto type = json.object().at("type");
    const std::string& name = type.string();
    if (name == "Sequence") {
        const auto parts = json.at("normalizers").array();
        for (std::size_t i = 0; i < parts.size(); ++i) read_normalizers(parts.at(i), chain, budget);
    } else if (name == "BertNormalizer") {
        chain.emplace_back(read_bert_normalizer(json));
    } else if (name == "Replace") {
        chain.emplace_back(read_replace(json, budget));
    } else if (name == "NFKD" || name == "NFD") {
        chain.emplace_back(Decompose{name == "NFKD"});
    } else if (name == "NFKC" || name == "NFC") {
        chain.emplace_back(Compose{name == "NFKC"});
    } else if (name == "StripAccents") {
        chain.emplace_back(StripAccents{});
    } else if (name == "Lowercase") {
        chain.emplace_back(Lowercase{});
    } else if (name == "Nmt") {
        chain.emplace_back(Nmt{});
    } else if (name == "ByteLevel") {
        chain.emplace_back(ByteLevelNormalizer{});
    } else if (name == "Precompiled") {
        chain.emplace_back(read_precompiled(json));
    } else if (name == "Strip") {
        chain.emplace_back(
            Strip{json.at("strip_left").boolean(), json.at("strip_right").boolean()});
    } else if (name == "Prepend") {
        chain.emplace_back(Prepend{json.at("prepend").string()});
    } else {
        refuse_component(type,
                         "Sequence, BertNormalizer, Replace, NFC, NFD, NFKC, NFKD, StripAccents, "
                         "Lowercase, Nmt, ByteLevel, Precompiled, Strip, Prepend");
    }
}

}  // namespace nystromformer::detail
