// SPDX-License-Identifier: MIT
// From scores of tokens to entities: words, groups of words, windows that overlap.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/entity.hpp>
#include <nystromformer/pipelines/scores.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// A token and the scores of its labels.
struct TaggedToken {
    std::string word;
    Index start = 0, end = 0;  // code points
    Index byte_start = 0, byte_end = 0;
    Index index = 0;
    Index word_id = -1;
    bool is_subword = false;  // belongs to the word of the token before
    std::vector<float> scores = {};
};

/// Source: TokenClassificationPipeline.aggregate
struct EntityBuilder {
    const Tokenizer& tokenizer;
    const NystromformerConfig& config;
    AggregationStrategy strategy;

    std::vector<TokenClassificationAnswer> operator()(std::vector<TaggedToken> tokens) const {
        const bool by_word =
            strategy != AggregationStrategy::none && strategy != AggregationStrategy::simple;
        auto entities = by_word ? words(tokens) : each(tokens);
        return strategy == AggregationStrategy::none ? entities : groups(entities);
    }

private:
    using Entities = std::vector<TokenClassificationAnswer>;

    TokenClassificationAnswer labelled(std::span<const float> scores) const {
        const std::size_t best = argmax(scores);
        return {.entity = config.id2label.at(static_cast<Index>(best)),
                .score = static_cast<double>(scores[best]),
                .index = std::nullopt,
                .word_id = std::nullopt,
                .word = "",
                .start = 0,
                .end = 0,
                .byte_start = 0,
                .byte_end = 0};
    }

    static void set_place(TokenClassificationAnswer& entity, const TaggedToken& first,
                          const TaggedToken& last) {
        entity.start = first.start;
        entity.end = last.end;
        entity.byte_start = first.byte_start;
        entity.byte_end = last.byte_end;
    }

    Entities each(std::span<const TaggedToken> tokens) const {
        Entities entities;
        for (const TaggedToken& token : tokens) {
            auto& entity = entities.emplace_back(labelled(token.scores));
            entity.index = token.index;
            if (token.word_id >= 0) entity.word_id = token.word_id;
            entity.word = token.word;
            set_place(entity, token, token);
        }
        return entities;
    }

    /// One entity a word, which ends where a token that is no subword begins.
    Entities words(std::span<const TaggedToken> tokens) const {
        Entities entities;
        for (std::size_t begin = 0, end = 0; begin < tokens.size(); begin = end) {
            do ++end;
            while (end < tokens.size() && tokens[end].is_subword);
            entities.push_back(word(tokens.subspan(begin, end - begin)));
        }
        return entities;
    }

    TokenClassificationAnswer word(std::span<const TaggedToken> tokens) const {
        TokenClassificationAnswer entity = labelled(word_scores(tokens));
        std::vector<std::string> spellings;
        for (const TaggedToken& token : tokens) spellings.push_back(token.word);
        entity.word = tokenizer.convert_tokens_to_string(std::move(spellings));
        set_place(entity, tokens.front(), tokens.back());
        return entity;
    }

    std::vector<float> word_scores(std::span<const TaggedToken> tokens) const {
        const auto surest = [](const TaggedToken& token) {
            return *std::max_element(token.scores.begin(), token.scores.end());
        };
        if (strategy == AggregationStrategy::max) {
            return std::max_element(tokens.begin(), tokens.end(),
                                    [&](const TaggedToken& a, const TaggedToken& b) {
                                        return surest(a) < surest(b);
                                    })
                ->scores;
        }
        std::vector<float> scores = tokens.front().scores;
        if (strategy == AggregationStrategy::first) return scores;
        for (const TaggedToken& token : tokens.subspan(1)) {
            for (std::size_t label = 0; label < scores.size(); ++label)
                scores[label] += token.scores[label];
        }
        for (float& score : scores) score /= static_cast<float>(tokens.size());
        return scores;
    }

    /// A label without its "B-" or "I-".
    static std::string_view tag(std::string_view label) {
        return label.starts_with("B-") || label.starts_with("I-") ? label.substr(2) : label;
    }

    /// Neighbours of one tag, but a "B-" starts a new entity.
    Entities groups(const Entities& entities) const {
        Entities result;
        for (std::size_t begin = 0, end = 0; begin < entities.size(); begin = end) {
            do ++end;
            while (end < entities.size() && !entities[end].entity.starts_with("B-") &&
                   tag(entities[end].entity) == tag(entities[end - 1].entity));
            result.push_back(group(std::span(entities).subspan(begin, end - begin)));
        }
        return result;
    }

    TokenClassificationAnswer group(std::span<const TokenClassificationAnswer> entities) const {
        // What follows the first "-", whatever stands before it.
        const std::string& label = entities.front().entity;
        const std::size_t dash = label.find('-');
        std::vector<std::string> spellings;
        double total = 0;
        for (const TokenClassificationAnswer& entity : entities) {
            spellings.push_back(entity.word);
            total += entity.score;
        }
        return {.entity = dash == label.npos ? label : label.substr(dash + 1),
                .score = total / static_cast<double>(entities.size()),
                .index = std::nullopt,
                .word_id = std::nullopt,
                .word = tokenizer.convert_tokens_to_string(std::move(spellings)),
                .start = entities.front().start,
                .end = entities.back().end,
                .byte_start = entities.front().byte_start,
                .byte_end = entities.back().byte_end};
    }
};

/// The entities of overlapping windows: of those that start inside another, the longer, or the
/// likelier of equally long ones. Source:
/// TokenClassificationPipeline.aggregate_overlapping_entities
inline std::vector<TokenClassificationAnswer> without_overlaps(
    std::vector<TokenClassificationAnswer> entities) {
    std::stable_sort(entities.begin(), entities.end(),
                     [](const auto& a, const auto& b) { return a.start < b.start; });
    std::vector<TokenClassificationAnswer> result;
    for (TokenClassificationAnswer& entity : entities) {
        if (result.empty() || entity.start >= result.back().end) {
            result.push_back(std::move(entity));
            continue;
        }
        const Index length = entity.end - entity.start;
        const Index kept_length = result.back().end - result.back().start;
        if (length > kept_length || (length == kept_length && entity.score > result.back().score))
            result.back() = std::move(entity);
    }
    return result;
}

}  // namespace nystromformer::inline v0_2::detail
