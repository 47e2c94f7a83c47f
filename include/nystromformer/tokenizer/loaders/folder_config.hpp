// SPDX-License-Identifier: MIT
// tokenizer_config.json, special_tokens_map.json and added_tokens.json, put together as
// transformers 5.24 does: PreTrainedTokenizerBase._from_pretrained and TokenizersBackend.__init__.
#pragma once

#include <nystromformer/core/file.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/core/memory_budget.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/loaders/named_token.hpp>
#include <nystromformer/tokenizer/special_names.hpp>
#include <nystromformer/tokenizer/tokenizer_file.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::detail {

/// Names of the roles, in the order in which their tokens are added.
constexpr std::array role_names = {"bos_token", "eos_token", "unk_token", "sep_token",
                                   "pad_token", "cls_token", "mask_token"};

/// What the files say; a class of tokenizers adds its defaults.
class FolderConfig {
public:
    using View = JsonView<TokenizerError>;

    /// Throws FormatError or TokenizerError.
    explicit FolderConfig(const std::filesystem::path& folder, const FileOptions& files = {})
        : file_((folder / "tokenizer_config.json").string()),
          options_(SpecialNames::read_if_there(file_, files)) {
        read_options(folder / "tokenizer_config.json", files);
        if (has_decoder()) {
            read_decoder(options().at("added_tokens_decoder").object(), file_, files);
        } else {
            read_map(folder / "special_tokens_map.json", files);
            read_added(folder / "added_tokens.json", files);
        }
    }

    View options() const { return {options_, file_}; }
    bool flag(const char* key, bool fallback) const {
        return options().holds(key) ? options().at(key).boolean() : fallback;
    }
    /// True for tokenizer_config.json with added_tokens_decoder, beside which no other list of
    /// tokens counts.
    bool has_decoder() const { return options().has("added_tokens_decoder"); }

    /// Gives roles the flags that a list of tokens has for their content: the files' own, or the
    /// list /added_tokens of a tokenizer.json. Throws TokenizerError.
    void settle_roles(const View* added_tokens) {
        for (auto& [role, token] : roles_) {
            if (!token) continue;
            const std::string content = token->content;
            if (const auto found = by_content_.find(content); found != by_content_.end())
                token = found->second;
            for_each_listed(added_tokens, [&](const View& entry) {
                if (entry.at("content").string() == content) token = NamedToken::read(entry);
            });
        }
    }

    /// Has a tokenizer.json's own tokens added again, by their ids. Throws TokenizerError, and
    /// FormatError where `budget` is not enough.
    void add_decoder(const View& added_tokens, MemoryBudget& budget) {
        for_each_listed(&added_tokens, [&](const View& entry) {
            NamedToken token = NamedToken::read(entry);
            constexpr std::size_t beside_text = 3 * sizeof(NamedToken);
            budget.take(beside_text + 2 * token.content.size());
            put(entry.at("id").integer(0, 0x7FFFFFFF), std::move(token));
        });
    }
    /// The same for a tokenizer that has them, which changes only what the roles make special.
    void change_listed(const View& added_tokens) {
        std::set<std::string> named;
        for_each_named([&](const NamedToken& token) { named.insert(token.content); });
        for_each_listed(&added_tokens, [&](const View& entry) {
            const std::int64_t id = entry.at("id").integer(0, 0x7FFFFFFF);
            decoder_.erase(id);
            if (!named.contains(entry.at("content").string())) return;
            NamedToken token = NamedToken::read(entry);
            if (!token.special) put(id, std::move(token));
        });
    }

    /// Gives roles a token where the files say nothing of them.
    void set_defaults(std::initializer_list<std::pair<const char*, const char*>> contents) {
        for (const auto& [role, content] : contents) set_default(role, content);
    }
    void set_default(const std::string& role, const std::string& content) {
        roles_.try_emplace(role, NamedToken::text(content));
    }
    /// CamemBERT's mask takes the white space on its left unless the files have flags for it.
    void strip_before_mask() {
        auto& mask = roles_["mask_token"];
        if (!mask || !mask->is_text) return;
        mask->is_text = false;
        mask->lstrip = true;
    }

