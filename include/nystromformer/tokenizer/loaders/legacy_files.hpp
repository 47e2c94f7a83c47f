// SPDX-License-Identifier: MIT
// A folder without tokenizer.json: which of the older files it has, read as the tokenizer.json that
// transformers would make of them.
#pragma once

#include <nystromformer/core/file.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/loaders/legacy_config.hpp>
#include <nystromformer/tokenizer/loaders/sentencepiece_files.hpp>
#include <nystromformer/tokenizer/loaders/vocabulary_files.hpp>
#include <nystromformer/tokenizer/tokenizer_file.hpp>

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace nystromformer::detail {

/// What the files of a folder amount to.
struct LegacyFiles {
    TokenizerFile tokenizer;  ///< of the name of the file that it was mostly read from
    SpecialNames names;

    /// The class that tokenizer_config.json or config.json names decides, without one the files
    /// that are there. Throws IoError, FormatError, TokenizerError, or UnsupportedError for classes
    /// that this library does not know.
    static LegacyFiles load(const std::filesystem::path& folder, const FileOptions& files = {}) {
        LegacyConfig config(folder, files);
        const Kind kind = kind_of(folder, config, files);
        TokenizerFile tokenizer =
            kind == Kind::bert      ? bert_file(find(folder, {"vocab.txt"}), config, files)
            : kind == Kind::roberta ? roberta_file(find(folder, {"vocab.json"}),
                                                   find(folder, {"merges.txt"}), config, files)
                                    : sentencepiece_file(folder, kind, config, files);
        return {std::move(tokenizer), config.names()};
    }

private:
    enum class Kind { albert, xlm_roberta, camembert, roberta, bert };
    using Names = std::initializer_list<const char*>;

    static TokenizerFile sentencepiece_file(const std::filesystem::path& folder, Kind kind,
                                            LegacyConfig& config, const FileOptions& files) {
        const auto path =
            find(folder, {"tokenizer.model", "spiece.model", "sentencepiece.bpe.model"});
        constexpr std::uint64_t most_bytes = 64U << 20;
        const std::string bytes = read_file(path, most_bytes, files);
        TokenizerFile file(path.string(), bytes.size());
        file.budget.take(bytes.size());
        const auto model = SentencePieceModel::parse(bytes, file.budget);
        if (kind == Kind::albert) {
            fill_albert(model, config, file);
        } else if (kind == Kind::xlm_roberta) {
            fill_xlm_roberta(model, config, file);
        } else {
            fill_camembert(model, config, file);
        }
        file.budget.give(bytes.size() + model.memory());
        return file;
    }

    static bool has(const std::filesystem::path& folder, const char* name) {
        return detail::is_regular_file(folder / name);
    }

    /// The first of `names` that is there.
    static std::filesystem::path find(const std::filesystem::path& folder, Names names) {
        std::string looked_for;
        for (const char* name : names) {
            if (has(folder, name)) return folder / name;
            looked_for.append(looked_for.empty() ? "" : " or ").append(name);
        }
        throw IoError({folder.string(), "", looked_for + " in the folder", "none of them"});
    }

    static Kind kind_of(const std::filesystem::path& folder, const LegacyConfig& config,
                        const FileOptions& files) {
        std::string name = class_name(folder, config, files);
        if (name.ends_with("Fast")) name.resize(name.size() - 4);
        const auto is_one_of = [&](Names wanted) {
            return std::find(wanted.begin(), wanted.end(), std::string_view(name)) != wanted.end();
        };
        if (is_one_of({"AlbertTokenizer"})) return Kind::albert;
        if (is_one_of({"XLMRobertaTokenizer"})) return Kind::xlm_roberta;
        if (is_one_of({"CamembertTokenizer"})) return Kind::camembert;
        if (is_one_of({"RobertaTokenizer", "BartTokenizer", "LongformerTokenizer", "LEDTokenizer"}))
            return Kind::roberta;
        if (is_one_of({"BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer",
                       "ConvBertTokenizer", "MobileBertTokenizer", "SqueezeBertTokenizer"}))
            return Kind::bert;
        if (!name.empty() &&
            !is_one_of({"PreTrainedTokenizer", "TokenizersBackend", "NystromformerTokenizer"})) {
            throw UnsupportedError(
                {(folder / "tokenizer_config.json").string(), "/tokenizer_class",
                 "a tokenizer.json, or AlbertTokenizer, BertTokenizer, CamembertTokenizer, "
                 "RobertaTokenizer, XLMRobertaTokenizer or one like these",
                 in_quotes(name)});
        }
        return kind_of_files(folder);
    }

    static Kind kind_of_files(const std::filesystem::path& folder) {
        if (has(folder, "spiece.model") || has(folder, "tokenizer.model")) return Kind::albert;
        if (has(folder, "sentencepiece.bpe.model")) return Kind::xlm_roberta;
        if (has(folder, "vocab.json") && has(folder, "merges.txt")) return Kind::roberta;
        if (has(folder, "vocab.txt")) return Kind::bert;
        throw IoError({folder.string(), "",
                       "a folder with tokenizer.json, spiece.model, tokenizer.model, "
                       "sentencepiece.bpe.model, vocab.json and merges.txt, or vocab.txt",
                       "none of them"});
    }

    /// What tokenizer_config.json says, else config.json, whose model types have a class each.
    static std::string class_name(const std::filesystem::path& folder, const LegacyConfig& config,
                                  const FileOptions& files) {
        if (config.options().holds("tokenizer_class"))
            return config.options().at("tokenizer_class").string();
        const std::string path = (folder / "config.json").string();
        const JsonTree json = SpecialNames::read_if_there(path, files);
        const JsonView<TokenizerError> model(json, path);
        if (model.holds("tokenizer_class")) return model.at("tokenizer_class").string();
        if (!model.holds("model_type")) return "";
        constexpr std::pair<std::string_view, const char*> classes[] = {
            {"albert", "AlbertTokenizer"},
            {"yoso", "AlbertTokenizer"},
            {"xlm-roberta", "XLMRobertaTokenizer"},
            {"xmod", "XLMRobertaTokenizer"},
            {"camembert", "CamembertTokenizer"},
            {"roberta", "RobertaTokenizer"},
            {"longformer", "RobertaTokenizer"},
            {"bart", "RobertaTokenizer"},
            {"mra", "RobertaTokenizer"},
            {"bert", "BertTokenizer"},
            {"distilbert", "BertTokenizer"},
            {"electra", "BertTokenizer"},
            {"convbert", "BertTokenizer"},
            {"mobilebert", "BertTokenizer"},
            {"squeezebert", "BertTokenizer"},
            {"megatron-bert", "BertTokenizer"}};
        const std::string& type = model.at("model_type").string();
        for (const auto& [model_type, name] : classes)
            if (model_type == type) return name;
        return "";
    }
};

}  // namespace nystromformer::detail
