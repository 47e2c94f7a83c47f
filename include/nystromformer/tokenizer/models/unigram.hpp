// SPDX-License-Identifier: MIT
// The Unigram model: the best segmentation of a piece of text by the sum of log-probabilities:
// https://github.com/huggingface/tokenizers/blob/3ba8ad00/tokenizers/src/models/unigram/model.rs
#pragma once

#include <nystromformer/core/notice.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/models/model_lists.hpp>
#include <nystromformer/tokenizer/models/trie.hpp>
#include <nystromformer/tokenizer/models/vocabulary.hpp>
#include <nystromformer/tokenizer/piece_texts.hpp>
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

/// Scores and pieces of the model; immutable.
class Unigram {
public:
    /// What one call needs; reused from piece to piece.
    struct Workspace {
        struct Node {
            double score;
            std::uint32_t begin;
            std::int32_t id;
        };
        std::vector<Node> best;  // the best path that ends at each byte
    };

    static constexpr auto type_names = types("Unigram");
    /// Takes /model out of `file`. Throws FormatError or TokenizerError.
    static Unigram load(TokenizerFile& file) {
        Unigram model;
        PieceList& list = file.pieces_of_array();
        check(file, list);
        const auto json = file.root().at("model");
        if (json.holds("unk_id")) {
            model.unknown_ = static_cast<std::int32_t>(
                json.at("unk_id").integer(0, static_cast<std::int64_t>(list.size()) - 1));
        }
        note_repeated(file, list);
        const std::vector<std::uint32_t> last = list.last_of_each(file.budget);
        const auto key_at = [&](std::size_t i) {
            return std::pair(list.text(last[i]), static_cast<std::int32_t>(last[i]));
        };
        model.trie_ = Trie(last.size(), key_at, file.budget);
        file.budget.give(last.size() * sizeof(std::uint32_t));
        model.scores_ = std::move(list).take_values();
        model.pieces_ = std::move(list).take_texts();
        constexpr double unknown_penalty = 10.0;
        model.unknown_score_ =
            *std::min_element(model.scores_.begin(), model.scores_.end()) - unknown_penalty;
        if (json.has("byte_fallback") && json.at("byte_fallback").boolean())
            model.bytes_ = find_byte_pieces(model);
        return model;
    }

    const Unigram& vocabulary() const { return *this; }
    std::size_t size() const { return pieces_.size(); }
    std::int64_t id_end() const { return static_cast<std::int64_t>(pieces_.size()); }
    std::optional<std::string_view> piece(std::int64_t id) const {
        return id >= 0 && id < id_end() ? std::optional(pieces_[static_cast<std::size_t>(id)])
                                        : std::nullopt;
    }
    std::int32_t find(std::string_view piece) const { return trie_.find(piece); }

    /// The tokens of `text` (valid UTF-8), in `tokens`. Of equally good segmentations the one found
    /// first wins; neighbouring unknown characters are one token. Throws TokenizerError for an
    /// unknown character if no piece stands for those.
    void tokenize(std::string_view text, Workspace& workspace,
                  std::vector<ModelToken>& tokens) const {
        if (text.empty()) return;
        find_best(text, workspace.best);
        for (auto end = static_cast<std::uint32_t>(text.size()); end > 0;) {
            const Workspace::Node& node = workspace.best[end];
            if (node.id == unknown_ && !tokens.empty() && tokens.back().id == unknown_) {
                tokens.back().begin = node.begin;
            } else {
                tokens.push_back({node.id, node.begin, end});
            }
            end = node.begin;
        }
        std::reverse(tokens.begin(), tokens.end());
        if (std::any_of(tokens.begin(), tokens.end(),
                        [&](const ModelToken& token) { return token.id == unknown_; }))
            name_unknowns(text, tokens);
    }

private:
    static constexpr std::uint32_t unset = 0xFFFFFFFF;

    /// Of equal pieces the last is found, with its id and score, as in Hugging Face.
    static void note_repeated(const TokenizerFile& file, PieceList& list) {
        if (const auto twice = list.repeated())
            give_notice(file.files, file.name(), file.piece_path(*twice),
                        "the piece " + in_quotes(list.text(*twice)) +
                            " was there before; of equal ones the last counts");
    }

    /// At least one piece, none too long. No text has the empty piece, but that one keeps its id.
    static void check(const TokenizerFile& file, PieceList& list) {
        if (list.size() == 0) file.root().at("model").at("vocab").fail("at least one piece");
        const auto fail = [&](std::size_t i, std::string expected) {
            throw TokenizerError({file.name(), file.piece_path(i, "/0"), std::move(expected),
                                  in_quotes(list.text(i))});
        };
        for (std::size_t i = 0; i < list.size(); ++i)
            if (list.text(i).size() > longest_piece)
                fail(i, "at most " + std::to_string(longest_piece) + " bytes");
    }

    void find_best(std::string_view text, std::vector<Workspace::Node>& best) const {
        best.assign(text.size() + 1, {0.0, unset, 0});
        for (std::size_t begin = 0; begin < text.size();) {
            const double score_here = best[begin].score;
            const std::size_t character = utf8::length(text[begin]);
            bool has_single = false;
            const auto offer = [&](std::size_t end, double score, std::int32_t id) {
                Workspace::Node& node = best[end];
                if (node.begin == unset || score + score_here > node.score)
                    node = {score + score_here, static_cast<std::uint32_t>(begin), id};
            };
            std::uint32_t node = Trie::root;
            for (std::size_t at = begin; at < text.size(); ++at) {
                node = trie_.child(node, text[at]);
                if (node == Trie::none) break;
                const std::int32_t id = trie_.value(node);
                if (id < 0) continue;
                offer(at + 1, scores_[static_cast<std::size_t>(id)], id);
                has_single |= at + 1 - begin == character;
            }
            if (!has_single) {
                offer(begin + character, unknown_score_, unknown_);
                if (unknown_ < 0 && best[begin + character].id < 0) refuse_unknown(text, begin);
            }
            begin += character;
        }
    }

    [[noreturn]] static void refuse_unknown(std::string_view text, std::size_t begin) {
        throw InputError({"", "/model/unk_id", "the id of a piece, as a character is unknown",
                          in_quotes(text.substr(begin, utf8::length(text[begin])))});
    }

    /// A fused run of unknowns may spell a piece after all, or fall back to bytes.
    void name_unknowns(std::string_view text, std::vector<ModelToken>& tokens) const {
        std::vector<ModelToken> named;
        for (const ModelToken& token : tokens) {
            const auto run = text.substr(token.begin, token.end - token.begin);
            const std::int32_t id = token.id == unknown_ ? trie_.find(run) : token.id;
            if (id >= 0) {
                named.push_back({id, token.begin, token.end});
            } else if (std::all_of(run.begin(), run.end(),
                                   [&](char byte) { return byte_id(byte) >= 0; })) {
                for (const char byte : run)
                    named.push_back({byte_id(byte), token.begin, token.end, true});
            } else {
                named.push_back(token);
            }
        }
        tokens.swap(named);
    }

    std::int32_t byte_id(char byte) const {
        return bytes_.empty() ? -1 : bytes_[static_cast<unsigned char>(byte)];
    }

    PieceTexts pieces_;
    std::vector<double> scores_;
    Trie trie_;
    std::int32_t unknown_ = -1;  // or none
    double unknown_score_ = 0;
    std::vector<std::int32_t> bytes_;  // empty without byte fallback
};

}  // namespace nystromformer::inline v0_2::detail