    bool has_role(const char* role) const {
        const auto found = roles_.find(role);
        return found != roles_.end() && found->second;
    }
    /// The text of the token of `role`. Throws TokenizerError where a file says null.
    const std::string& content(const char* role) const {
        if (!has_role(role)) options().at(role).fail("a token");
        return roles_.at(role)->content;
    }

    /// Tokens that the model's own file declares, in place of those of special_tokens_map.json.
    void set_additional(std::vector<NamedToken> tokens) { additional_ = std::move(tokens); }
    /// The same where no file lists any.
    void set_default_additional(std::initializer_list<const char*> contents) {
        if (additional_) return;
        additional_.emplace();
        for (const char* content : contents) additional_->push_back(NamedToken::text(content));
    }

    /// The tokens to add to a tokenizer that has those of `present` already.
    std::vector<NamedToken> tokens_to_add(const std::set<std::string_view>& present) const {
        std::vector<NamedToken> result;
        std::set<std::string_view> known = present;
        for (const auto& [id, token] : decoder_) {
            result.push_back(token);
            known.insert(token.content);
        }
        const auto add = [&](const NamedToken& token) {
            if (!known.contains(token.content) &&
                std::find(result.begin(), result.end(), token) == result.end())
                result.push_back(token);
        };
        std::set<std::string> named;
        for_each_named([&](const NamedToken& token) {
            add(token);
            named.insert(token.content);
        });
        for (const NamedToken& token : extra_ ? *extra_ : additional_.value_or(Tokens()))
            add(token);
        for (NamedToken& token : result)
            token.special = token.special || named.contains(token.content);
        return result;
    }

    /// What a Tokenizer tells of the files.
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

    using Tokens = std::vector<NamedToken>;
    using Specific = std::vector<std::pair<std::string, NamedToken>>;

    static bool is_role(std::string_view key) {
        return std::find(role_names.begin(), role_names.end(), key) != role_names.end();
    }
    static bool is_typed(const View& json) { return json.is_object() && json.has("__type"); }

    static void put(Specific& list, const std::string& key, NamedToken token) {
        const auto found = std::find_if(list.begin(), list.end(),
                                        [&](const auto& each) { return each.first == key; });
        if (found != list.end()) {
            found->second = std::move(token);
        } else {
            list.emplace_back(key, std::move(token));
        }
    }
    void put(std::int64_t id, NamedToken token) {
        token.id = id;
        by_content_.insert_or_assign(token.content, token);
        decoder_.insert_or_assign(id, std::move(token));
    }

    /// Calls visit(token) for the tokens of roles, those of other names last.
    template <typename Visit>
    void for_each_named(const Visit& visit) const {
        for (const char* role : role_names)
            if (has_role(role)) visit(*roles_.at(role));
        Specific others = typed_;
        for (const auto& [key, token] : plain_) put(others, key, token);
        for (const auto& [key, token] : others) visit(token);
    }

    /// Calls visit(key, value) for the object at `parent` of a file, in the file's order.
    template <typename Visit>
    static void for_each_in_order(const View& json, const std::filesystem::path& path,
                                  const FileOptions& files, std::string_view parent,
                                  const Visit& visit) {
        check_token_count(json);
        if (json.size() == 0) return;
        const std::string text = read_file(path, SpecialNames::most_bytes, files);
        for (const std::string& key : keys_in_order(text, parent))
            if (json.has(key)) visit(key, json.at(key));
    }

    /// Tokens under a key that ends in "_token", and lists of more, of tokenizer_config.json.
    void read_options(const std::filesystem::path& path, const FileOptions& files) {
        const View config = options();
        for_each_in_order(config, path, files, "", [&](const std::string& key, const View& value) {
            if (is_role(key)) {
                read_role(key, value, false);
            } else if (key.ends_with("_token") && (value.is_string() || is_typed(value))) {
                put(value.is_string() ? plain_ : typed_, key, NamedToken::read(value));
            }
        });
        if (config.holds("additional_special_tokens"))
            additional_ = read_tokens(config.at("additional_special_tokens"));
        if (!config.has("extra_special_tokens")) {
            std::swap(extra_, additional_);
            return;
        }
        const auto extra = config.at("extra_special_tokens");
        if (extra.is_object()) {
            const auto add = [&](const std::string& key, const View& value) {
                put(plain_, key, NamedToken::read(value));
            };
            for_each_in_order(extra, path, files, "extra_special_tokens", add);
            if (extra.size() == 0) std::swap(extra_, additional_);
            return;
        }
        extra_ = extra.is_null() ? Tokens() : read_tokens(extra);
        if (extra_->empty() && additional_) extra_ = std::exchange(additional_, std::nullopt);
    }

