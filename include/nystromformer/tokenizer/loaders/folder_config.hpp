// SPDX-License-Identifier: MIT
// tokenizer_config.json, special_tokens_map.json and added_tokens.json, put together as
// transformers 5.24 does: PreTrainedTokenizerBase._from_pretrained and TokenizersBackend.__init__.
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/core/memory_budget.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/loaders/token_lists.hpp>
#include <nystromformer/tokenizer/special_names.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// What the files say; a class of tokenizers adds its defaults.
class FolderConfig {
public:
    using View = JsonView<TokenizerError>;

    /// Throws FormatError or TokenizerError.
    explicit FolderConfig(const std::filesystem::path& folder, const FileOptions& files = {})
        : file_(path_to_utf8(folder / "tokenizer_config.json")),
          options_(SpecialNames::read_if_there(folder / "tokenizer_config.json", files)),
          lists_(TokenListReader::read(folder, options(), files)) {}

    View options() const { return {options_, file_}; }
    bool flag(const char* key, bool fallback) const {
        return options().holds(key) ? options().at(key).boolean() : fallback;
    }
    /// The same for an option that Python only tests for truth: null is false, not the fallback.
    bool truth(const char* key, bool fallback) const {
        return flag(key, fallback && !options().has(key));
    }
    /// True for tokenizer_config.json with added_tokens_decoder, next to which no other list of
    /// tokens counts.
    bool has_decoder() const { return options().has("added_tokens_decoder"); }

    /// Gives roles the flags that a list of tokens has for their content: the files' own, or the
    /// list /added_tokens of a tokenizer.json. Throws TokenizerError.
    void settle_roles(const View* added_tokens) {
        for (auto& role : lists_.roles) {
            std::optional<NamedToken>& token = role.second;
            if (!token) continue;
            const std::string content = token->content;
            if (const auto found = lists_.by_content.find(content);
                found != lists_.by_content.end())
                token = found->second;
            for_each_listed(added_tokens, [&](const View& entry) {
                if (entry.at("content").string() == content) token = NamedToken::read(entry);
            });
        }
    }

    /// Has a tokenizer.json's own tokens added again, by their ids. Throws TokenizerError, and
    /// FormatError if `budget` is not enough.
    void add_decoder(const View& added_tokens, MemoryBudget& budget) {
        for_each_listed(&added_tokens, [&](const View& entry) {
            NamedToken token = NamedToken::read(entry);
            take_memory_of(token, budget);
            lists_.put(entry.at("id").integer(0, 0x7FFFFFFF), std::move(token));
        });
    }
    /// The same for a tokenizer that has them. It changes only the tokens that the roles make
    /// special, and the flags of a token that is listed more than once: the entry with the highest
    /// id wins. Throws as add_decoder.
    void change_listed(const View& added_tokens, MemoryBudget& budget) {
        const auto repeated = repeated_contents(added_tokens, budget);
        std::set<std::string> named;
        for_each_named([&](const NamedToken& token) { named.insert(token.content); });
        std::map<std::string, std::int64_t> lowest;
        for (const auto& [id, token] : lists_.by_id) lowest.try_emplace(token.content, id);
        for_each_listed(&added_tokens, [&](const View& entry) {
            const std::int64_t id = entry.at("id").integer(0, 0x7FFFFFFF);
            const std::string& content = entry.at("content").string();
            lists_.by_id.erase(id);
            // Tokens are added in the order of their ids, and the last of one text stays.
            const auto same = lowest.find(content);
            if (same != lowest.end() && same->second < id) lists_.by_id.erase(same->second);
            const bool is_repeated = repeated.contains(content);
            if (!is_repeated && !named.contains(content)) return;
            NamedToken token = NamedToken::read(entry);
            if (is_repeated) take_memory_of(token, budget);
            if (is_repeated || !token.special) lists_.put(id, std::move(token));
        });
    }

    /// Gives roles a token if the files say nothing of them.
    void set_defaults(std::initializer_list<std::pair<const char*, const char*>> contents) {
        for (const auto& [role, content] : contents) set_default(role, content);
    }
    void set_default(const std::string& role, const std::string& content) {
        lists_.roles.try_emplace(role, NamedToken::text(content));
    }
    /// CamemBERT's mask takes the white space on its left unless the files have flags for it.
    void strip_before_mask() {
        auto& mask = lists_.roles["mask_token"];
        if (!mask || !mask->is_text) return;
        mask->is_text = false;
        mask->lstrip = true;
    }

