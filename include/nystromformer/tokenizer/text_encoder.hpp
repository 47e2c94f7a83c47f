// SPDX-License-Identifier: MIT
// One text to its tokens: split at added tokens, normalise, split again, pre-tokenise, model,
// offsets.
#pragma once

#include <nystromformer/core/error.hpp>
#include <nystromformer/tokenizer/added_tokens.hpp>
#include <nystromformer/tokenizer/encoding.hpp>
#include <nystromformer/tokenizer/normalizers.hpp>
#include <nystromformer/tokenizer/pre_tokenizers.hpp>
#include <nystromformer/tokenizer/unigram.hpp>
#include <nystromformer/tokenizer/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::detail {

/// Buffers of one call, reused for the texts of a batch.
struct EncodeWorkspace {
    std::vector<Piece> raw_pieces;
    std::vector<Piece> found;
    NormalizedText part;
    PieceText pieces;
    Unigram::Workspace model;
};

/// Code points before a byte of valid text, for bytes asked in nearly rising order.
class CodePointCounter {
public:
    explicit CodePointCounter(std::string_view text)
        : text_(text), is_ascii_(ascii_run(text) == text.size()) {}

    Index operator()(std::size_t byte) {
        if (is_ascii_) return static_cast<Index>(byte);
        for (; byte_ < byte; ++byte_) points_ += !utf8::is_continuation(text_[byte_]);
        for (; byte_ > byte; --byte_) points_ -= !utf8::is_continuation(text_[byte_ - 1]);
        return points_;
    }

private:
    std::string_view text_;
    bool is_ascii_;
    std::size_t byte_ = 0;
    Index points_ = 0;
};

/// The parts of a tokenizer that see the text.
struct TextEncoder {
    const AddedTokens& added_tokens;
    const std::vector<Normalizer>& normalizers;
    const std::vector<PreTokenizer>& pre_tokenizers;
    const Unigram& model;

    /// Text number `sequence` of an input, without special tokens. Throws InputError.
    Encoding operator()(std::string_view text, std::int64_t sequence,
                        EncodeWorkspace& workspace) const {
        constexpr std::size_t most_bytes = 0xFFFFFFFE;
        if (text.size() > most_bytes / 3) check_size(text.size(), most_bytes);
        if (utf8::is_valid(text)) return encode_valid(text, sequence, workspace);
        const utf8::Repaired repaired = utf8::repair(text);
        check_size(repaired.text.size(), most_bytes);
        Encoding result = encode_valid(repaired.text, sequence, workspace);
        for (auto& [begin, end] : result.byte_offsets) {
            begin = static_cast<Index>(repaired.original[static_cast<std::size_t>(begin)]);
            end = static_cast<Index>(repaired.original[static_cast<std::size_t>(end)]);
        }
        return result;
    }

private:
    static void check_size(std::size_t size, std::size_t most) {
        if (size <= most) return;
        throw InputError(
            {"", "text", "at most " + std::to_string(most) + " bytes", std::to_string(size)});
    }

    Encoding encode_valid(std::string_view text, std::int64_t sequence,
                          EncodeWorkspace& workspace) const {
        normalize(text, workspace);
        apply(pre_tokenizers, workspace.pieces);
        const PieceText& pieces = workspace.pieces;
        const std::vector<Span>& spans = pieces.normalized.spans;
        CodePointCounter count(text);
        Encoding result;
        reserve(result, text.size() / 4 + 8);
        for (std::size_t word = 0; word < pieces.pieces.size(); ++word) {
            const Piece& piece = pieces.pieces[word];
            const std::string_view piece_text = pieces.text(piece);
            const auto add = [&](std::int32_t id, std::string_view token, std::size_t begin,
                                 std::size_t end) {
                const Span range{spans[piece.begin + begin].begin,
                                 spans[piece.begin + end - 1].end};
                result.ids.push_back(id);
                result.tokens.emplace_back(token);
                result.byte_offsets.emplace_back(range.begin, range.end);
                const Index first = count(range.begin);
                result.offsets.emplace_back(first, count(range.end));
                result.word_ids.push_back(static_cast<Index>(word));
            };
            if (piece.added_token != Piece::no_token) {
                const auto number = static_cast<std::size_t>(piece.added_token);
                add(added_tokens.tokens()[number].id, piece_text, 0, piece_text.size());
                continue;
            }
            model.tokenize(piece_text, workspace.model);
            for (const ModelToken& token : workspace.model.tokens) {
                // Bytes of a fallback are tokens with a name of their own.
                add(token.id,
                    token.is_byte ? model.piece(static_cast<std::size_t>(token.id))
                                  : piece_text.substr(token.begin, token.end - token.begin),
                    token.begin, token.end);
            }
        }
        result.type_ids.assign(result.ids.size(), sequence);
        result.sequence_ids.assign(result.ids.size(), sequence);
        result.attention_mask.assign(result.ids.size(), 1);
        result.special_tokens_mask.assign(result.ids.size(), 0);
        return result;
    }

    static void reserve(Encoding& encoding, std::size_t size) {
        encoding.ids.reserve(size);
        encoding.tokens.reserve(size);
        encoding.byte_offsets.reserve(size);
        encoding.offsets.reserve(size);
        encoding.word_ids.reserve(size);
    }

    /// Fills workspace.pieces with normalised text, cut at the added tokens.
    void normalize(std::string_view text, EncodeWorkspace& workspace) const {
        PieceText& out = workspace.pieces;
        out.clear();
        workspace.raw_pieces.clear();
        added_tokens.split_raw(text, workspace.raw_pieces);
        for (const Piece& raw : workspace.raw_pieces) {
            const std::size_t start = out.normalized.text.size();
            if (raw.added_token != Piece::no_token) {
                out.normalized.append_original(text, raw.begin, raw.end);
                out.pieces.push_back({start, out.normalized.text.size(), raw.added_token});
                continue;
            }
            NormalizedText& part = workspace.part;
            part.clear();
            part.append_original(text, raw.begin, raw.end);
            apply(normalizers, part);
            workspace.found.clear();
            added_tokens.split_normalized(part.text, workspace.found);
            for (const Piece& piece : workspace.found)
                out.pieces.push_back({start + piece.begin, start + piece.end, piece.added_token});
            out.normalized.append(part, 0, part.text.size());
        }
    }
};

}  // namespace nystromformer::detail
