// SPDX-License-Identifier: MIT
// What classes of tokenizers in transformers 5.24 build around a vocabulary, as the parts of a
// tokenizer.json (models/*/tokenization_*.py).
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/loaders/folder_config.hpp>
#include <nystromformer/tokenizer/loaders/json_parts.hpp>
#include <nystromformer/tokenizer/loaders/tokenizer_class.hpp>
#include <nystromformer/tokenizer/tokenizer_file.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

using ClassKind = TokenizerClass::Kind;

/// The roles' tokens of a class if the files say nothing of them.
inline void set_class_defaults(ClassKind kind, FolderConfig& config) {
    if (kind == ClassKind::generic) return;
    if (kind == ClassKind::bert || kind == ClassKind::albert) {
        const bool is_albert = kind == ClassKind::albert;
        if (is_albert) config.set_defaults({{"bos_token", "[CLS]"}, {"eos_token", "[SEP]"}});
        config.set_defaults({{"unk_token", is_albert ? "<unk>" : "[UNK]"},
                             {"sep_token", "[SEP]"},
                             {"pad_token", is_albert ? "<pad>" : "[PAD]"},
                             {"cls_token", "[CLS]"},
                             {"mask_token", "[MASK]"}});
        return;
    }
    config.set_defaults({{"bos_token", "<s>"},
                         {"eos_token", "</s>"},
                         {"unk_token", "<unk>"},
                         {"sep_token", "</s>"},
                         {"pad_token", "<pad>"},
                         {"cls_token", "<s>"},
                         {"mask_token", "<mask>"}});
    if (kind != ClassKind::camembert) return;
    config.strip_before_mask();
    config.set_default_additional({"<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"});
}

/// The id of a token of a template. Throws TokenizerError if it has none.
inline std::int64_t template_id(const std::string& file, const std::string& token,
                                const std::optional<std::int64_t>& id) {
    if (!id) throw TokenizerError({file, "", "a piece " + in_quotes(token), "none"});
    return *id;
}

/// Replaces all of a tokenizer.json but its vocabulary, truncation and padding.
inline void replace_parts(TokenizerFile& file, Json parts) {
    for (const char* key : {"truncation", "padding"})
        if (file.json.value.is_object() && file.json.value.contains(key))
            parts[key] = std::move(file.json.value[key]);
    file.json = std::move(parts);
}

/// `cls text sep`, `cls text sep pair sep` with the roles' tokens, or with what Python makes of
/// those that are null.
inline void set_bert_template(const FolderConfig& config, TokenizerFile& file) {
    const auto text = [&](const char* role) {
        return config.has_role(role) ? config.content(role) : std::string("None");
    };
    file.post_processor = [cls = text("cls_token"), sep = text("sep_token")](const auto& id_of) {
        return template_json({{cls}, {"$A"}, {sep}}, {{cls}, {"$A"}, {sep}, {"$B", 1}, {sep, 1}},
                             {{cls, id_of(cls).value_or(2)}, {sep, id_of(sep).value_or(3)}});
    };
}

/// BertTokenizer.
inline void build_bert(const FolderConfig& config, TokenizerFile& file) {
    const bool strips = config.options().holds("strip_accents");
    replace_parts(
        file, json_of(
                  R"({
          "version": "1.0",
          "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": "$chinese",
                         "strip_accents": "$strip_accents", "lowercase": "$lowercase"},
          "pre_tokenizer": {"type": "BertPreTokenizer"},
          "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
          "model": {"type": "WordPiece", "unk_token": "$unk", "continuing_subword_prefix": "##",
                    "max_input_chars_per_word": 100, "vocab": {}}
        })",
                  {{"$chinese", config.flag("tokenize_chinese_chars", true)},
                   {"$strip_accents", strips ? Json(config.flag("strip_accents", false)) : Json()},
                   {"$lowercase", config.flag("do_lower_case", true)},
                   {"$unk", config.has_role("unk_token") ? config.content("unk_token") : "None"}}));
    set_bert_template(config, file);
}

/// RobertaTokenizer: byte-level BPE, `cls text sep`, `cls text sep sep pair sep`.
inline void build_roberta(const FolderConfig& config, TokenizerFile& file) {
    const bool prefix = config.flag("add_prefix_space", false);
    replace_parts(file, json_of(
                            R"({
          "version": "1.0",
          "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": "$prefix", "trim_offsets": true,
                            "use_regex": true},
          "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
          "model": {"type": "BPE", "vocab": {}, "merges": []}
        })",
                            {{"$prefix", prefix}}));
    file.post_processor = [name = file.name(), prefix, trims = config.flag("trim_offsets", true),
                           cls = config.content("cls_token"),
                           sep = config.content("sep_token")](const auto& id_of) {
        Json result;
        result["type"] = "RobertaProcessing";
        result["trim_offsets"] = trims;
        result["add_prefix_space"] = prefix;
        result["cls"] = {cls, template_id(name, cls, id_of(cls))};
        result["sep"] = {sep, template_id(name, sep, id_of(sep))};
        return result;
    };
}

