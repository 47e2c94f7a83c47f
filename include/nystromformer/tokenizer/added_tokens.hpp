// SPDX-License-Identifier: MIT
// Tokens that are found in the text itself, before the model sees it:
// https://github.com/huggingface/tokenizers/blob/3ba8ad00/tokenizers/src/tokenizer/added_vocabulary.rs
#pragma once

#include <nystromformer/core/memory_budget.hpp>
#include <nystromformer/core/notice.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/added_token_finder.hpp>
#include <nystromformer/tokenizer/models/model.hpp>
#include <nystromformer/tokenizer/normalizers/normalizers.hpp>
#include <nystromformer/tokenizer/piece_text.hpp>
#include <nystromformer/tokenizer/tokenizer_file.hpp>

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

namespace nystromformer::inline v0_2::detail {

/// The list /added_tokens and the tokens that other files add to it, indexed.
class AddedTokens {
public:
    AddedTokens() = default;

    /// Adds the tokens of `file` as Hugging Face does: one without text or repeated is skipped,
    /// another of the same text takes the place of the first. Throws TokenizerError, and
    /// FormatError if the file's budget is not enough.
    AddedTokens(TokenizerFile& file, const Model& model, const std::vector<Normalizer>& normalizers)
        : model_size_(static_cast<std::int64_t>(model.size())) {
        const auto root = file.root();
        if (root.holds("added_tokens")) {
            const auto list = root.at("added_tokens").array();
            if (list.size() > max_tokens)
                list.fail("at most " + std::to_string(max_tokens) + " tokens");
            for (std::size_t i = 0; i < list.size(); ++i)
                add(read(list.at(i), file), model, normalizers, file);
        }
        for (const PlacedToken& token : file.more_tokens) add(token, model, normalizers, file);
        index(file);
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
    static constexpr std::size_t max_tokens = 1U << 20;

    static PlacedToken read(const TokenizerJson& json, const TokenizerFile& file) {
        PlacedToken result;
        AddedToken& token = result.token;
        token.content = json.at("content").string();
        token.single_word = json.at("single_word").boolean();
        token.lstrip = json.at("lstrip").boolean();
        token.rstrip = json.at("rstrip").boolean();
        token.normalized = json.at("normalized").boolean();
        token.special = json.at("special").boolean();
        result.is_listed = true;
        result.id = json.at("id").integer(0, 0x7FFFFFFF);
        result.file = file.name();
        result.place = json.path();
        return result;
    }

    void add(PlacedToken placed, const Model& model, const std::vector<Normalizer>& normalizers,
             TokenizerFile& file) {
        AddedToken& token = placed.token;
        if (token.content.empty()) return;
        const AddedToken* before = find(token.content);
        std::int64_t id = before != nullptr ? before->id : model.find(token.content);
        if (id < 0) id = model_size_ + new_ids_++;
        if (placed.id.value_or(id) != id) note_id(placed, id, file);
        if (placed.is_listed && before != nullptr) note_repeat(placed, *before == token, file);
        token.id = static_cast<std::int32_t>(id);
        id_end_ = std::max(id_end_, id + 1);
        if (before != nullptr && *before == token) return;
        // It stands in a vector that grows, three maps and two lists of patterns.
        constexpr std::size_t beside_texts = 640;
        file.budget.take(beside_texts + 5 * token.content.size());
        token.shown = token.content;
        if (token.normalized) token.shown = normal_form(placed, normalizers);
        if (token.special) special_.insert(token.content);
        const auto [place, is_new] = by_id_.emplace(token.id, tokens_.size());
        by_content_.emplace(token.content, place->second);
        if (is_new) {
            tokens_.push_back(std::move(token));
        } else {
            replace(tokens_[place->second], std::move(token));
        }
    }

    void note_id(const PlacedToken& placed, std::int64_t id, const TokenizerFile& file) {
        if (std::exchange(has_noted_id_, true)) return;
        give_notice(file.files, placed.file, placed.place,
                    "the token " + in_quotes(placed.token.content) + " has the id " +
                        std::to_string(id) + ", not the " + std::to_string(*placed.id) +
                        " that stands there, as in Hugging Face");
    }

    void note_repeat(const PlacedToken& placed, bool is_equal, const TokenizerFile& file) {
        if (std::exchange(has_noted_repeat_, true)) return;
        give_notice(file.files, placed.file, placed.place,
                    "the token " + in_quotes(placed.token.content) + " stands there again; " +
                        (is_equal ? "it is the same" : "its flags count, not those of the first"));
    }

    static std::string normal_form(const PlacedToken& placed,
                                   const std::vector<Normalizer>& normalizers) {
        const std::string& content = placed.token.content;
        const auto fail = [&](std::string expected) {
            throw TokenizerError(
                {placed.file, placed.place + "/content", std::move(expected), in_quotes(content)});
        };
        NormalizedText text;
        text.append_original(content, 0, content.size());
        try {
            apply(normalizers, text);
        } catch (const InputError& error) {
            fail("a normal form of " + error.expected());
        }
        // With such a token Hugging Face does not terminate, or cuts inside characters.
        if (text.text.empty()) fail("text that normalises to some");
        return text.text;
    }

    /// Replaces `old` by `token`, which has the same id. A normal form that differs from the
    /// text stays until there is another.
    static void replace(AddedToken& old, AddedToken token) {
        if (old.shown != old.content && token.shown == token.content) token.shown = old.shown;
        old = std::move(token);
    }

    void index(TokenizerFile& file) {
        MemoryBudget& budget = file.budget;
        for (AddedToken& token : tokens_)
            token.is_text = file.split_special_tokens && special_.contains(token.content);
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
        note_one_form(normalized, file);
        raw_ = AddedTokenFinder(std::move(raw), budget);
        normalized_ = AddedTokenFinder(std::move(normalized), budget);
    }

    /// Which of two tokens of one normal form is found is chance with Hugging Face; here the first.
    void note_one_form(std::vector<std::pair<std::string_view, std::int32_t>>& patterns,
                       const TokenizerFile& file) const {
        std::sort(patterns.begin(), patterns.end());
        const auto twice =
            std::adjacent_find(patterns.begin(), patterns.end(),
                               [](const auto& a, const auto& b) { return a.first == b.first; });
        if (twice == patterns.end()) return;
        const auto name = [&](const auto& pattern) {
            return in_quotes(tokens_[static_cast<std::size_t>(pattern.second)].content);
        };
        give_notice(file.files, file.name(), "/added_tokens",
                    name(twice[0]) + " and " + name(twice[1]) + " have one normal form, " +
                        in_quotes(twice->first) + "; the first is found");
    }

    std::vector<AddedToken> tokens_;
    std::unordered_map<std::string, std::size_t> by_content_;
    std::unordered_map<std::int64_t, std::size_t> by_id_;
    std::set<std::string> special_;
    std::int64_t model_size_ = 0, new_ids_ = 0, id_end_ = 0;
    bool has_noted_id_ = false, has_noted_repeat_ = false;
    AddedTokenFinder raw_;
    AddedTokenFinder normalized_;
};

}  // namespace nystromformer::inline v0_2::detail
