// SPDX-License-Identifier: MIT
// What token classification returns: labelled tokens, or entities made of them.
#pragma once

#include <nystromformer/core/index.hpp>

#include <optional>
#include <string>

namespace nystromformer::inline v0_2 {

/// How tokens become entities, with Hugging Face's names.
enum class AggregationStrategy {
    none,     ///< every token by itself
    simple,   ///< neighbouring tokens of one tag
    first,    ///< as simple, after each word has the label of its first token,
    average,  ///< of the mean of its tokens' scores,
    max,      ///< or of its surest token
};

/// A token or an entity, with Hugging Face's names.
struct TokenClassificationAnswer {
    std::string entity;  ///< the label; but for AggregationStrategy::none the tag (entity_group)
    double score;
    std::optional<Index> index;  ///< of the token in its text, with AggregationStrategy::none
    /// Of the token's word, likewise, if the tokenizer knows words (not in Hugging Face).
    std::optional<Index> word_id;
    std::string word;                    ///< the token, or the text that the tokens decode to
    Index start, end;                    ///< code points in the text
    Index byte_start = 0, byte_end = 0;  ///< the same place in bytes
};

}  // namespace nystromformer::inline v0_2
