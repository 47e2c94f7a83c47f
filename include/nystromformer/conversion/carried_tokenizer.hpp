// SPDX-License-Identifier: MIT
// Writes what a tokenizer class adds at run time into the files of the converted folder. A
// Nystromformer has no tokenizer class of its own, so AutoTokenizer (transformers 5.24) and this
// library would otherwise read the new folder differently from the old one.
#pragma once

#include <nystromformer/core/file.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/loaders/folder_files.hpp>
#include <nystromformer/tokenizer/special_names.hpp>
#include <nystromformer/tokenizer/tokenizer_parts.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// The changes that a folder's tokenizer needs to stay the same without its class.
struct CarriedTokenizer {
    using OrderedJson = nlohmann::ordered_json;

    OrderedJson options = OrderedJson::object();               ///< of tokenizer_config.json
    std::optional<std::string> tokenizer_json = std::nullopt;  ///< nothing: as it is

    /// For the tokenizer of `folder`, whose tokenizer_config.json has `config`. Errors: as those of
    /// Tokenizer::from_pretrained.
    static CarriedTokenizer of(const std::filesystem::path& folder,
                               const JsonView<TokenizerError>& config) {
        CarriedTokenizer result;
        FolderFiles source = FolderFiles::load(folder);
        const auto name = [&](const char* role, const std::optional<std::string>& token) {
            if (token && !config.has(role)) result.options[role] = *token;
        };
        name("unk_token", source.names.unk_token);
        name("sep_token", source.names.sep_token);
        name("pad_token", source.names.pad_token);
        name("cls_token", source.names.cls_token);
        name("mask_token", source.names.mask_token);
        if (source.names.gives_token_type_ids && !config.holds("model_input_names")) {
            result.options["model_input_names"] = {"input_ids", "attention_mask"};
            if (*source.names.gives_token_type_ids)
                result.options["model_input_names"] = {"input_ids", "token_type_ids",
                                                       "attention_mask"};
        }
        if (source.is_rebuilt) result.write(folder / "tokenizer.json", source.tokenizer);
        return result;
    }

private:
    /// tokenizer.json with the parts that its class builds, if they are others.
    void write(const std::filesystem::path& path, TokenizerFile& file) {
        constexpr std::uint64_t max_bytes = 64U << 20;
        OrderedJson json = OrderedJson::parse(read_file(path, max_bytes));
        const TokenizerParts parts = TokenizerParts::load(file);
        OrderedJson changed = json;
        for (const char* key : {"normalizer", "pre_tokenizer", "post_processor", "decoder"})
            changed[key] = file.json.value.value(key, Json());
        OrderedJson model;
        for (const auto& [key, value] : file.json.value["model"].items())
            model[key] =
                key == "vocab" || key == "merges" ? json["model"][key] : OrderedJson(value);
        changed["model"] = std::move(model);
        changed["added_tokens"] = list_of(parts.added_tokens);
        if (Json(changed) != Json(json)) tokenizer_json = changed.dump() + '\n';
    }

    static OrderedJson list_of(const AddedTokens& added_tokens) {
        std::vector<AddedToken> tokens = added_tokens.tokens();
        std::sort(tokens.begin(), tokens.end(),
                  [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
        OrderedJson result = OrderedJson::array();
        for (const AddedToken& token : tokens)
            result.push_back({{"id", token.id},
                              {"content", token.content},
                              {"single_word", token.single_word},
                              {"lstrip", token.lstrip},
                              {"rstrip", token.rstrip},
                              {"normalized", token.normalized},
                              {"special", token.special}});
        return result;
    }
};

}  // namespace nystromformer::inline v0_2::detail
