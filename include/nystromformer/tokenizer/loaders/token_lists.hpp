// SPDX-License-Identifier: MIT
// The tokens that tokenizer_config.json, special_tokens_map.json and added_tokens.json name, as
// PreTrainedTokenizerBase._from_pretrained of transformers 5.24 collects them.
#pragma once

#include <nystromformer/core/file.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/core/json_members.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/core/python_int.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/loaders/named_token.hpp>
#include <nystromformer/tokenizer/special_names.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Names of the roles, in the order in which their tokens are added.
constexpr std::array role_names = {"bos_token", "eos_token", "unk_token", "sep_token",
                                   "pad_token", "cls_token", "mask_token"};

/// Tokens of other names, each name once, in the order in which they came.
class SpecificTokens {
public:
    void put(const std::string& key, NamedToken token) {
        const auto [place, is_new] = places_.emplace(key, tokens_.size());
        if (is_new) {
            tokens_.emplace_back(key, std::move(token));
        } else {
            tokens_[place->second].second = std::move(token);
        }
    }
    const std::vector<std::pair<std::string, NamedToken>>& tokens() const { return tokens_; }

private:
    std::vector<std::pair<std::string, NamedToken>> tokens_;
    std::map<std::string, std::size_t> places_;
};

/// What the three files list.
struct TokenLists {
    using Tokens = std::vector<NamedToken>;

    std::map<std::string, std::optional<NamedToken>> roles;  ///< nothing: the file says null
    SpecificTokens typed, plain;  ///< of other keys; those of `plain` win, and come last
    std::optional<Tokens> extra,
        additional;                            ///< the latter count if there are none of the first
    std::map<std::int64_t, NamedToken> by_id;  ///< of added_tokens_decoder or added_tokens.json
    std::map<std::string, NamedToken> by_content;  ///< the same, the last of each content

    void put(std::int64_t id, NamedToken token) {
        token.id = id;
        by_content.insert_or_assign(token.content, token);
        by_id.insert_or_assign(id, std::move(token));
    }
};

/// Reads the lists.
class TokenListReader {
public:
    using View = JsonView<TokenizerError>;

    /// `config`: tokenizer_config.json in `folder`. Throws FormatError or TokenizerError.
    static TokenLists read(const std::filesystem::path& folder, const View& config,
                           const FileOptions& files) {
        TokenListReader reader(config.file(), files);
        const std::filesystem::path path = folder / "tokenizer_config.json";
        reader.read_config(config, path);
        if (config.has("added_tokens_decoder")) {
            reader.read_decoder(config.at("added_tokens_decoder").object(), path);
        } else {
            reader.read_map(folder / "special_tokens_map.json");
            reader.read_added(folder / "added_tokens.json");
        }
        return std::move(reader.lists_);
    }

private:
    using Tokens = TokenLists::Tokens;

    TokenListReader(const std::string& config_file, const FileOptions& files)
        : config_file_(config_file), files_(files) {}

    static bool is_role(std::string_view key) {
        return std::find(role_names.begin(), role_names.end(), key) != role_names.end();
    }
    static bool is_typed(const View& json) { return json.is_object() && json.has("__type"); }

    /// Calls visit(key, value) for the object at `parent` of a file, in the file's order.
    template <typename Visit>
    void for_each_in_order(const View& json, const std::filesystem::path& path,
                           std::string_view parent, const Visit& visit) const {
        check_token_count(json);
        if (json.size() == 0) return;
        const std::string text = read_file(path, SpecialNames::max_bytes, files_);
        const auto visit_member = [&](const std::string& key, std::string_view) {
            if (json.has(key)) visit(key, json.at(key));
        };
        if (parent.empty()) return for_each_member(text, visit_member);
        for_each_member(text, [&](const std::string& key, std::string_view value) {
            if (key == parent) for_each_member(value, visit_member);
        });
    }