/// What the classes of SentencePiece models have in common.
inline void build_unigram(const FolderConfig& config, std::int64_t unknown, TokenizerFile& file) {
    const auto count = static_cast<std::int64_t>(file.pieces.size());
    if (unknown < 0 || unknown >= count) {
        throw TokenizerError({file.name(), "",
                              "an unknown piece, which this class of tokenizers has as number " +
                                  std::to_string(unknown),
                              std::to_string(count) + " pieces"});
    }
    replace_parts(file,
                  json_of(
                      R"({
          "version": "1.0",
          "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "WhitespaceSplit"},
            {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "$scheme", "split": true}]},
          "decoder": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "$scheme", "split": true},
          "model": {"type": "Unigram", "unk_id": "$unk_id", "byte_fallback": false, "vocab": []}
        })",
                      {{"$scheme", config.truth("add_prefix_space", true) ? "always" : "never"},
                       {"$unk_id", unknown}}));
}

/// XLMRobertaTokenizer and CamembertTokenizer: `bos text eos`, `bos text eos eos pair eos`.
/// `precompiled`: the normalizer of the model's own character map, or null.
inline void build_fairseq(const FolderConfig& config, std::int64_t unknown, Json precompiled,
                          TokenizerFile& file) {
    build_unigram(config, unknown, file);
    file.json.value["normalizer"] = std::move(precompiled);
    file.post_processor = [name = file.name(), bos = config.content("bos_token"),
                           eos = config.content("eos_token")](const auto& id_of) {
        return template_json(
            {{bos}, {"$A"}, {eos}}, {{bos}, {"$A"}, {eos}, {eos}, {"$B"}, {eos}},
            {{bos, template_id(name, bos, id_of(bos))}, {eos, template_id(name, eos, id_of(eos))}});
    };
}

/// AlbertTokenizer. Its template always spells the tokens [CLS] and [SEP], even if the config names
/// others; the ids are those of the config's tokens.
inline void build_albert(const FolderConfig& config, Json precompiled, TokenizerFile& file) {
    build_unigram(config, 1, file);
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
    if (config.truth("do_lower_case", true)) add("Lowercase");
    if (!precompiled.is_null()) steps.push_back(std::move(precompiled));
    file.json.value["normalizer"] = std::move(normalizer);
    const auto piece = [&](const char* role) {
        const std::string& token = config.content(role);
        const std::int64_t id = file.find_last(token);
        return template_id(file.name(), token, id < 0 ? std::nullopt : std::optional(id));
    };
    file.json.value["post_processor"] = template_json(
        {{"[CLS]"}, {"$A"}, {"[SEP]"}}, {{"[CLS]"}, {"$A"}, {"[SEP]"}, {"$B", 1}, {"[SEP]", 1}},
        {{"[CLS]", piece("cls_token")}, {"[SEP]", piece("sep_token")}});
}

/// The template of add_bos_token and add_eos_token, which a folder without tokenizer.json may have
/// (TokenizersBackend.update_post_processor).
inline void set_bos_eos_template(const FolderConfig& config, TokenizerFile& file) {
    const bool adds_bos = config.flag("add_bos_token", false) && config.has_role("bos_token"),
               adds_eos = config.flag("add_eos_token", false) && config.has_role("eos_token");
    const std::string bos = adds_bos ? config.content("bos_token") : "",
                      eos = adds_eos ? config.content("eos_token") : "";
    file.post_processor = [name = file.name(), adds_bos, adds_eos, bos, eos](const auto& id_of) {
        std::vector<TemplateStep> single;
        if (adds_bos) single.push_back({bos});
        single.push_back({"$A"});
        if (adds_eos) single.push_back({eos});
        std::vector<TemplateStep> pair = single;
        for (TemplateStep step : single) pair.push_back({step.name == "$A" ? "$B" : step.name, 1});
        std::vector<std::pair<std::string, std::int64_t>> special;
        if (adds_bos) special.emplace_back(bos, template_id(name, bos, id_of(bos)));
        if (adds_eos && eos != bos) special.emplace_back(eos, template_id(name, eos, id_of(eos)));
        return template_json(single, pair, special);
    };
}

}  // namespace nystromformer::inline v0_2::detail
