// SPDX-License-Identifier: MIT
// The BPE model: the characters of a word, merged two by two in the order that was learnt:
// https://github.com/huggingface/tokenizers/blob/3ba8ad00/tokenizers/src/models/bpe/model.rs
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/models/bpe_word.hpp>
#include <nystromformer/tokenizer/models/merge_table.hpp>
#include <nystromformer/tokenizer/models/vocabulary.hpp>
#include <nystromformer/tokenizer/tokenizer_file.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Pieces, their ids and their merges; immutable.
class Bpe {
public:
    /// What one call needs; reused from word to word.
    struct Workspace {
        BpeWord word;
        std::string spelling;  // a character with its prefix and suffix
    };

    static constexpr auto type_names = types("BPE");
    /// Takes /model out of `file`. Throws FormatError, TokenizerError, or UnsupportedError for a
    /// dropout.
    static Bpe load(TokenizerFile& file) {
        const auto json = file.root().at("model");
        Bpe model;
        refuse_dropout(json);
        model.vocabulary_ = Vocabulary(file);
        if (json.holds("unk_token")) {
            const std::string& name = json.at("unk_token").string();
            model.unknown_ = UnknownToken{name, model.vocabulary_.find(name)};
        }
        model.prefix_ = read_affix(json, "continuing_subword_prefix");
        model.suffix_ = read_affix(json, "end_of_word_suffix");
        model.fuse_unknown_ = json.holds("fuse_unk") && json.at("fuse_unk").boolean();
        model.ignore_merges_ = json.holds("ignore_merges") && json.at("ignore_merges").boolean();
        if (json.holds("byte_fallback") && json.at("byte_fallback").boolean())
            model.bytes_ = find_byte_pieces(model.vocabulary_);
        model.read_merges(file);
        return model;
    }

    const Vocabulary& vocabulary() const { return vocabulary_; }

    /// The tokens of `text` (valid UTF-8), in `tokens`. Throws TokenizerError for an unknown
    /// character if the unknown token is named but not in the vocabulary.
    void tokenize(std::string_view text, Workspace& workspace,
                  std::vector<ModelToken>& tokens) const {
        if (ignore_merges_) {
            if (const std::int32_t id = vocabulary_.find(text); id >= 0) {
                tokens.push_back({id, 0, static_cast<std::uint32_t>(text.size()), true});
                return;
            }
        }
        workspace.word.clear();
        spell(text, workspace);
        workspace.word.merge_all(merges_);
        // As Hugging Face counts: characters that became nothing do not move the tokens behind
        // them.
        std::uint32_t begin = 0;
        const auto last = static_cast<std::uint32_t>(text.size());
        workspace.word.for_each([&](std::int32_t id, std::uint32_t bytes) {
            tokens.push_back({id, std::min(begin, last - 1), std::min(begin + bytes, last), true});
            begin += bytes;
        });
    }

private:
    static void refuse_dropout(const JsonView<TokenizerError>& json) {
        if (!json.holds("dropout")) return;
        const auto dropout = json.at("dropout");
        if (dropout.number() != 0.0) {
            throw UnsupportedError({json.file(), dropout.path(),
                                    "null or 0, as encoding is not random", dropout.raw().dump()});
        }
    }

    /// What is put before or behind characters; short, as each of a text may get it.
    static std::string read_affix(const JsonView<TokenizerError>& json, const char* key) {
        constexpr std::size_t longest = 256;
        if (!json.holds(key)) return "";
        const auto affix = json.at(key);
        if (affix.string().size() > longest)
            affix.fail("at most " + std::to_string(longest) + " bytes");
        return affix.string();
    }

    void read_merges(TokenizerFile& file) {
        const MergeList& list = file.checked_merges();
        file.budget.take(list.size() * sizeof(MergeTable::Entry));
        std::vector<MergeTable::Entry> entries;
        entries.reserve(list.size());
        std::string joined;
        for (std::size_t i = 0; i < list.size(); ++i) {
            const std::string_view left = list.left(i), right = list.right(i);
            const auto fail = [&](std::string expected) {
                throw TokenizerError({file.name_of_merges(), file.merge_path(i),
                                      std::move(expected),
                                      in_quotes(left) + " and " + in_quotes(right)});
            };
            if (right.size() < prefix_.size())
                fail("a right piece with the prefix " + in_quotes(prefix_));
            joined.assign(left).append(right.substr(prefix_.size()));
            const std::int32_t left_id = vocabulary_.find(left), right_id = vocabulary_.find(right),
                               id = vocabulary_.find(joined);
            if (left_id < 0 || right_id < 0 || id < 0) {
                const std::string_view missing = left_id < 0 ? left : right_id < 0 ? right : joined;
                fail("pieces of the vocabulary, which has no " + in_quotes(missing));
            }
            entries.push_back({left_id, right_id, {static_cast<std::uint32_t>(i), id}});
        }
        merges_ = MergeTable(entries, file.budget);
    }

    /// The pieces of the characters of `text`, with their bytes, into the word.
    void spell(std::string_view text, Workspace& workspace) const {
        std::uint32_t unknown_bytes = 0;  // of unknown characters whose token is still to come
        const auto flush = [&] {
            if (unknown_bytes > 0) workspace.word.add((*unknown_)(), unknown_bytes);
            unknown_bytes = 0;
        };
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t size = utf8::length(text[begin]);
            std::string_view character = text.substr(begin, size);
            if ((begin > 0 && !prefix_.empty()) ||
                (begin + size == text.size() && !suffix_.empty())) {
                workspace.spelling.assign(begin > 0 ? prefix_ : "").append(character);
                if (begin + size == text.size()) workspace.spelling += suffix_;
                character = workspace.spelling;
            }
            begin += size;
            if (const std::int32_t id = vocabulary_.find(character); id >= 0) {
                flush();
                workspace.word.add(id, static_cast<std::uint32_t>(size));
            } else if (!bytes_.empty() && has_bytes(character)) {
                // Before the unknown token that is still to come, as Hugging Face has it.
                for (const char byte : character) workspace.word.add(byte_id(byte), 1);
            } else if (unknown_) {
                if (!fuse_unknown_) flush();
                (void)(*unknown_)();
                unknown_bytes += static_cast<std::uint32_t>(size);
            }
        }
        flush();
    }

    std::int32_t byte_id(char byte) const { return bytes_[static_cast<unsigned char>(byte)]; }
    bool has_bytes(std::string_view text) const {
        return std::all_of(text.begin(), text.end(), [&](char byte) { return byte_id(byte) >= 0; });
    }

    Vocabulary vocabulary_;
    MergeTable merges_;
    std::optional<UnknownToken> unknown_;
    std::string prefix_, suffix_;
    bool fuse_unknown_ = false;
    bool ignore_merges_ = false;
    std::vector<std::int32_t> bytes_;  // empty without byte fallback
};

}  // namespace nystromformer::inline v0_2::detail