    void read_role(const std::string& role, const View& value, bool special) {
        roles_[role] =
            value.is_null() ? std::nullopt : std::optional(NamedToken::read(value, special));
    }

    void read_decoder(const View& json, const std::filesystem::path& path,
                      const FileOptions& files) {
        const auto add = [&](const std::string& key, const View& token) {
            const std::string_view digits = std::string_view(key).substr(key.starts_with('-'));
            if (digits.empty() || digits.size() > 18 ||
                digits.find_first_not_of("0123456789") != std::string_view::npos)
                json.fail("ids as keys, not " + in_quotes(key));
            put(std::stoll(key), NamedToken::read(token.object()));
        };
        for_each_in_order(json, path, files, "added_tokens_decoder", add);
    }

    void read_map(const std::filesystem::path& path, const FileOptions& files) {
        const JsonTree json = SpecialNames::read_if_there(path, files);
        const std::string name = path.string();
        const View map(json, name);
        for_each_in_order(map, path, files, "", [&](const std::string& key, const View& value) {
            if (is_role(key)) {
                read_role(key, value, true);
            } else if (key == "extra_special_tokens") {
                read_extra_of_map(value, path, files);
            } else if (key == "additional_special_tokens") {
                if (!value.is_null()) additional_ = read_tokens(value, true);
            } else if (key.ends_with("_token") && (value.is_string() || value.is_object())) {
                put(typed_, key, NamedToken::read(value, true));
            }
        });
    }
    void read_extra_of_map(const View& value, const std::filesystem::path& path,
                           const FileOptions& files) {
        if (value.is_object()) {
            extra_.reset();
            for_each_in_order(value, path, files, "extra_special_tokens",
                              [&](const std::string& key, const View& token) {
                                  put(plain_, key, NamedToken::read(token));
                              });
            return;
        }
        if (!extra_) extra_.emplace();
        if (value.is_null()) return extra_->clear();
        for (NamedToken& token : read_tokens(value, true))
            if (std::find(extra_->begin(), extra_->end(), token) == extra_->end())
                extra_->push_back(std::move(token));
    }

    /// {content: id}: special are those that have a role or are listed as extra.
    void read_added(const std::filesystem::path& path, const FileOptions& files) {
        const JsonTree json = SpecialNames::read_if_there(path, files);
        const std::string name = path.string();
        std::set<std::string> special;
        const auto note = [&](const NamedToken& token) {
            // Objects of tokenizer_config.json are no tokens yet when Python compares the names.
            if (token.is_text || token.file != file_) special.insert(token.content);
        };
        for (const auto& [role, token] : roles_)
            if (token) note(*token);
        for (const NamedToken& token : extra_.value_or(Tokens())) note(token);
        const auto add = [&](const std::string& content, const View& id) {
            NamedToken token = NamedToken::text(content);
            token.is_text = false;
            token.special = special.contains(content);
            token.normalized = !token.special;
            token.file = id.file();
            token.place = id.path();
            constexpr auto most = std::numeric_limits<std::int64_t>::max();
            put(id.integer(-most, most), std::move(token));
        };
        for_each_in_order(View(json, name), path, files, "", add);
    }

    std::string file_;
    JsonTree options_;
    std::map<std::string, std::optional<NamedToken>> roles_;  // nothing: the file says null
    Specific typed_, plain_;  // of other keys: the first come first, the second win
    std::optional<Tokens> extra_, additional_;
    std::map<std::int64_t, NamedToken> decoder_;  // tokens by id
    std::map<std::string, NamedToken> by_content_;
};

}  // namespace nystromformer::detail
