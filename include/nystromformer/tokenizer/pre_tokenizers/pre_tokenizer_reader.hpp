// SPDX-License-Identifier: MIT
// Reads the pre-tokenisers of tokenizer.json; those that this library does not run are refused by
// name.
#pragma once

#include <nystromformer/tokenizer/loaders/component_json.hpp>
#include <nystromformer/tokenizer/pre_tokenizers/pre_tokenizers.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace nystromformer::detail {

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

inline SplitBehavior read_behavior(const TokenizerJson& json) {
    const std::string& name = json.string();
    if (name == "Removed") return SplitBehavior::removed;
    if (name == "Isolated") return SplitBehavior::isolated;
    if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
    if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
    if (name != "Contiguous") {
        json.fail(
            "\"Removed\", \"Isolated\", \"MergedWithPrevious\", \"MergedWithNext\" or "
            "\"Contiguous\"");
    }
    return SplitBehavior::contiguous;
}

inline ByteLevel read_byte_level(const TokenizerJson& json) {
    ByteLevel result;
    result.add_prefix_space = json.at("add_prefix_space").boolean();
    if (json.has("use_regex")) result.use_regex = json.at("use_regex").boolean();
    json.at("trim_offsets").boolean();  // for the post-processor
    return result;
}

inline FixedLength read_fixed_length(const TokenizerJson& json) {
    FixedLength result;
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    if (json.has("length"))
        result.length = static_cast<std::size_t>(json.at("length").integer(1, most));
    return result;
}

/// Appends the pre-tokeniser at `json` to `chain`; a Sequence appends its parts.
inline void read_pre_tokenizers(const TokenizerJson& json, std::vector<PreTokenizer>& chain,
                                MemoryBudget& budget) {
    budget.take(2 * sizeof(PreTokenizer));  // in a vector that grows
    const auto type = json.object().at("type");
    const std::string& name = type.string();
    if (name == "Sequence") {
        const auto parts = json.at("pretokenizers").array();
        for (std::size_t i = 0; i < parts.size(); ++i)
            read_pre_tokenizers(parts.at(i), chain, budget);
    } else if (name == "BertPreTokenizer") {
        chain.emplace_back(BertPreTokenizer{});
    } else if (name == "ByteLevel") {
        chain.emplace_back(read_byte_level(json));
    } else if (name == "WhitespaceSplit") {
        chain.emplace_back(WhitespaceSplit{});
    } else if (name == "Whitespace") {
        chain.emplace_back(Whitespace{});
    } else if (name == "Metaspace") {
        chain.emplace_back(read_metaspace(json));
    } else if (name == "CharDelimiterSplit") {
        const std::string& delimiter = read_character(json.at("delimiter"));
        chain.emplace_back(CharDelimiterSplit{utf8::decode(delimiter, 0).point});
    } else if (name == "Split") {
        chain.emplace_back(Split{read_pattern(json.at("pattern"), budget),
                                 read_behavior(json.at("behavior")), json.at("invert").boolean()});
    } else if (name == "Punctuation") {
        chain.emplace_back(json.has("behavior") ? Punctuation{read_behavior(json.at("behavior"))}
                                                : Punctuation{});
    } else if (name == "Digits") {
        chain.emplace_back(Digits{json.at("individual_digits").boolean()});
    } else if (name == "UnicodeScripts") {
        chain.emplace_back(UnicodeScripts{});
    } else if (name == "FixedLength") {
        chain.emplace_back(read_fixed_length(json));
    } else {
        refuse_component(type,
                         "Sequence, BertPreTokenizer, ByteLevel, WhitespaceSplit, Whitespace, "
                         "Metaspace, CharDelimiterSplit, Split, Punctuation, Digits, "
                         "UnicodeScripts, FixedLength");
    }
}

}  // namespace nystromformer::detail
