// SPDX-License-Identifier: MIT
// One text to its tokens: split at added tokens, normalise, split again, pre-tokenise, model,
// offsets.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/added_tokens.hpp>
#include <nystromformer/tokenizer/encoding.hpp>
#include <nystromformer/tokenizer/models/model.hpp>
#include <nystromformer/tokenizer/normalizers/normalizers.hpp>
#include <nystromformer/tokenizer/pre_tokenizers/pre_tokenizers.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Buffers of one call, reused for the texts of a batch.
struct EncodeWorkspace {
    std::vector<Piece> raw_pieces;
    PieceText part;
    Model::Workspace model;
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
    const Model& model;
    bool works_in_parts;  // long texts may be cut if is_local says so

    /// True if no step after the normalisers sees across such a cut either.
    static bool can_work_in_parts(const AddedTokens& added_tokens,
                                  const std::vector<Normalizer>& normalizers,
                                  const std::vector<PreTokenizer>& pre_tokenizers) {
        return is_local(normalizers) && !added_tokens.has_normalized() && !pre_tokenizers.empty() &&
               is_local(pre_tokenizers.front());
    }

    /// Text number `sequence` of an input, without special tokens. Throws InputError.
    Encoding operator()(std::string_view text, std::int64_t sequence,
                        EncodeWorkspace& workspace) const {
        constexpr std::size_t max_bytes = 0xFFFFFFFE;
        if (text.size() > max_bytes / 3) check_size(text.size(), max_bytes);
        if (utf8::is_valid(text)) return encode_valid(text, sequence, workspace);
        const utf8::Repaired repaired = utf8::repair(text);
        check_size(repaired.text.size(), max_bytes);
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
        Encoding result;
        reserve(result, text.size() / 4 + 8);
        CodePointCounter count(text);
        Index word = 0;
        workspace.raw_pieces.clear();
        added_tokens.split_raw(text, workspace.raw_pieces);
        for (const Piece& raw : workspace.raw_pieces) {
            if (raw.added_token != Piece::no_token) {
                const auto number = static_cast<std::size_t>(raw.added_token);
                const Span span{static_cast<std::uint32_t>(raw.begin),
                                static_cast<std::uint32_t>(raw.end)};
                add(result, added_tokens.tokens()[number].id,
                    text.substr(raw.begin, raw.end - raw.begin), span, word++, count);
                continue;
            }
            for (std::size_t begin = raw.begin, end = 0; begin < raw.end; begin = end) {
                end = part_end(text, begin, raw.end);
                cut(text, begin, end, workspace.part);
                if (workspace.part.normalized.lags) cut(text, begin, end = raw.end, workspace.part);
                add_tokens(workspace, word, count, result);
            }
        }
        result.type_ids.assign(result.ids.size(), sequence);
        result.sequence_ids.assign(result.ids.size(), sequence);
        result.attention_mask.assign(result.ids.size(), 1);
        result.special_tokens_mask.assign(result.ids.size(), 0);
        return result;
    }

    /// Where the part of `text` from `begin` ends that may be worked on alone, so that long texts
    /// stay in the cache.
    std::size_t part_end(std::string_view text, std::size_t begin, std::size_t end) const {
        constexpr std::size_t usual_size = 4096;
        if (!works_in_parts || end - begin < 2 * usual_size) return end;
        const auto is_plain = [&](std::size_t at) {
            const char byte = text[at];
            return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                   (byte >= '0' && byte <= '9');
        };
        for (std::size_t at = begin + usual_size; at + 1 < end; ++at)
            if (text[at] == ' ' && is_plain(at - 1) && is_plain(at + 1)) return at;
        return end;
    }

    /// Bytes [begin, end) of `text`, normalised and cut at added tokens and by the pre-tokenisers.
    void cut(std::string_view text, std::size_t begin, std::size_t end, PieceText& part) const {
        part.clear();
        part.normalized.append_original(text, begin, end);
        apply(normalizers, part.normalized);
        added_tokens.split_normalized(part.normalized.text, part.pieces);
        apply(pre_tokenizers, part);
    }

    /// The tokens of workspace.part; `word` counts the pieces.
    void add_tokens(EncodeWorkspace& workspace, Index& word, CodePointCounter& count,
                    Encoding& result) const {
        const PieceText& part = workspace.part;
        const Span* spans = part.normalized.spans.data();
        for (const Piece& piece : part.pieces) {
            const std::string_view text = part.text(piece);
            const Span* piece_spans = spans + piece.begin;
            if (piece.added_token != Piece::no_token) {
                const auto number = static_cast<std::size_t>(piece.added_token);
                add(result, added_tokens.tokens()[number].id, text,
                    {piece_spans[0].begin, piece_spans[text.size() - 1].end}, word, count);
            } else {
                model.tokenize(text, workspace.model);
                for (const ModelToken& token : workspace.model.tokens) {
                    add(result, token.id,
                        token.has_own_name ? *model.piece(token.id)
                                           : text.substr(token.begin, token.end - token.begin),
                        {piece_spans[token.begin].begin, piece_spans[token.end - 1].end}, word,
                        count);
                }
            }
            ++word;
        }
    }

    static void add(Encoding& result, std::int64_t id, std::string_view token, Span span,
                    Index word, CodePointCounter& count) {
        result.ids.push_back(id);
        result.tokens.emplace_back(token);
        result.byte_offsets.emplace_back(span.begin, span.end);
        const Index first = count(span.begin);
        result.offsets.emplace_back(first, count(span.end));
        result.word_ids.push_back(word);
    }

    static void reserve(Encoding& encoding, std::size_t size) {
        for_each_row_vector([size](auto& rows_of) { rows_of.reserve(size); }, encoding);
    }
};

}  // namespace nystromformer::inline v0_2::detail
