// SPDX-License-Identifier: MIT
// ALBERT's, XLM-RoBERTa's and CamemBERT's SentencePiece models as a tokenizer.json, after the
// classes of the same names in transformers 5.23 (models/*/tokenization_*.py).
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/tokenizer/loaders/json_parts.hpp>
#include <nystromformer/tokenizer/loaders/legacy_config.hpp>
#include <nystromformer/tokenizer/loaders/sentencepiece_model.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::detail {

/// The vocabulary of a Unigram while it is put together.
struct UnigramPieces {
    Json vocab = Json::array();
    std::map<std::string, std::int64_t> ids;

    void add(const std::string& piece, double score) {
        ids.emplace(piece, static_cast<std::int64_t>(vocab.size()));
        vocab.push_back(Json::array({piece, score}));
    }
    void add(const SentencePieceModel& model, std::size_t begin) {
        for (std::size_t i = begin; i < model.pieces.size(); ++i)
            add(model.pieces[i].text, double{model.pieces[i].score});
    }
    std::int64_t find(const std::string& piece) const {
        const auto found = ids.find(piece);
        return found == ids.end() ? -1 : found->second;
    }
};

/// Metaspace as a pre-tokenizer and as a decoder.
inline Json metaspace_json(const LegacyConfig& config) {
    const char* scheme = config.flag("add_prefix_space", true) ? "always" : "never";
    return {{"type", "Metaspace"},
            {"replacement", "\xE2\x96\x81"},
            {"prepend_scheme", scheme},
            {"split", true}};
}

/// The whole file but for /normalizer and /post_processor. What the model declares as control or
/// user-defined symbol is an added token.
inline Json sentencepiece_json(const SentencePieceModel& model, const UnigramPieces& pieces,
                               std::int64_t unknown, LegacyConfig& config) {
    std::vector<AddedToken> declared;
    for (const auto& piece : model.pieces) {
        const bool is_control = piece.type == SentencePieceModel::Type::control;
        if (!is_control && piece.type != SentencePieceModel::Type::user_defined) continue;
        declared.push_back(LegacyConfig::plain(piece.text));
        declared.back().special = is_control;
    }
    config.set_default_extra(std::move(declared));
    const Json metaspace = metaspace_json(config);
    const auto find = [&](const std::string& piece) { return pieces.find(piece); };
    return {{"version", "1.0"},
            {"added_tokens", config.added_tokens(find, pieces.vocab.size())},
            {"pre_tokenizer",
             {{"type", "Sequence"}, {"pretokenizers", {{{"type", "WhitespaceSplit"}}, metaspace}}}},
            {"decoder", metaspace},
            {"model",
             {{"type", "Unigram"},
              {"unk_id", unknown},
              {"byte_fallback", false},
              {"vocab", pieces.vocab}}}};
}

inline Json precompiled_json(const SentencePieceModel& model) {
    return {{"type", "Precompiled"},
            {"precompiled_charsmap", encode_base64(model.precompiled_charsmap)}};
}

/// AlbertTokenizer.
inline Json albert_json(const SentencePieceModel& model, LegacyConfig& config) {
    config.set_defaults({{"bos_token", "[CLS]"},
                         {"eos_token", "[SEP]"},
                         {"unk_token", "<unk>"},
                         {"sep_token", "[SEP]"},
                         {"pad_token", "<pad>"},
                         {"cls_token", "[CLS]"},
                         {"mask_token", "[MASK]"}});
    UnigramPieces pieces;
    pieces.add(model, 0);
    Json json = sentencepiece_json(model, pieces, 1, config);
    const auto replace = [](const char* pattern) -> Json {
        return {{"type", "Replace"}, {"pattern", {{"String", pattern}}}, {"content", "\""}};
    };
    Json steps = {replace("``"), replace("''")};
    if (!config.flag("keep_accents", false)) {
        steps.push_back({{"type", "NFKD"}});
        steps.push_back({{"type", "StripAccents"}});
    }
    if (config.flag("do_lower_case", true)) steps.push_back({{"type", "Lowercase"}});
    if (!model.precompiled_charsmap.empty()) steps.push_back(precompiled_json(model));
    json["normalizer"] = {{"type", "Sequence"}, {"normalizers", std::move(steps)}};
    // The names stand in the template whatever the config calls these tokens; ids follow the
    // config.
    json["post_processor"] = template_json({{"[CLS]"}, {"$A"}, {"[SEP]"}},
                                           {{"[CLS]"}, {"$A"}, {"[SEP]"}, {"$B", 1}, {"[SEP]", 1}},
                                           {{"[CLS]", pieces.find(config.content("cls_token"))},
                                            {"[SEP]", pieces.find(config.content("sep_token"))}});
    return json;
}

/// What XLMRobertaTokenizer and CamembertTokenizer share: `bos text eos`, `bos text eos eos pair
/// eos`.
inline Json fairseq_json(const SentencePieceModel& model, const UnigramPieces& pieces,
                         std::int64_t unknown, LegacyConfig& config) {
    Json json = sentencepiece_json(model, pieces, unknown, config);
    if (!model.precompiled_charsmap.empty()) json["normalizer"] = precompiled_json(model);
    const std::string& bos = config.content("bos_token");
    const std::string& eos = config.content("eos_token");
    json["post_processor"] = template_json(
        {{bos}, {"$A"}, {eos}}, {{bos}, {"$A"}, {eos}, {eos}, {"$B"}, {eos}},
        {{bos, added_id(json["added_tokens"], bos)}, {eos, added_id(json["added_tokens"], eos)}});
    return json;
}

inline void set_fairseq_defaults(LegacyConfig& config) {
    config.set_defaults({{"bos_token", "<s>"},
                         {"eos_token", "</s>"},
                         {"unk_token", "<unk>"},
                         {"sep_token", "</s>"},
                         {"pad_token", "<pad>"},
                         {"cls_token", "<s>"}});
}

/// XLMRobertaTokenizer: fairseq's four tokens come first, in place of SentencePiece's three.
inline Json xlm_roberta_json(const SentencePieceModel& model, LegacyConfig& config) {
    set_fairseq_defaults(config);
    config.set_defaults({{"mask_token", "<mask>"}});
    UnigramPieces pieces;
    for (const char* role : {"bos_token", "pad_token", "eos_token", "unk_token"})
        pieces.add(config.content(role), 0.0);
    pieces.add(model, 3);
    pieces.add(config.content("mask_token"), 0.0);
    return fairseq_json(model, pieces, 3, config);
}

/// CamembertTokenizer: fairseq's tokens under names that no text has, and all of SentencePiece's
/// pieces but the unknown one.
inline Json camembert_json(const SentencePieceModel& model, LegacyConfig& config) {
    set_fairseq_defaults(config);
    AddedToken mask = LegacyConfig::plain("<mask>");
    mask.lstrip = true;
    config.set_default("mask_token", std::move(mask));
    UnigramPieces pieces;
    pieces.add("<s>NOTUSED", 0.0);
    pieces.add(config.content("pad_token"), 0.0);
    pieces.add("</s>NOTUSED", 0.0);
    pieces.add(config.content("unk_token"), 0.0);
    pieces.add("<unk>NOTUSED", -100.0);
    pieces.add(model, 1);
    pieces.add(config.content("mask_token"), 0.0);
    return fairseq_json(model, pieces, pieces.find(config.content("unk_token")), config);
}

}  // namespace nystromformer::detail
