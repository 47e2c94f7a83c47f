// SPDX-License-Identifier: MIT
// Tokens that are found in the text itself, before the model sees it:
// https://github.com/huggingface/tokenizers/blob/3ba8ad00/tokenizers/src/tokenizer/added_vocabulary.rs
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/core/memory_budget.hpp>
#include <nystromformer/tokenizer/added_token_finder.hpp>
#include <nystromformer/tokenizer/models/model.hpp>
#include <nystromformer/tokenizer/normalizers/normalizers.hpp>
#include <nystromformer/tokenizer/piece_text.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace nystromformer::detail {

/// The list /added_tokens, read and indexed.
class AddedTokens {
public:
    AddedTokens() = default;

    /// Reads the list as Hugging Face does: an entry without text or repeated is skipped, another
    /// of the same text takes the place of the first. Throws TokenizerError for ids that Hugging
    /// Face would not give, and FormatError where `budget` is not enough.
    AddedTokens(const JsonView<TokenizerError>& json, const Model& model,
                const std::vector<Normalizer>& normalizers, MemoryBudget& budget) {
        if (json.array().size() > most_tokens)
            json.fail("at most " + std::to_string(most_tokens) + " tokens");
        auto next_id = static_cast<std::int64_t>(model.size());
        for (std::size_t i = 0; i < json.size(); ++i) {
            std::optional<AddedToken> token = read(json.at(i), model, next_id);
            if (!token) continue;
            // It stands in a vector that grows, three maps and two lists of patterns.
            constexpr std::size_t beside_texts = 640;
            budget.take(beside_texts + 5 * token->content.size());
            token->shown = token->content;
            if (token->normalized)
                token->shown = normal_form(json.at(i).at("content"), normalizers);
            if (token->special) special_.insert(token->content);
            const auto [place, is_new] = by_id_.emplace(token->id, tokens_.size());
            by_content_.emplace(token->content, place->second);
            if (is_new) {
                tokens_.push_back(std::move(*token));
            } else {
                replace(tokens_[place->second], std::move(*token));
            }
        }
        index(budget);
    }

    const std::vector<AddedToken>& tokens() const { return tokens_; }
    const AddedToken* find(std::string_view content) const {
        const auto found = by_content_.find(std::string(content));
        return found == by_content_.end() ? nullptr : &tokens_[found->second];
    }
    const AddedToken* find(std::int64_t id) const {
        const auto found = by_id_.find(id);
        return found == by_id_.end() ? nullptr : &tokens_[found->second];
    }
    bool is_special(const std::string& content) const { return special_.contains(content); }
    bool has_normalized() const { return !normalized_.is_empty(); }
    /// Ids are below this.
    std::int64_t id_end() const { return id_end_; }

    void split_raw(std::string_view text, std::vector<Piece>& out) const {
        raw_.split(text, tokens_, out);
    }
    void split_normalized(std::string_view text, std::vector<Piece>& out) const {
        normalized_.split(text, tokens_, out);
    }

private:
    static constexpr std::size_t most_tokens = 1U << 20;

    /// One entry, or none for one that changes nothing. Its id must be the one that Hugging Face
    /// would give: that of the same text before, the model's, or the next.
    std::optional<AddedToken> read(const JsonView<TokenizerError>& json, const Model& model,
                                   std::int64_t& next_id) {
        AddedToken token;
        token.content = json.at("content").string();
        token.single_word = json.at("single_word").boolean();
        token.lstrip = json.at("lstrip").boolean();
        token.rstrip = json.at("rstrip").boolean();
        token.normalized = json.at("normalized").boolean();
        token.special = json.at("special").boolean();
        const std::int64_t given = json.at("id").integer(0, 0x7FFFFFFF);
        if (token.content.empty()) return std::nullopt;
        const AddedToken* before = find(token.content);
        std::int64_t id = before != nullptr ? before->id : model.find(token.content);
        if (id < 0) id = next_id++;
        if (given != id)
            json.at("id").fail(std::to_string(id) + ", the id of " + in_quotes(token.content));
        token.id = static_cast<std::int32_t>(id);
        id_end_ = std::max(id_end_, id + 1);
        return before != nullptr && *before == token ? std::nullopt : std::optional(token);
    }

    static std::string normal_form(const JsonView<TokenizerError>& content,
                                   const std::vector<Normalizer>& normalizers) {
        NormalizedText text;
        text.append_original(content.string(), 0, content.string().size());
        try {
            apply(normalizers, text);
        } catch (const TokenizerError& error) {
            content.fail("a normal form of " + error.expected());
        }
        // With such a token Hugging Face does not come to an end, or cuts inside of characters.
        if (text.text.empty()) content.fail("text that normalises to some");
        return text.text;
    }

    /// Replaces `old` by `token`, which has the same id. A normal form that differs from the
    /// text stays until there is another.
    static void replace(AddedToken& old, AddedToken token) {
        if (old.shown != old.content && token.shown == token.content) token.shown = old.shown;
        old = std::move(token);
    }

    void index(MemoryBudget& budget) {
        std::vector<std::pair<std::string_view, std::int32_t>> raw, normalized;
        for (std::size_t i = 0; i < tokens_.size(); ++i) {
            const AddedToken& token = tokens_[i];
            const auto number = static_cast<std::int32_t>(i);
            if (token.normalized) {
                normalized.emplace_back(token.shown, number);
            } else {
                raw.emplace_back(token.content, number);
            }
        }
        raw_ = AddedTokenFinder(std::move(raw), budget);
        normalized_ = AddedTokenFinder(std::move(normalized), budget);
    }

    std::vector<AddedToken> tokens_;
    std::unordered_map<std::string, std::size_t> by_content_;
    std::unordered_map<std::int64_t, std::size_t> by_id_;
    std::set<std::string> special_;
    std::int64_t id_end_ = 0;
    AddedTokenFinder raw_;
    AddedTokenFinder normalized_;
};

}  // namespace nystromformer::detail
