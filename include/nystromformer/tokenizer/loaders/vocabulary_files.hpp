// SPDX-License-Identifier: MIT
// BERT's vocab.txt and RoBERTa's vocab.json and merges.txt as a tokenizer.json, after BertTokenizer
// and RobertaTokenizer of transformers 5.24.
#pragma once

#include <nystromformer/core/file.hpp>
#include <nystromformer/core/notice.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/loaders/class_parts.hpp>
#include <nystromformer/tokenizer/loaders/folder_config.hpp>
#include <nystromformer/tokenizer/models/merge_table.hpp>
#include <nystromformer/tokenizer/tokenizer_file.hpp>
#include <nystromformer/tokenizer/unicode/unicode.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// The text of a UTF-8 file. Throws IoError or FormatError.
inline std::string read_text(const std::filesystem::path& path, const FileOptions& files) {
    constexpr std::uint64_t max_bytes = 64U << 20;
    std::string text = read_file(path, max_bytes, files);
    if (!utf8::is_valid(text)) throw FormatError({path_to_utf8(path), "", "UTF-8", "other bytes"});
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

/// The pieces of BERT's vocab.txt, one a line: of a repeated one the last line counts.
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
    std::optional<Line> repeated;  // the first of the file
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i + 1 == lines.size() || lines[i].first != lines[i + 1].first) {
            file.add_piece(lines[i].first, static_cast<double>(lines[i].second));
        } else if (!repeated || lines[i].second < repeated->second) {
            repeated = lines[i];
        }
    }
    if (repeated)
        give_notice(
            file.files, file.name(), "line " + std::to_string(repeated->second + 1),
            in_quotes(repeated->first) +
                " stands again below; the last of equal lines gives the id, as in Hugging Face");
    file.has_ids = file.is_lines = true;
    file.budget.give(text.size() + count * sizeof(Line));
}

/// BertTokenizer.
inline TokenizerFile bert_file(const std::filesystem::path& vocab_txt, FolderConfig& config,
                               const FileOptions& files) {
    set_class_defaults(ClassKind::bert, config);
    const std::string text = read_text(vocab_txt, files);
    TokenizerFile file(path_to_utf8(vocab_txt), text.size());
    file.files = files;
    add_lines(text, file);
    build_bert(config, file);
    return file;
}

/// Adds the merges of a merges.txt, one a line. Throws TokenizerError.
inline void add_merges(std::string_view text, const std::string& name, TokenizerFile& file) {
    std::vector<std::size_t> lines;
    file.budget.take(2 * sizeof(std::size_t) *
                     (1 + static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'))));
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        if (line.starts_with("#version")) return;
        const auto merge = split_merge(line);
        if (!merge)
            throw TokenizerError({name, "line " + std::to_string(number + 1),
                                  "two pieces and one space", in_quotes(line)});
        file.merges.add(merge->first, merge->second, file.budget);
        lines.push_back(number);
    });
    file.merges_name = name;
    file.merge_place = [lines = std::move(lines)](std::size_t i) {
        return "line " + std::to_string(lines[i] + 1);
    };
}

/// RobertaTokenizer.
inline TokenizerFile roberta_file(const std::filesystem::path& vocab_json,
                                  const std::filesystem::path& merges_txt, FolderConfig& config,
                                  const FileOptions& files) {
    set_class_defaults(ClassKind::roberta, config);
    constexpr std::uint64_t max_bytes = 64U << 20;
    const std::string vocabulary = read_file(vocab_json, max_bytes, files);
    const std::string merges = read_text(merges_txt, files);
    TokenizerFile file(path_to_utf8(vocab_json), vocabulary.size() + merges.size());
    file.files = files;
    file.budget.take(merges.size());
    file.read_vocabulary(vocabulary);
    add_merges(merges, path_to_utf8(merges_txt), file);
    file.budget.give(merges.size());
    build_roberta(config, file);
    return file;
}

}  // namespace nystromformer::inline v0_2::detail
