// SPDX-License-Identifier: MIT
// BERT's vocab.txt and RoBERTa's vocab.json and merges.txt as a tokenizer.json, after BertTokenizer
// and RobertaTokenizer of transformers 5.23.
#pragma once

#include <nystromformer/core/file.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/loaders/json_parts.hpp>
#include <nystromformer/tokenizer/loaders/legacy_config.hpp>
#include <nystromformer/tokenizer/models/merge_table.hpp>
#include <nystromformer/tokenizer/tokenizer_file.hpp>
#include <nystromformer/tokenizer/unicode/unicode.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::detail {

/// The text of a UTF-8 file. Throws IoError or FormatError.
inline std::string read_text(const std::filesystem::path& path, const FileOptions& files) {
    constexpr std::uint64_t most_bytes = 64U << 20;
    std::string text = read_file(path, most_bytes, files);
    if (!utf8::is_valid(text)) throw FormatError({path.string(), "", "UTF-8", "other bytes"});
    return text;
}

/// Calls `visit(line, number)` for the lines of a text, numbers from 0.
template <typename Visit>
void for_each_line(std::string_view text, Visit&& visit) {
    std::uint32_t number = 0;
    for (std::size_t at = 0; at < text.size(); ++number) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::string_view line = text.substr(at, end - at);
        if (end < text.size() && line.ends_with('\r')) line.remove_suffix(1);
        visit(line, number);
        at = end + 1;
    }
}

/// The pieces of BERT's vocab.txt, one a line: of one that is there twice the last line counts.
inline void add_lines(std::string_view text, TokenizerFile& file) {
    using Line = std::pair<std::string_view, std::uint32_t>;
    const auto count = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    file.budget.take(text.size() + count * sizeof(Line));
    std::vector<Line> lines;
    lines.reserve(count);
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        while (!line.empty()) {
            const auto last = utf8::decode_before(line, line.size());
            if (!unicode::is_white(last.point)) break;
            line.remove_suffix(last.size);
        }
        lines.emplace_back(line, number);
    });
    std::sort(lines.begin(), lines.end());
    for (std::size_t i = 0; i < lines.size(); ++i)
        if (i + 1 == lines.size() || lines[i].first != lines[i + 1].first)
            file.add_piece(lines[i].first, static_cast<double>(lines[i].second));
    file.has_ids = true;
    file.budget.give(text.size() + count * sizeof(Line));
}

/// BertTokenizer.
inline TokenizerFile bert_file(const std::filesystem::path& vocab_txt, LegacyConfig& config,
                               const FileOptions& files) {
    config.set_defaults({{"unk_token", "[UNK]"},
                         {"sep_token", "[SEP]"},
                         {"pad_token", "[PAD]"},
                         {"cls_token", "[CLS]"},
                         {"mask_token", "[MASK]"}});
    const std::string text = read_text(vocab_txt, files);
    TokenizerFile file(vocab_txt.string(), text.size());
    add_lines(text, file);
    const Json added = config.added_tokens(file);
    const bool strips = config.options().holds("strip_accents");
    const std::string& cls = config.content("cls_token");
    const std::string& sep = config.content("sep_token");
    file.json = json_of(
        R"({
          "version": "1.0",
          "added_tokens": "$added_tokens",
          "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": "$chinese",
                         "strip_accents": "$strip_accents", "lowercase": "$lowercase"},
          "pre_tokenizer": {"type": "BertPreTokenizer"},
          "post_processor": "$template",
          "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
          "model": {"type": "WordPiece", "unk_token": "$unk", "continuing_subword_prefix": "##",
                    "max_input_chars_per_word": 100, "vocab": {}}
        })",
        {{"$added_tokens", added},
         {"$chinese", config.flag("tokenize_chinese_chars", true)},
         {"$strip_accents", strips ? Json(config.flag("strip_accents", false)) : Json()},
         {"$lowercase", config.flag("do_lower_case", true)},
         {"$template",
          template_json({{cls}, {"$A"}, {sep}}, {{cls}, {"$A"}, {sep}, {"$B", 1}, {sep, 1}},
                        {{cls, added_id(added, cls)}, {sep, added_id(added, sep)}})},
         {"$unk", config.content("unk_token")}});
    return file;
}

/// RobertaTokenizer: byte-level BPE, `cls text sep`, `cls text sep sep pair sep`.
inline TokenizerFile roberta_file(const std::filesystem::path& vocab_json,
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
    const std::string vocabulary = read_file(vocab_json, most_bytes, files);
    const std::string merges = read_text(merges_txt, files);
    TokenizerFile file(vocab_json.string(), vocabulary.size() + merges.size());
    file.budget.take(merges.size());
    file.read_vocabulary(vocabulary);
    for_each_line(merges, [&](std::string_view line, std::uint32_t number) {
        if (line.starts_with("#version")) return;
        const auto merge = split_merge(line);
        if (!merge) {
            throw TokenizerError({merges_txt.string(), "line " + std::to_string(number + 1),
                                  "two pieces and one space", in_quotes(line)});
        }
        file.merges.add(merge->first, merge->second, file.budget);
    });
    file.budget.give(merges.size());
    const Json added = config.added_tokens(file);
    const auto special = [&](const char* role) {
        Json token = Json::array();
        token.push_back(config.content(role));
        token.push_back(added_id(added, config.content(role)));
        return token;
    };
    file.json = json_of(
        R"({
          "version": "1.0",
          "added_tokens": "$added_tokens",
          "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": "$prefix", "trim_offsets": true,
                            "use_regex": true},
          "post_processor": {"type": "RobertaProcessing", "sep": "$sep", "cls": "$cls",
                             "trim_offsets": "$trims", "add_prefix_space": "$prefix"},
          "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
          "model": {"type": "BPE", "vocab": {}, "merges": []}
        })",
        {{"$added_tokens", added},
         {"$prefix", config.flag("add_prefix_space", false)},
         {"$trims", config.flag("trim_offsets", true)},
         {"$sep", special("sep_token")},
         {"$cls", special("cls_token")}});
    return file;
}

}  // namespace nystromformer::detail
