// SPDX-License-Identifier: MIT
// ALBERT's, XLM-RoBERTa's and CamemBERT's SentencePiece models as a tokenizer.json, after the
// classes of the same names in transformers 5.24 (convert_slow_tokenizer.py).
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/tokenizer/loaders/class_parts.hpp>
#include <nystromformer/tokenizer/loaders/folder_config.hpp>
#include <nystromformer/tokenizer/loaders/json_parts.hpp>
#include <nystromformer/tokenizer/loaders/sentencepiece_model.hpp>
#include <nystromformer/tokenizer/tokenizer_file.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Adds the pieces from number `begin` on.
inline void add_pieces(const SentencePieceModel& model, std::size_t begin, TokenizerFile& file) {
    const std::size_t before = file.pieces.size();
    file.piece_place = [before, begin, count = model.pieces.size() - begin](std::size_t i) {
        const bool is_own = i >= before && i - before < count;
        return is_own ? "piece " + std::to_string(i - before + begin) : std::string();
    };
    for (std::size_t i = begin; i < model.pieces.size(); ++i)
        file.add_piece(model.pieces[i].text, static_cast<double>(model.pieces[i].score));
}

/// What the model declares as control or user-defined symbol is an added token.
inline void add_declared(const SentencePieceModel& model, TokenizerFile& file,
                         FolderConfig& config) {
    std::vector<NamedToken> declared;
    for (const auto& piece : model.pieces) {
        const bool is_control = piece.type == SentencePieceModel::Type::control;
        if (!is_control && piece.type != SentencePieceModel::Type::user_defined) continue;
        file.budget.take(2 * sizeof(NamedToken) + piece.text.size());
        declared.push_back(NamedToken::text(std::string(piece.text)));
        declared.back().is_text = false;
        declared.back().special = is_control;
        declared.back().normalized = false;
    }
    config.set_additional(std::move(declared));
}

/// The model's own normalizer, or null.
inline Json precompiled_json(const SentencePieceModel& model) {
    if (model.precompiled_charsmap.empty()) return {};
    Json result;
    result["type"] = "Precompiled";
    result["precompiled_charsmap"] = encode_base64(model.precompiled_charsmap);
    return result;
}

/// AlbertTokenizer. This and the next two fill `file`.
inline void fill_albert(const SentencePieceModel& model, FolderConfig& config,
                        TokenizerFile& file) {
    add_declared(model, file, config);
    set_class_defaults(ClassKind::albert, config);
    add_pieces(model, 0, file);
    build_albert(config, precompiled_json(model), file);
    if (config.options().has("add_bos_token") || config.options().has("add_eos_token"))
        set_bos_eos_template(config, file);
}

/// XLMRobertaTokenizer: fairseq's four tokens come first, in place of SentencePiece's three.
inline void fill_xlm_roberta(const SentencePieceModel& model, FolderConfig& config,
                             TokenizerFile& file) {
    add_declared(model, file, config);
    set_class_defaults(ClassKind::xlm_roberta, config);
    for (const char* role : {"bos_token", "pad_token", "eos_token", "unk_token"})
        file.add_piece(config.content(role), 0.0);
    if (model.pieces.size() > 3) add_pieces(model, 3, file);
    file.add_piece(config.content("mask_token"), 0.0);
    build_fairseq(config, 3, precompiled_json(model), file);
}

/// CamembertTokenizer: fairseq's tokens under names that no text has, and all of SentencePiece's
/// pieces but the unknown one.
inline void fill_camembert(const SentencePieceModel& model, FolderConfig& config,
                           TokenizerFile& file) {
    add_declared(model, file, config);
    set_class_defaults(ClassKind::camembert, config);
    file.add_piece("<s>NOTUSED", 0.0);
    file.add_piece(config.content("pad_token"), 0.0);
    file.add_piece("</s>NOTUSED", 0.0);
    file.add_piece(config.content("unk_token"), 0.0);
    file.add_piece("<unk>NOTUSED", -100.0);
    add_pieces(model, 1, file);
    file.add_piece(config.content("mask_token"), 0.0);
    build_fairseq(config, file.find(config.content("unk_token")), precompiled_json(model), file);
}

}  // namespace nystromformer::inline v0_2::detail
