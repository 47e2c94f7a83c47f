// SPDX-License-Identifier: MIT
// ALBERT's, XLM-RoBERTa's and CamemBERT's SentencePiece models as a tokenizer.json, after the
// classes of the same names in transformers 5.23 (models/*/tokenization_*.py).
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/tokenizer/loaders/json_parts.hpp>
#include <nystromformer/tokenizer/loaders/legacy_config.hpp>
#include <nystromformer/tokenizer/loaders/sentencepiece_model.hpp>
#include <nystromformer/tokenizer/tokenizer_file.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::detail {

/// Adds the pieces from number `begin` on.
inline void add_pieces(const SentencePieceModel& model, std::size_t begin, TokenizerFile& file) {
    for (std::size_t i = begin; i < model.pieces.size(); ++i)
        file.add_piece(model.pieces[i].text, double{model.pieces[i].score});
}

/// The whole JSON but for /normalizer and /post_processor, for the pieces that `file` has. What the
/// model declares as control or user-defined symbol is an added token.
inline Json sentencepiece_json(const SentencePieceModel& model, TokenizerFile& file,
                               std::int64_t unknown, LegacyConfig& config) {
    std::vector<AddedToken> declared;
    for (const auto& piece : model.pieces) {
        const bool is_control = piece.type == SentencePieceModel::Type::control;
        if (!is_control && piece.type != SentencePieceModel::Type::user_defined) continue;
        file.budget.take(2 * sizeof(AddedToken) + piece.text.size());
        declared.push_back(LegacyConfig::plain(std::string(piece.text)));
        declared.back().special = is_control;
    }
    config.set_default_extra(std::move(declared));
    return json_of(
        R"({
          "version": "1.0",
          "added_tokens": "$added_tokens",
          "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "WhitespaceSplit"},
            {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "$scheme", "split": true}]},
          "decoder": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "$scheme", "split": true},
          "model": {"type": "Unigram", "unk_id": "$unk_id", "byte_fallback": false, "vocab": []}
        })",
        {{"$added_tokens", config.added_tokens(file)},
         {"$scheme", config.flag("add_prefix_space", true) ? "always" : "never"},
         {"$unk_id", unknown}});
}

inline Json precompiled_json(const SentencePieceModel& model) {
    Json result;
    result["type"] = "Precompiled";
    result["precompiled_charsmap"] = encode_base64(model.precompiled_charsmap);
    return result;
}

/// AlbertTokenizer. This and the next two fill `file`.
inline void fill_albert(const SentencePieceModel& model, LegacyConfig& config,
                        TokenizerFile& file) {
    config.set_defaults({{"bos_token", "[CLS]"},
                         {"eos_token", "[SEP]"},
                         {"unk_token", "<unk>"},
                         {"sep_token", "[SEP]"},
                         {"pad_token", "<pad>"},
                         {"cls_token", "[CLS]"},
                         {"mask_token", "[MASK]"}});
    add_pieces(model, 0, file);
    Json json = sentencepiece_json(model, file, 1, config);
    Json normalizer = json_of(R"({"type": "Sequence", "normalizers": [
        {"type": "Replace", "pattern": {"String": "``"}, "content": "\""},
        {"type": "Replace", "pattern": {"String": "''"}, "content": "\""}]})",
                              {});
    Json& steps = normalizer["normalizers"];
    const auto add = [&](const char* type) { steps.emplace_back()["type"] = type; };
    if (!config.flag("keep_accents", false)) {
        add("NFKD");
        add("StripAccents");
    }
    if (config.flag("do_lower_case", true)) add("Lowercase");
    if (!model.precompiled_charsmap.empty()) steps.push_back(precompiled_json(model));
    json["normalizer"] = std::move(normalizer);
    // The names stand in the template whatever the config calls these tokens; ids follow the
    // config.
    json["post_processor"] = template_json({{"[CLS]"}, {"$A"}, {"[SEP]"}},
                                           {{"[CLS]"}, {"$A"}, {"[SEP]"}, {"$B", 1}, {"[SEP]", 1}},
                                           {{"[CLS]", file.find(config.content("cls_token"))},
                                            {"[SEP]", file.find(config.content("sep_token"))}});
    file.json = std::move(json);
}

/// What XLMRobertaTokenizer and CamembertTokenizer share: `bos text eos`, `bos text eos eos pair
/// eos`.
inline void fill_fairseq(const SentencePieceModel& model, std::int64_t unknown,
                         LegacyConfig& config, TokenizerFile& file) {
    Json json = sentencepiece_json(model, file, unknown, config);
    if (!model.precompiled_charsmap.empty()) json["normalizer"] = precompiled_json(model);
    const std::string& bos = config.content("bos_token");
    const std::string& eos = config.content("eos_token");
    json["post_processor"] = template_json(
        {{bos}, {"$A"}, {eos}}, {{bos}, {"$A"}, {eos}, {eos}, {"$B"}, {eos}},
        {{bos, added_id(json["added_tokens"], bos)}, {eos, added_id(json["added_tokens"], eos)}});
    file.json = std::move(json);
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
inline void fill_xlm_roberta(const SentencePieceModel& model, LegacyConfig& config,
                             TokenizerFile& file) {
    set_fairseq_defaults(config);
    config.set_defaults({{"mask_token", "<mask>"}});
    for (const char* role : {"bos_token", "pad_token", "eos_token", "unk_token"})
        file.add_piece(config.content(role), 0.0);
    add_pieces(model, 3, file);
    file.add_piece(config.content("mask_token"), 0.0);
    fill_fairseq(model, 3, config, file);
}

/// CamembertTokenizer: fairseq's tokens under names that no text has, and all of SentencePiece's
/// pieces but the unknown one.
inline void fill_camembert(const SentencePieceModel& model, LegacyConfig& config,
                           TokenizerFile& file) {
    set_fairseq_defaults(config);
    AddedToken mask = LegacyConfig::plain("<mask>");
    mask.lstrip = true;
    config.set_default("mask_token", std::move(mask));
    file.add_piece("<s>NOTUSED", 0.0);
    file.add_piece(config.content("pad_token"), 0.0);
    file.add_piece("</s>NOTUSED", 0.0);
    file.add_piece(config.content("unk_token"), 0.0);
    file.add_piece("<unk>NOTUSED", -100.0);
    add_pieces(model, 1, file);
    file.add_piece(config.content("mask_token"), 0.0);
    fill_fairseq(model, file.find(config.content("unk_token")), config, file);
}

}  // namespace nystromformer::detail
