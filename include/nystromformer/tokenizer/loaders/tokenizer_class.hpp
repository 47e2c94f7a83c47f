// SPDX-License-Identifier: MIT
// Which class of tokenizers transformers picks for a folder, and what that class has of its own:
// AutoTokenizer.from_pretrained of transformers 5.24 (models/auto/tokenization_auto.py).
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/special_names.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <string_view>

namespace nystromformer::inline v0_2::detail {

/// A class of tokenizers.
struct TokenizerClass {
    enum class Kind { generic, bert, roberta, xlm_roberta, camembert, albert };

    std::string_view name;  ///< without "Fast"
    Kind kind = Kind::generic;
    /// It takes no more than the vocabulary of a tokenizer.json, and builds all else itself.
    bool rebuilds = false;
    bool gives_type_ids = false;  ///< model_input_names have them in transformers 5
    bool gave_type_ids = true;    ///< and in transformers 4
    bool is_known = true;         ///< false: another class of its own, which is not in the table

    /// The type of the model that the class builds.
    std::string_view model_type() const {
        return kind == Kind::bert ? "WordPiece" : kind == Kind::roberta ? "BPE" : "Unigram";
    }

    /// The class of that name, with or without "Fast".
    static TokenizerClass named(std::string_view name) {
        if (name.ends_with("Fast")) name.remove_suffix(4);
        constexpr std::array classes = {
            TokenizerClass{"BertTokenizer", Kind::bert, true, true, true},
            TokenizerClass{"ElectraTokenizer", Kind::bert, true, true, true},
            TokenizerClass{"MobileBertTokenizer", Kind::bert, true, true, true},
            TokenizerClass{"SqueezeBertTokenizer", Kind::bert, true, true, true},
            TokenizerClass{"LayoutLMTokenizer", Kind::bert, true, true, true},
            TokenizerClass{"LxmertTokenizer", Kind::bert, true, true, true},
            TokenizerClass{"ConvBertTokenizer", Kind::bert, false, true, true},
            TokenizerClass{"DistilBertTokenizer", Kind::bert, true, false, false},
            TokenizerClass{"RobertaTokenizer", Kind::roberta, true, false, false},
            TokenizerClass{"BartTokenizer", Kind::roberta, true, false, false},
            TokenizerClass{"LongformerTokenizer", Kind::roberta, true, false, false},
            TokenizerClass{"LEDTokenizer", Kind::roberta, true, false, false},
            TokenizerClass{"XLMRobertaTokenizer", Kind::xlm_roberta, true, false, false},
            TokenizerClass{"CamembertTokenizer", Kind::camembert, true, false, false},
            TokenizerClass{"AlbertTokenizer", Kind::albert, true, false, true},
            TokenizerClass{"TokenizersBackend"},
            TokenizerClass{"PreTrainedTokenizer"},
            TokenizerClass{"PythonBackend"},
            TokenizerClass{"NystromformerTokenizer"}};
        for (const TokenizerClass& known : classes)
            if (known.name == name) return known;
        TokenizerClass other;
        other.is_known = name.empty();
        return other;
    }

    /// The name of the class of a model type, or none.
    static std::string_view of_model_type(std::string_view type) {
        struct Row {
            std::string_view model_type, name;
        };
        constexpr std::array rows = {Row{"albert", "AlbertTokenizer"},
                                     Row{"bart", "RobertaTokenizer"},
                                     Row{"bert", "BertTokenizer"},
                                     Row{"camembert", "CamembertTokenizer"},
                                     Row{"convbert", "BertTokenizer"},
                                     Row{"data2vec-text", "RobertaTokenizer"},
                                     Row{"distilbert", "DistilBertTokenizer"},
                                     Row{"electra", "BertTokenizer"},
                                     Row{"ernie", "BertTokenizer"},
                                     Row{"ibert", "RobertaTokenizer"},
                                     Row{"layoutlm", "BertTokenizer"},
                                     Row{"led", "LEDTokenizer"},
                                     Row{"lilt", "RobertaTokenizer"},
                                     Row{"longformer", "RobertaTokenizer"},
                                     Row{"megatron-bert", "BertTokenizer"},
                                     Row{"mobilebert", "MobileBertTokenizer"},
                                     Row{"mra", "RobertaTokenizer"},
                                     Row{"nezha", "BertTokenizer"},
                                     Row{"nystromformer", generic_name},
                                     Row{"roberta", "RobertaTokenizer"},
                                     Row{"roberta-prelayernorm", "RobertaTokenizer"},
                                     Row{"squeezebert", "BertTokenizer"},
                                     Row{"xlm-roberta", "XLMRobertaTokenizer"},
                                     Row{"xlm-roberta-xl", generic_name},
                                     Row{"xmod", "XLMRobertaTokenizer"},
                                     Row{"yoso", "AlbertTokenizer"}};
        for (const Row& row : rows)
            if (row.model_type == type) return row.name;
        return {};
    }

    static constexpr std::string_view generic_name = "TokenizersBackend";
};

/// The class that the files of a folder choose.
struct ClassChoice {
    std::string named;            ///< by tokenizer_config.json, else by config.json; may be empty
    std::string file;             ///< that names it
    std::string_view registered;  ///< for config.json's model type; may be empty
    bool has_code = false;        ///< tokenizer_config.json names a class of the folder's own code

    /// Reads config.json if it is needed. Throws FormatError or TokenizerError.
    static ClassChoice of(const std::filesystem::path& folder,
                          const JsonView<TokenizerError>& tokenizer_config,
                          const FileOptions& files) {
        ClassChoice result;
        const auto path = folder / "config.json";
        const std::string file = path_to_utf8(path);
        const JsonTree json = SpecialNames::read_if_there(path, files);
        const JsonView<TokenizerError> model(json, file);
        for (const auto* config : {&tokenizer_config, &model}) {
            if (!result.named.empty() || !config->holds("tokenizer_class")) continue;
            result.named = config->at("tokenizer_class").string();
            result.file = config->file();
        }
        if (model.holds("model_type") && model.at("model_type").is_string())
            result.registered = TokenizerClass::of_model_type(model.at("model_type").string());
        if (tokenizer_config.holds("auto_map")) {
            const auto map = tokenizer_config.at("auto_map");
            result.has_code = map.is_array() || (map.is_object() && map.holds("AutoTokenizer"));
        }
        return result;
    }

    /// The class that the files name, else that of the model type.
    TokenizerClass named_class() const {
        return TokenizerClass::named(named.empty() ? registered : std::string_view(named));
    }
    /// The class that AutoTokenizer picks for a folder with a tokenizer.json: a model type
    /// registered with the generic class keeps it, even if the files name another, unless they
    /// name a class of the folder's own code.
    TokenizerClass class_of_json() const {
        const bool keeps = registered == TokenizerClass::generic_name && !has_code;
        return keeps ? TokenizerClass{} : named_class();
    }
};

}  // namespace nystromformer::inline v0_2::detail
