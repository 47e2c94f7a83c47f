// SPDX-License-Identifier: MIT
// What tokenizer_config.json and special_tokens_map.json say beside tokenizer.json: which token has
// which role, how long a text the model was made for, and how decoded text is to be tidied.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/core/python_json.hpp>
#include <nystromformer/tokenizer/truncation.hpp>

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
    std::optional<Direction> truncation_side, padding_side;
    bool clean_up_tokenization_spaces = false;
    bool clean_up_even_bpe = false;

    static constexpr std::uint64_t most_bytes = 16U << 20;  // of either file

    /// Reads the two files of `folder` where they exist. The map wins, but is not read beside a
    /// config with added_tokens_decoder, as in transformers. Throws TokenizerError.
    static SpecialNames load(const std::filesystem::path& folder, const FileOptions& files = {}) {
        SpecialNames result;
        const std::string config_path = (folder / "tokenizer_config.json").string();
        const std::string map_path = (folder / "special_tokens_map.json").string();
        const JsonTree config = read_if_there(config_path, files),
                       map = read_if_there(map_path, files);
        const JsonView<TokenizerError> config_view(config, config_path);
        if (!config_view.has("added_tokens_decoder"))
            result.add_roles(JsonView<TokenizerError>(map, map_path));
        result.add_roles(config_view);
        result.add_options(config_view);
        return result;
    }

    /// The object in the file `path`, an empty one where there is no file.
    static JsonTree read_if_there(const std::filesystem::path& path,
                                  const FileOptions& files = {}) {
        if (!detail::is_regular_file(path)) return Json::object();
        JsonTree json = read_python_json(path, most_bytes, files);
        const std::string name = path.string();
        JsonView<TokenizerError>(json, name).object();
        return json;
    }

    /// Reads what is no role of tokenizer_config.json.
    void add_options(const JsonView<TokenizerError>& json) {
        if (json.holds("model_max_length")) {
            // "No limit" is written as 1000000000000000019884624838656.
            const double length = json.at("model_max_length").number();
            if (length >= 1 && length < 1e15) model_max_length = static_cast<Index>(length);
        }
        if (json.holds("clean_up_tokenization_spaces"))
            clean_up_tokenization_spaces = json.at("clean_up_tokenization_spaces").boolean();
        constexpr auto even_bpe =
            "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output";
        if (json.holds(even_bpe)) clean_up_even_bpe = json.at(even_bpe).boolean();
        read(json, "truncation_side", truncation_side);
        read(json, "padding_side", padding_side);
        read_input_names(json);
    }

private:
    static void read(const JsonView<TokenizerError>& json, const char* key,
                     std::optional<Direction>& side) {
        if (!json.holds(key)) return;
        const std::string& name = json.at(key).string();
        if (name != "left" && name != "right") json.at(key).fail("\"left\" or \"right\"");
        side = name == "left" ? Direction::left : Direction::right;
    }

    void add_roles(const JsonView<TokenizerError>& json) {
        read(json, "mask_token", mask_token);
        read(json, "pad_token", pad_token);
        read(json, "unk_token", unk_token);
        read(json, "cls_token", cls_token);
        read(json, "sep_token", sep_token);
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
        if (!text.string().empty()) role = text.string();  // as if it were not named
    }
};

}  // namespace nystromformer::detail
