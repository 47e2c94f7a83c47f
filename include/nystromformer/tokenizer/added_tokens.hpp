// SPDX-License-Identifier: MIT
// Tokens that are found in the text itself, before the model sees it:
// https://github.com/huggingface/tokenizers/blob/3ba8ad00/tokenizers/src/tokenizer/added_vocabulary.rs
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/core/memory_budget.hpp>
#include <nystromformer/tokenizer/models/model.hpp>
#include <nystromformer/tokenizer/models/trie.hpp>
#include <nystromformer/tokenizer/normalizers/normalizers.hpp>
#include <nystromformer/tokenizer/pre_tokenizers/pre_tokenizers.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace nystromformer::detail {

struct AddedToken {
    std::int32_t id = 0;
    std::string content;
    std::string shown;         // its normal form where it is normalised: what id_to_token gives
    bool single_word = false;  // not next to a word character
    bool lstrip = false;       // takes the white space on its left
    bool rstrip = false;       // and on its right
    bool normalized = false;   // is found in normalised text, by its normal form
    bool special = false;      // is left out when decoding
};

/// Finds one kind of added tokens: those of raw text or those of normalised text.
class AddedTokenFinder {
public:
    AddedTokenFinder() = default;

    /// `tokens[i]` is found by `patterns[i].first` and known as `patterns[i].second`.
    AddedTokenFinder(std::vector<std::pair<std::string_view, std::int32_t>> patterns,
                     MemoryBudget& budget) {
        std::sort(patterns.begin(), patterns.end());
        for (const auto& [pattern, number] : patterns)
            starts_[static_cast<unsigned char>(pattern[0])] = true;
        is_empty_ = patterns.empty();
        trie_ = Trie(
            patterns.size(), [&](std::size_t i) { return patterns[i]; }, budget);
    }

    bool is_empty() const { return is_empty_; }

    /// Cuts the whole of `text` into pieces between tokens and the tokens found, longest first at
    /// each place. `tokens` tells their rules.
    void split(std::string_view text, const std::vector<AddedToken>& tokens,
               std::vector<Piece>& out) const {
        std::size_t done = 0;
        for (std::size_t at = 0; at < text.size() && !is_empty_;) {
            if (!starts_[static_cast<unsigned char>(text[at])]) {
                ++at;
                continue;
            }
            const auto [number, size] = longest(text, at);
            if (number < 0) {
                ++at;
                continue;
            }
            const AddedToken& token = tokens[static_cast<std::size_t>(number)];
            std::size_t begin = at, end = at + size;
            at = end;
            if (token.single_word && touches_word(text, begin, end)) continue;
            if (token.lstrip) begin = std::max(skip_white_before(text, begin), done);
            if (token.rstrip) end = skip_white_after(text, end);
            if (done < begin) out.push_back({done, begin});
            out.push_back({begin, end, number});
            done = end;
        }
        if (done != text.size()) out.push_back({done, text.size()});
    }

private:
    std::pair<std::int32_t, std::size_t> longest(std::string_view text, std::size_t begin) const {
        std::pair<std::int32_t, std::size_t> result = {-1, 0};
        std::uint32_t node = Trie::root;
        for (std::size_t at = begin; at < text.size(); ++at) {
            node = trie_.child(node, text[at]);
            if (node == Trie::none) break;
            if (trie_.value(node) >= 0) result = {trie_.value(node), at + 1 - begin};
        }
        return result;
    }
    static bool touches_word(std::string_view text, std::size_t begin, std::size_t end) {
        return (begin > 0 && unicode::is_word(utf8::decode_before(text, begin).point)) ||
               (end < text.size() && unicode::is_word(utf8::decode(text, end).point));
    }
    static std::size_t skip_white_before(std::string_view text, std::size_t at) {
        while (at > 0) {
            const auto before = utf8::decode_before(text, at);
            if (!unicode::is_white(before.point)) break;
            at -= before.size;
        }
        return at;
    }
    static std::size_t skip_white_after(std::string_view text, std::size_t at) {
        while (at < text.size()) {
            const auto after = utf8::decode(text, at);
            if (!unicode::is_white(after.point)) break;
            at += after.size;
        }
        return at;
    }

    std::array<bool, 256> starts_{};  // bytes that a token starts with
    bool is_empty_ = true;
    Trie trie_;
};

/// The list /added_tokens, read and indexed.
class AddedTokens {
public:
    AddedTokens() = default;

    /// Throws TokenizerError for ids or contents that collide with each other or with the model,
    /// and FormatError where `budget` is not enough.
    AddedTokens(const JsonView<TokenizerError>& json, const Model& model,
                const std::vector<Normalizer>& normalizers, MemoryBudget& budget) {
        if (json.array().size() > most_tokens)
            json.fail("at most " + std::to_string(most_tokens) + " tokens");
        auto next_id = static_cast<std::int64_t>(model.size());
        for (std::size_t i = 0; i < json.size(); ++i) {
            AddedToken token = read(json.at(i), model, next_id);
            // It stands in a vector that grows, three maps and two lists of patterns.
            constexpr std::size_t beside_texts = 640;
            budget.take(beside_texts + 5 * token.content.size());
            token.shown = token.content;
            if (token.normalized) {
                NormalizedText text;
                text.append_original(token.content, 0, token.content.size());
                try {
                    apply(normalizers, text);
                } catch (const TokenizerError& error) {
                    json.at(i).at("content").fail("a normal form of " + error.expected());
                }
                token.shown = text.text;
            }
            if (token.shown.empty()) json.at(i).at("content").fail("text that normalises to some");
            if (!by_content_.emplace(token.content, i).second ||
                !by_id_.emplace(token.id, i).second)
                json.at(i).at("content").fail("no added token twice");
            if (token.special) special_.insert(token.content);
            tokens_.push_back(std::move(token));
        }
        index(json, budget);
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

    /// One entry. Its id must be the one that Hugging Face would give: the model's, or the next.
    AddedToken read(const JsonView<TokenizerError>& json, const Model& model,
                    std::int64_t& next_id) {
        AddedToken token;
        token.content = json.at("content").string();
        if (token.content.empty()) json.at("content").fail("text");
        std::int64_t id = model.find(token.content);
        if (id < 0) id = next_id++;
        if (json.at("id").integer(0, 0x7FFFFFFF) != id)
            json.at("id").fail(std::to_string(id) + ", the id of " + in_quotes(token.content));
        token.id = static_cast<std::int32_t>(id);
        id_end_ = std::max(id_end_, id + 1);
        token.single_word = json.at("single_word").boolean();
        token.lstrip = json.at("lstrip").boolean();
        token.rstrip = json.at("rstrip").boolean();
        token.normalized = json.at("normalized").boolean();
        token.special = json.at("special").boolean();
        return token;
    }

    void index(const JsonView<TokenizerError>& json, MemoryBudget& budget) {
        std::vector<std::pair<std::string_view, std::int32_t>> raw, normalized;
        std::set<std::string_view> forms;
        for (std::size_t i = 0; i < tokens_.size(); ++i) {
            const AddedToken& token = tokens_[i];
            if (token.normalized && !forms.insert(token.shown).second)
                json.at(i).at("content").fail("no normal form twice");
            (token.normalized ? normalized : raw)
                .emplace_back(token.shown, static_cast<std::int32_t>(i));
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