    bool has_role(const char* role) const {
        const auto found = lists_.roles.find(role);
        return found != lists_.roles.end() && found->second;
    }
    /// The text of the token of `role`. Throws TokenizerError if a file says null.
    const std::string& content(const char* role) const {
        if (!has_role(role)) options().at(role).fail("a token");
        return lists_.roles.at(role)->content;
    }

    /// Tokens that the model's own file declares, in place of those of special_tokens_map.json.
    void set_additional(std::vector<NamedToken> tokens) { lists_.additional = std::move(tokens); }
    /// The same if no file lists any.
    void set_default_additional(std::initializer_list<const char*> contents) {
        if (lists_.additional) return;
        lists_.additional.emplace();
        for (const char* content : contents)
            lists_.additional->push_back(NamedToken::text(content));
    }

    /// The tokens to add to a tokenizer that has those of `present` already.
    std::vector<NamedToken> tokens_to_add(const std::set<std::string_view>& present) const {
        std::vector<NamedToken> result;
        std::set<std::string_view> known = present;
        std::set<std::string> keys;
        const auto push = [&](const NamedToken& token) {
            keys.insert(token.key());
            result.push_back(token);
        };
        for (const auto& [id, token] : lists_.by_id) {
            push(token);
            known.insert(token.content);
        }
        const auto add = [&](const NamedToken& token) {
            if (!known.contains(token.content) && !keys.contains(token.key())) push(token);
        };
        std::set<std::string> named;
        for_each_named([&](const NamedToken& token) {
            add(token);
            named.insert(token.content);
        });
        for (const NamedToken& token :
             lists_.extra ? *lists_.extra : lists_.additional.value_or(TokenLists::Tokens()))
            add(token);
        for (NamedToken& token : result)
            token.special = token.special || named.contains(token.content);
        return result;
    }

    /// What a Tokenizer reports from these files.
    SpecialNames names(const FileOptions& files = {}) const {
        SpecialNames result;
        const auto name = [&](const char* role) -> std::optional<std::string> {
            if (!has_role(role) || content(role).empty()) return std::nullopt;
            return content(role);
        };
        result.mask_token = name("mask_token");
        result.pad_token = name("pad_token");
        result.unk_token = name("unk_token");
        result.cls_token = name("cls_token");
        result.sep_token = name("sep_token");
        result.add_options(options(), files);
        return result;
    }

private:
    template <typename Visit>
    static void for_each_listed(const View* list, const Visit& visit) {
        if (list == nullptr) return;
        for (std::size_t i = 0; i < list->array().size(); ++i) visit(list->at(i).object());
    }

    static void take_memory_of(const NamedToken& token, MemoryBudget& budget) {
        constexpr std::size_t beside_text = 3 * sizeof(NamedToken);
        budget.take(beside_text + 2 * token.content.size());
    }
    /// The texts that a list has more than once.
    static std::set<std::string_view> repeated_contents(const View& list, MemoryBudget& budget) {
        std::vector<std::string_view> all;
        const std::size_t bytes = list.array().size() * sizeof(std::string_view);
        budget.take(bytes);
        all.reserve(list.size());
        for_each_listed(&list,
                        [&](const View& entry) { all.push_back(entry.at("content").string()); });
        std::sort(all.begin(), all.end());
        std::set<std::string_view> result;
        for (std::size_t i = 1; i < all.size(); ++i) {
            if (all[i] != all[i - 1] || all[i].empty() || !result.insert(all[i]).second) continue;
            constexpr std::size_t memory_of_node = 64;
            budget.take(memory_of_node);
        }
        budget.give(bytes);
        return result;
    }

    /// Calls visit(token) for the tokens of roles, those of other names last.
    template <typename Visit>
    void for_each_named(const Visit& visit) const {
        for (const char* role : role_names)
            if (has_role(role)) visit(*lists_.roles.at(role));
        SpecificTokens others = lists_.typed;
        for (const auto& [key, token] : lists_.plain.tokens()) others.put(key, token);
        for (const auto& [key, token] : others.tokens()) visit(token);
    }

    std::string file_;
    JsonTree options_;
    TokenLists lists_;
};

}  // namespace nystromformer::inline v0_2::detail
