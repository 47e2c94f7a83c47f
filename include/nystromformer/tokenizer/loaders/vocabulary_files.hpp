// SPDX-License-Identifier: MIT
// BERT's vocab.txt and RoBERTa's vocab.json and merges.txt as a tokenizer.json, after BertTokenizer
// and RobertaTokenizer of transformers 5.23.
#pragma once

#include <nystromformer/core/error.hpp>
#include <nystromformer/core/file.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/tokenizer/loaders/json_parts.hpp>
#include <nystromformer/tokenizer/loaders/legacy_config.hpp>
#include <nystromformer/tokenizer/merge_table.hpp>
#include <nystromformer/tokenizer/unicode.hpp>
#include <nystromformer/tokenizer/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace nystromformer::detail {

/// Calls `visit(line, number)` for the lines of a UTF-8 file, numbers from 0. Throws IoError or
/// FormatError.
template <typename Visit>
void for_each_line(const std::filesystem::path& path, const FileOptions& files, Visit&& visit) {
    constexpr std::uint64_t most_bytes = 64U << 20;
    const std::string text = read_file(path, most_bytes, files);
    if (!utf8::is_valid(text)) throw FormatError({path.string(), "", "UTF-8", "other bytes"});
    std::size_t number = 0;
    for (std::size_t at = 0; at < text.size(); ++number) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string_view line = std::string_view(text).substr(at, end - at);
        if (end < text.size() && line.ends_with('\r')) line.remove_suffix(1);
        visit(line, number);
        at = end + 1;
    }
}

/// A function that finds pieces in `vocab`, an object {piece: id}.
inline auto find_in(const Json& vocab) {
    return [&vocab](const std::string& piece) -> std::int64_t {
        const auto found = vocab.find(piece);
        return found == vocab.end() || !found->is_number_integer() ? -1
                                                                   : found->get<std::int64_t>();
    };
}

/// BertTokenizer: one piece a line; of a piece that is there twice the last line counts.
inline Json bert_json(const std::filesystem::path& vocab_txt, LegacyConfig& config,
                      const FileOptions& files) {
    config.set_defaults({{"unk_token", "[UNK]"},
                         {"sep_token", "[SEP]"},
                         {"pad_token", "[PAD]"},
                         {"cls_token", "[CLS]"},
                         {"mask_token", "[MASK]"}});
    Json vocab = Json::object();
    for_each_line(vocab_txt, files, [&](std::string_view line, std::size_t number) {
        while (!line.empty()) {
            const auto last = utf8::decode_before(line, line.size());
            if (!unicode::is_white(last.point)) break;
            line.remove_suffix(last.size);
        }
        vocab[std::string(line)] = number;
    });
    const Json added = config.added_tokens(find_in(vocab), vocab.size());
    const bool strips = config.options().holds("strip_accents");
    const std::string& cls = config.content("cls_token");
    const std::string& sep = config.content("sep_token");
    return {{"version", "1.0"},
            {"added_tokens", added},
            {"normalizer",
             {{"type", "BertNormalizer"},
              {"clean_text", true},
              {"handle_chinese_chars", config.flag("tokenize_chinese_chars", true)},
              {"strip_accents", strips ? Json(config.flag("strip_accents", false)) : Json(nullptr)},
              {"lowercase", config.flag("do_lower_case", true)}}},
            {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
            {"post_processor",
             template_json({{cls}, {"$A"}, {sep}}, {{cls}, {"$A"}, {sep}, {"$B", 1}, {sep, 1}},
                           {{cls, added_id(added, cls)}, {sep, added_id(added, sep)}})},
            {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}},
            {"model",
             {{"type", "WordPiece"},
              {"unk_token", config.content("unk_token")},
              {"continuing_subword_prefix", "##"},
              {"max_input_chars_per_word", 100},
              {"vocab", std::move(vocab)}}}};
}

/// RobertaTokenizer: byte-level BPE, `cls text sep`, `cls text sep sep pair sep`.
inline Json roberta_json(const std::filesystem::path& vocab_json,
                         const std::filesystem::path& merges_txt, LegacyConfig& config,
                         const FileOptions& files) {
    config.set_defaults({{"bos_token", "<s>"},
                         {"eos_token", "</s>"},
                         {"unk_token", "<unk>"},
                         {"sep_token", "</s>"},
                         {"pad_token", "<pad>"},
                         {"cls_token", "<s>"},
                         {"mask_token", "<mask>"}});
    constexpr std::uint64_t most_bytes = 64U << 20;
    JsonTree tree = read_json_file(vocab_json, most_bytes, files, vocabulary_memory);
    Json& vocab = tree.value;
    JsonView<TokenizerError>(vocab, vocab_json.string()).object();
    Json merges = Json::array();
    for_each_line(merges_txt, files, [&](std::string_view line, std::size_t number) {
        if (line.starts_with("#version")) return;
        const auto merge = split_merge(line);
        if (!merge) {
            throw TokenizerError({merges_txt.string(), "line " + std::to_string(number + 1),
                                  "two pieces and one space", in_quotes(line)});
        }
        merges.push_back(Json::array({std::string(merge->first), std::string(merge->second)}));
    });
    const Json added = config.added_tokens(find_in(vocab), vocab.size());
    const bool prefix = config.flag("add_prefix_space", false);
    const bool trims = config.flag("trim_offsets", true);
    const auto special = [&](const char* role) -> Json {
        return {config.content(role), added_id(added, config.content(role))};
    };
    const auto byte_level = [](bool add_prefix_space) -> Json {
        return {{"type", "ByteLevel"},
                {"add_prefix_space", add_prefix_space},
                {"trim_offsets", true},
                {"use_regex", true}};
    };
    return {
        {"version", "1.0"},
        {"added_tokens", added},
        {"pre_tokenizer", byte_level(prefix)},
        {"post_processor",
         {{"type", "RobertaProcessing"},
          {"sep", special("sep_token")},
          {"cls", special("cls_token")},
          {"trim_offsets", trims},
          {"add_prefix_space", prefix}}},
        {"decoder", byte_level(true)},
        {"model", {{"type", "BPE"}, {"vocab", std::move(vocab)}, {"merges", std::move(merges)}}}};
}

}  // namespace nystromformer::detail
