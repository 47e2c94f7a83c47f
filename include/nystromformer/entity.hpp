// SPDX-License-Identifier: MIT
// What token classification returns: labelled tokens, or entities made of them.
#pragma once

#include <nystromformer/core/index.hpp>

#include <optional>
#include <string>

namespace nystromformer::inline v0_2 {

/// How tokens become entities, with Hugging Face's names. A word of a tokenizer whose tokens inside
/// a word are marked ("##ing") ends before punctuation. Any other runs from one space to the next,
/// with its punctuation, so that `simple` gives cleaner entities.
enum class AggregationStrategy {
    none,     ///< every token is an answer
    simple,   ///< neighbouring tokens with the same tag become one entity
    first,    ///< the same, of words: a word has the label of its first token
    average,  ///< the same, of words: the label with the best mean score of the word's tokens
    max,      ///< the same, of words: the label of the word's most certain token
};

/// A token or an entity, with Hugging Face's names.
struct TokenClassificationAnswer {
    /// With AggregationStrategy::none the label, such as "B-PER"; else the tag, such as "PER"
    /// (Hugging Face's entity_group).
    std::string entity;
    double score;                ///< from 0 to 1
    std::optional<Index> index;  ///< number of the token; only with AggregationStrategy::none
    /// Number of the token's word; only with AggregationStrategy::none, and if the tokenizer knows
    /// words. Hugging Face has no such field.
    std::optional<Index> word_id;
    std::string word;                    ///< the token, or the text that the tokens decode to
    Index start, end;                    ///< code points in the text
    Index byte_start = 0, byte_end = 0;  ///< the same place in bytes
};

}  // namespace nystromformer::inline v0_2
