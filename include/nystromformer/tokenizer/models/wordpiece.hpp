// SPDX-License-Identifier: MIT
// The WordPiece model: the longest piece that a word starts with, and so on to its end:
// https://github.com/huggingface/tokenizers/blob/3ba8ad00/tokenizers/src/models/wordpiece/mod.rs
#pragma once

#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/models/vocabulary.hpp>
#include <nystromformer/tokenizer/tokenizer_file.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Pieces and their ids; immutable.
class WordPiece {
public:
    struct Workspace {};

    static constexpr auto type_names = types("WordPiece");
    /// Takes /model out of `file`. Throws FormatError or TokenizerError.
    static WordPiece load(TokenizerFile& file) {
        const auto json = file.root().at("model");
        WordPiece model;
        model.vocabulary_ = Vocabulary(file);
        const std::string& unknown = json.at("unk_token").string();
        model.unknown_ = {unknown, model.vocabulary_.find(unknown)};
        model.max_characters_ =
            static_cast<std::size_t>(json.at("max_input_chars_per_word")
                                         .integer(0, std::numeric_limits<std::int64_t>::max()));
        for (const char byte : json.at("continuing_subword_prefix").string()) {
            if (model.continuing_ == Trie::none) break;
            model.continuing_ = model.vocabulary_.trie().child(model.continuing_, byte);
        }
        return model;
    }

    const Vocabulary& vocabulary() const { return vocabulary_; }

    /// The tokens of `text` (valid UTF-8), in `tokens`: one unknown token if no pieces make it up,
    /// or if it is too long. Throws TokenizerError if there is no unknown token.
    void tokenize(std::string_view text, Workspace&, std::vector<ModelToken>& tokens) const {
        if (text.size() <= max_characters_ || utf8::count(text) <= max_characters_) {
            std::size_t begin = 0;
            while (begin < text.size()) {
                const ModelToken token = longest(text, begin);
                if (token.id < 0) break;
                tokens.push_back(token);
                begin = token.end;
            }
            if (begin == text.size()) return;
        }
        tokens.clear();
        tokens.push_back({unknown_(), 0, static_cast<std::uint32_t>(text.size()), true});
    }

private:
    /// The longest piece at `begin`, with id -1 if there is none.
    ModelToken longest(std::string_view text, std::size_t begin) const {
        const Trie& trie = vocabulary_.trie();
        ModelToken best{-1, static_cast<std::uint32_t>(begin), 0, true};
        std::uint32_t node = begin == 0 ? Trie::root : continuing_;
        for (std::size_t at = begin; at < text.size() && node != Trie::none;) {
            node = trie.child(node, text[at++]);
            if (node == Trie::none) break;
            if (trie.value(node) < 0) continue;
            best.id = trie.value(node);
            best.end = static_cast<std::uint32_t>(at);
        }
        return best;
    }

    Vocabulary vocabulary_;
    UnknownToken unknown_;
    std::size_t max_characters_ = 100;
    std::uint32_t continuing_ =
        Trie::root;  // where pieces inside a word start; none if there are none
};

}  // namespace nystromformer::inline v0_2::detail
