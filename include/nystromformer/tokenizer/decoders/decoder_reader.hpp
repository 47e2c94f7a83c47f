// SPDX-License-Identifier: MIT
// Reads the decoders of tokenizer.json; those that this library does not run are refused by name.
#pragma once

#include <nystromformer/tokenizer/decoders/decoders.hpp>
#include <nystromformer/tokenizer/loaders/component_json.hpp>
#include <nystromformer/tokenizer/normalizers/normalizer_reader.hpp>
#include <nystromformer/tokenizer/pre_tokenizers/pre_tokenizer_reader.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::detail {

/// Appends the decoder at `json` to `chain`; a Sequence appends its parts.
inline void read_decoders(const TokenizerJson& json, std::vector<Decoder>& chain,
                          MemoryBudget& budget) {
    budget.take(2 * sizeof(Decoder));  // in a vector that grows
    const auto type = json.object().at("type");
    const std::string& name = type.string();
    if (name == "Sequence") {
        const auto parts = json.at("decoders").array();
        for (std::size_t i = 0; i < parts.size(); ++i) read_decoders(parts.at(i), chain, budget);
    } else if (name == "Metaspace") {
        Metaspace rule = read_metaspace(json);
        const bool drops_first = rule.prepend != PrependScheme::never;
        chain.emplace_back(MetaspaceDecoder{std::move(rule.replacement), drops_first});
    } else if (name == "Replace") {
        chain.emplace_back(ReplaceDecoder{read_replace(json, budget)});
    } else if (name == "Fuse") {
        chain.emplace_back(Fuse{});
    } else if (name == "Strip") {
        constexpr std::int64_t most = 1 << 20;
        chain.emplace_back(
            StripDecoder{read_character(json.at("content")),
                         static_cast<std::size_t>(json.at("start").integer(0, most)),
                         static_cast<std::size_t>(json.at("stop").integer(0, most))});
    } else if (name == "ByteFallback") {
        chain.emplace_back(ByteFallback{});
    } else if (name == "ByteLevel") {
        chain.emplace_back(ByteLevelDecoder{});
    } else if (name == "WordPiece") {
        chain.emplace_back(
            WordPieceDecoder{json.at("prefix").string(), json.at("cleanup").boolean()});
    } else if (name == "BPEDecoder") {
        chain.emplace_back(BpeDecoder{json.at("suffix").string()});
    } else if (name == "CTC") {
        chain.emplace_back(CtcDecoder{json.at("pad_token").string(),
                                      json.at("word_delimiter_token").string(),
                                      json.at("cleanup").boolean()});
    } else {
        refuse_component(type,
                         "Sequence, Metaspace, Replace, Fuse, Strip, ByteFallback, ByteLevel, "
                         "WordPiece, BPEDecoder, CTC");
    }
}

}  // namespace nystromformer::detail
