// SPDX-License-Identifier: MIT
// tokenizer_config.json, special_tokens_map.json and added_tokens.json, put together as
// transformers does for a folder without tokenizer.json (5.23:
// PreTrainedTokenizerBase._from_pretrained and TokenizersBackend.__init__).
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/added_tokens.hpp>
#include <nystromformer/tokenizer/special_names.hpp>
#include <nystromformer/tokenizer/tokenizer_file.hpp>

#include <algorithm>
#include <array>
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

namespace nystromformer::detail {

/// Names of the roles, in the order in which their tokens are added.
constexpr std::array role_names = {"bos_token", "eos_token", "unk_token", "sep_token",
                                   "pad_token", "cls_token", "mask_token"};

/// What the files say; a class of tokenizers adds its defaults.
class LegacyConfig {
public:
    using View = JsonView<TokenizerError>;

    /// Throws FormatError or TokenizerError.
    explicit LegacyConfig(const std::filesystem::path& folder, const FileOptions& files = {})
        : file_((folder / "tokenizer_config.json").string()),
          options_(SpecialNames::read_if_there(file_, files)) {
        const View config = options();
        add_roles(config, false);
        if (config.holds("extra_special_tokens")) {
            const auto extra = config.at("extra_special_tokens");
            if (extra.is_object()) {
                add_roles(extra, false);
            } else {
                extra_ = read_tokens(extra);
            }
        }
        if ((!extra_ || extra_->empty()) && config.holds("additional_special_tokens"))
            extra_ = read_tokens(config.at("additional_special_tokens"));
        if (config.holds("added_tokens_decoder")) {
            read_decoder(config.at("added_tokens_decoder").object());
        } else {
            read_map(folder / "special_tokens_map.json", files);
            read_added(folder / "added_tokens.json", files);
        }
    }

    View options() const { return {options_, file_}; }
    bool flag(const char* key, bool fallback) const {
        return options().holds(key) ? options().at(key).boolean() : fallback;
    }

    /// Gives roles a token where the files name none.
    void set_defaults(std::initializer_list<std::pair<const char*, const char*>> contents) {
        for (const auto& [role, content] : contents) roles_.try_emplace(role, plain(content));
    }
    void set_default(const char* role, AddedToken token) {
        roles_.try_emplace(role, std::move(token));
    }
    /// The text of the token of `role`, which has one by now.
    const std::string& content(const char* role) const { return roles_.at(role).content; }

    /// Tokens that the model's own file declares; those that tokenizer_config.json lists take their
    /// place, and they that of those that special_tokens_map.json does.
    void set_default_extra(std::vector<AddedToken> tokens) {
        if (!extra_ && !tokens.empty()) extra_ = std::move(tokens);
    }

    /// The list /added_tokens for the pieces of `file`. Throws FormatError where its budget is not
    /// enough.
    Json added_tokens(TokenizerFile& file) const {
        std::vector<AddedToken> wanted;
        std::set<std::string_view> listed;
        for (const auto& [id, token] : decoder_) {
            if (token.content.empty()) continue;  // Hugging Face adds no token without text
            wanted.push_back(token);
            listed.insert(token.content);
        }
        const auto want = [&](const AddedToken& token) {
            if (!token.content.empty() && !listed.contains(token.content)) wanted.push_back(token);
        };
        for (const char* role : role_names)
            if (const auto found = roles_.find(role); found != roles_.end()) want(found->second);
        for (const auto& [role, token] : roles_)
            if (!is_standard(role)) want(token);
        for (const AddedToken& token : extra_.value_or(map_extra_)) want(token);
        return number(wanted, file);
    }

    SpecialNames names() const {
        SpecialNames result;
        const auto name = [&](const char* role) -> std::optional<std::string> {
            const auto found = roles_.find(role);
            return found == roles_.end() || found->second.content.empty()
                       ? std::nullopt
                       : std::optional(found->second.content);
        };
        result.mask_token = name("mask_token");
        result.pad_token = name("pad_token");
        result.unk_token = name("unk_token");
        result.cls_token = name("cls_token");
        result.sep_token = name("sep_token");
        result.add_options(options());
        return result;
    }

    /// A special token without rules.
    static AddedToken plain(std::string content) {
        AddedToken token;
        token.content = std::move(content);
        token.special = true;
        return token;
    }

private:
    static bool is_standard(std::string_view role) {
        return std::find(role_names.begin(), role_names.end(), role) != role_names.end();
    }

