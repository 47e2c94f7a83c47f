// SPDX-License-Identifier: MIT
// What tokenizer_config.json and special_tokens_map.json say beside tokenizer.json: which token has
// which role, and how long a text the model was made for.
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/core/matrix.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace nystromformer::detail {

/// Roles of tokens by name; each may be missing.
struct SpecialNames {
    std::optional<std::string> mask_token, pad_token, unk_token, cls_token, sep_token;
    std::optional<Index> model_max_length;
    std::optional<bool> gives_token_type_ids;

    /// Reads the two files of `folder` where they exist; the config wins. Throws TokenizerError.
    static SpecialNames load(const std::filesystem::path& folder) {
        SpecialNames result;
        for (const char* name : {"tokenizer_config.json", "special_tokens_map.json"}) {
            constexpr std::uint64_t most_bytes = 16U << 20;
            const auto path = folder / name;
            if (!detail::is_regular_file(path)) continue;
            const Json json = read_json_file(path, most_bytes);
            result.add(JsonView<TokenizerError>(json, path.string()).object());
        }
        return result;
    }

private:
    void add(const JsonView<TokenizerError>& json) {
        read(json, "mask_token", mask_token);
        read(json, "pad_token", pad_token);
        read(json, "unk_token", unk_token);
        read(json, "cls_token", cls_token);
        read(json, "sep_token", sep_token);
        if (!gives_token_type_ids) read_input_names(json);
        if (!model_max_length && json.holds("model_max_length")) {
            // "No limit" is written as 1000000000000000019884624838656.
            const double length = json.at("model_max_length").number();
            if (length >= 1 && length < 1e15) model_max_length = static_cast<Index>(length);
        }
    }

    /// Of the tokenizer classes that published encoders name, Bert's alone gives type ids in every
    /// version of transformers; the names of the inputs are written where they are others.
    void read_input_names(const JsonView<TokenizerError>& json) {
        if (json.holds("model_input_names")) {
            const auto names = json.at("model_input_names").array();
            gives_token_type_ids = false;
            for (std::size_t i = 0; i < names.size(); ++i)
                if (names.at(i).string() == "token_type_ids") gives_token_type_ids = true;
        } else if (json.holds("tokenizer_class")) {
            const std::string& name = json.at("tokenizer_class").string();
            if (name == "BertTokenizer" || name == "BertTokenizerFast") gives_token_type_ids = true;
        }
    }

    /// Plain text, or an AddedToken object.
    static void read(const JsonView<TokenizerError>& json, const char* key,
                     std::optional<std::string>& role) {
        if (role || !json.holds(key)) return;
        const auto value = json.at(key);
        const auto text = value.is_object() ? value.at("content") : value;
        if (text.string().empty()) text.fail("a token");
        role = text.string();
    }
};

}  // namespace nystromformer::detail