    /// Tokens under a key that ends in "_token", and lists of more, of tokenizer_config.json.
    void read_config(const View& config, const std::filesystem::path& path) {
        for_each_in_order(config, path, "", [&](const std::string& key, const View& value) {
            if (is_role(key)) {
                read_role(key, value, false);
            } else if (key.ends_with("_token") && (value.is_string() || is_typed(value))) {
                (value.is_string() ? lists_.plain : lists_.typed).put(key, NamedToken::read(value));
            }
        });
        if (config.holds("additional_special_tokens"))
            lists_.additional = read_tokens(config.at("additional_special_tokens"));
        if (!config.has("extra_special_tokens")) {
            std::swap(lists_.extra, lists_.additional);
            return;
        }
        const auto extra = config.at("extra_special_tokens");
        if (extra.is_object()) {
            const auto add = [&](const std::string& key, const View& value) {
                lists_.plain.put(key, NamedToken::read(value));
            };
            for_each_in_order(extra, path, "extra_special_tokens", add);
            if (extra.size() == 0) std::swap(lists_.extra, lists_.additional);
            return;
        }
        lists_.extra = extra.is_null() ? Tokens() : read_tokens(extra);
        if (lists_.extra->empty() && lists_.additional)
            lists_.extra = std::exchange(lists_.additional, std::nullopt);
    }

    void read_role(const std::string& role, const View& value, bool special) {
        lists_.roles[role] =
            value.is_null() ? std::nullopt : std::optional(NamedToken::read(value, special));
    }

    void read_decoder(const View& json, const std::filesystem::path& path) {
        const auto add = [&](const std::string& key, const View& token) {
            const std::optional<Index> id = python_int(key);
            if (!id) json.fail("ids as keys, not " + in_quotes(key));
            lists_.put(*id, NamedToken::read(token.object()));
        };
        for_each_in_order(json, path, "added_tokens_decoder", add);
    }

    void read_map(const std::filesystem::path& path) {
        const JsonTree json = SpecialNames::read_if_there(path, files_);
        const std::string name = path_to_utf8(path);
        const View map(json, name);
        for_each_in_order(map, path, "", [&](const std::string& key, const View& value) {
            if (is_role(key)) {
                read_role(key, value, true);
            } else if (key == "extra_special_tokens") {
                read_extra_of_map(value, path);
            } else if (key == "additional_special_tokens") {
                if (!value.is_null()) lists_.additional = read_tokens(value, true);
            } else if (key.ends_with("_token") && (value.is_string() || value.is_object())) {
                lists_.typed.put(key, NamedToken::read(value, true));
            }
        });
    }
    void read_extra_of_map(const View& value, const std::filesystem::path& path) {
        if (value.is_object()) {
            lists_.extra.reset();
            for_each_in_order(value, path, "extra_special_tokens",
                              [&](const std::string& key, const View& token) {
                                  lists_.plain.put(key, NamedToken::read(token));
                              });
            return;
        }
        if (!lists_.extra) lists_.extra.emplace();
        if (value.is_null()) return lists_.extra->clear();
        std::set<std::string> keys;
        for (const NamedToken& token : *lists_.extra) keys.insert(token.key());
        for (NamedToken& token : read_tokens(value, true))
            if (keys.insert(token.key()).second) lists_.extra->push_back(std::move(token));
    }

    /// {content: id}: special are those that have a role or are listed as extra.
    void read_added(const std::filesystem::path& path) {
        const JsonTree json = SpecialNames::read_if_there(path, files_);
        const std::string name = path_to_utf8(path);
        std::set<std::string> special;
        const auto note = [&](const NamedToken& token) {
            // Objects of tokenizer_config.json are no tokens yet when Python compares the names.
            if (token.is_text || token.file != config_file_) special.insert(token.content);
        };
        for (const auto& [role, token] : lists_.roles)
            if (token) note(*token);
        for (const NamedToken& token : lists_.extra.value_or(Tokens())) note(token);
        const auto add = [&](const std::string& content, const View& id) {
            NamedToken token = NamedToken::text(content);
            token.is_text = false;
            token.special = special.contains(content);
            token.normalized = !token.special;
            token.file = id.file();
            token.place = id.path();
            constexpr auto most = std::numeric_limits<std::int64_t>::max();
            lists_.put(id.integer(-most, most), std::move(token));
        };
        for_each_in_order(View(json, name), path, "", add);
    }

    const std::string& config_file_;
    const FileOptions& files_;
    TokenLists lists_;
};

}  // namespace nystromformer::inline v0_2::detail