    /// Plain text, or an AddedToken object; `special` is what the object says nothing of.
    static AddedToken read_token(const View& json, bool special) {
        const auto text = json.is_object() ? json.at("content") : json;
        AddedToken token = plain(text.string());
        if (!json.is_object()) return token;
        const auto flag = [&](const char* key, bool fallback) {
            return json.holds(key) ? json.at(key).boolean() : fallback;
        };
        token.special = special || flag("special", false);
        token.normalized = flag("normalized", !token.special);
        token.single_word = flag("single_word", false);
        token.lstrip = flag("lstrip", false);
        token.rstrip = flag("rstrip", false);
        return token;
    }

    /// Files of this kind list a few; a token takes a hundred times what it may have in the file.
    static void check_count(const View& json) {
        constexpr std::size_t most_tokens = 1U << 15;
        if (json.size() > most_tokens)
            json.fail("at most " + std::to_string(most_tokens) + " tokens");
    }

    static std::vector<AddedToken> read_tokens(const View& json, bool special = false) {
        std::vector<AddedToken> result;
        check_count(json.array());
        for (std::size_t i = 0; i < json.array().size(); ++i)
            result.push_back(read_token(json.at(i), special));
        return result;
    }

    /// Every key that ends in "_token" and has a token.
    void add_roles(const View& json, bool special) {
        check_count(json);
        for (const auto& [key, value] : json.raw().items()) {
            const bool is_token =
                value.is_string() || (value.is_object() && value.contains("content"));
            if (key.ends_with("_token") && is_token)
                roles_.insert_or_assign(key, read_token(json.at(key), special));
        }
    }

    void read_decoder(const View& json) {
        check_count(json);
        for (const auto& [key, value] : json.raw().items()) {
            const auto entry = json.at(key).object();
            const bool is_number =
                !key.empty() && key.size() < 10 &&
                std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
            if (!is_number) json.fail("ids as keys, not " + in_quotes(key));
            decoder_.emplace(std::stoll(key), read_token(entry, false));
        }
    }

    void read_map(const std::filesystem::path& path, const FileOptions& files) {
        const JsonTree json = SpecialNames::read_if_there(path, files);
        const std::string name = path.string();
        const View map(json, name);
        add_roles(map, true);
        if (map.holds("additional_special_tokens"))
            map_extra_ = read_tokens(map.at("additional_special_tokens"), true);
    }

    void read_added(const std::filesystem::path& path, const FileOptions& files) {
        const JsonTree json = SpecialNames::read_if_there(path, files);
        const std::string name = path.string();
        const View added(json, name);
        check_count(added);
        const auto is_special = [&](const std::string& content) {
            const auto names = [&](const AddedToken& token) { return token.content == content; };
            return std::any_of(roles_.begin(), roles_.end(),
                               [&](const auto& role) { return names(role.second); }) ||
                   (extra_ && std::any_of(extra_->begin(), extra_->end(), names));
        };
        for (const auto& [content, id] : json.value.items()) {
            AddedToken token = plain(content);
            token.special = is_special(content);
            token.normalized = !token.special;
            decoder_.emplace(added.at(content).integer(0, 0x7FFFFFFE), std::move(token));
        }
    }

    /// Gives ids as the Rust library does, so that what comes later replaces an equal content.
    Json number(const std::vector<AddedToken>& tokens, TokenizerFile& file) const {
        constexpr std::size_t memory_of_token = 1200;  // seven values in a map, mostly
        file.budget.take(tokens.size() * memory_of_token);
        Json result = Json::array();
        std::map<std::string_view, std::size_t> places;
        auto next_id = static_cast<std::int64_t>(file.pieces.size());
        for (const AddedToken& token : tokens) {
            const auto [place, is_new] = places.emplace(token.content, result.size());
            std::int64_t id =
                is_new ? file.find(token.content) : result[place->second]["id"].get<std::int64_t>();
            if (id < 0) id = next_id++;
            const bool has_role = std::any_of(roles_.begin(), roles_.end(), [&](const auto& role) {
                return role.second.content == token.content;
            });
            Json entry;
            entry["id"] = id;
            entry["content"] = token.content;
            entry["single_word"] = token.single_word;
            entry["lstrip"] = token.lstrip;
            entry["rstrip"] = token.rstrip;
            entry["normalized"] = token.normalized;
            entry["special"] = token.special || has_role;
            if (is_new) {
                result.push_back(std::move(entry));
            } else {
                result[place->second] = std::move(entry);
            }
        }
        return result;
    }

    std::string file_;
    JsonTree options_;
    std::map<std::string, AddedToken> roles_;  // what decoder_ has, too, has its flags there
    std::optional<std::vector<AddedToken>> extra_;
    std::vector<AddedToken> map_extra_;           // of special_tokens_map.json
    std::map<std::int64_t, AddedToken> decoder_;  // by id
};

}  // namespace nystromformer::detail
