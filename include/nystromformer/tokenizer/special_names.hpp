// SPDX-License-Identifier: MIT
// What a Tokenizer reports from its configuration files: the role of each special token, the
// longest text that the model was made for, and how to clean up decoded text.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/core/notice.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/core/python_json.hpp>
#include <nystromformer/tokenizer/truncation.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace nystromformer::inline v0_2::detail {

/// Roles of tokens by name; each may be missing.
struct SpecialNames {
    std::optional<std::string> mask_token, pad_token, unk_token, cls_token, sep_token;
    std::optional<Index> model_max_length;
    std::optional<bool> gives_token_type_ids;
    std::optional<Direction> truncation_side, padding_side;
    bool clean_up_tokenization_spaces = false;
    bool clean_up_even_bpe = false;

    static constexpr std::uint64_t max_bytes = 16U << 20;  // of either file

    /// The object in the file `path`, an empty one if there is no file.
    static JsonTree read_if_there(const std::filesystem::path& path,
                                  const FileOptions& files = {}) {
        if (!detail::is_regular_file(path, files)) return Json::object();
        JsonTree json = read_python_json(path, max_bytes, files);
        const std::string name = path_to_utf8(path);
        JsonView<TokenizerError>(json, name).object();
        return json;
    }

    /// Reads what is no role of tokenizer_config.json.
    void add_options(const JsonView<TokenizerError>& json, const FileOptions& files = {}) {
        const char* length_key = json.has("model_max_length") ? "model_max_length" : "max_len";
        if (json.holds(length_key)) {
            // "No limit" is written as 1000000000000000019884624838656.
            const double length = json.at(length_key).number();
            if (length >= 1 && length < 1e15) model_max_length = static_cast<Index>(length);
            if (!(length >= 1))
                give_notice(files, json.file(), json.at(length_key).path(),
                            "is no length of a text and is not used");
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

    /// The names of a model's inputs are written if they are not those of the class.
    void read_input_names(const JsonView<TokenizerError>& json) {
        if (!json.holds("model_input_names")) return;
        const auto names = json.at("model_input_names").array();
        gives_token_type_ids = false;
        for (std::size_t i = 0; i < names.size(); ++i)
            if (names.at(i).string() == "token_type_ids") gives_token_type_ids = true;
    }
};

}  // namespace nystromformer::inline v0_2::detail
