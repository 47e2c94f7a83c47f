// SPDX-License-Identifier: MIT
// The pre-tokenisers of tokenizer.json: they cut normalised text into the pieces that the model
// sees.
#pragma once

#include <nystromformer/tokenizer/normalized_text.hpp>
#include <nystromformer/tokenizer/unicode.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace nystromformer::detail {

/// Bytes [begin, end) of a text: a piece for the model, or an added token that was found in it.
struct Piece {
    static constexpr std::int32_t no_token = -1;
    std::size_t begin;
    std::size_t end;
    std::int32_t added_token = no_token;
};

/// A normalised text and the pieces that it is cut into so far, in order.
struct PieceText {
    NormalizedText normalized;
    std::vector<Piece> pieces;
    std::vector<Piece> spare_pieces;

    std::string_view text(const Piece& piece) const {
        return std::string_view(normalized.text).substr(piece.begin, piece.end - piece.begin);
    }
    void clear() {
        normalized.clear();
        pieces.clear();
    }
};

/// Cuts at white space and drops it.
struct WhitespaceSplit {
    void operator()(PieceText& target) const {
        auto& out = target.spare_pieces;
        out.clear();
        for (const Piece& piece : target.pieces) {
            if (piece.added_token != Piece::no_token) {
                out.push_back(piece);
            } else {
                split(target.normalized.text, piece, out);
            }
        }
        target.pieces.swap(out);
    }

private:
    static void split(std::string_view text, const Piece& piece, std::vector<Piece>& out) {
        std::size_t begin = piece.begin;
        for (std::size_t at = piece.begin; at < piece.end;) {
            const auto byte = static_cast<unsigned char>(text[at]);
            if (byte > ' ' && byte < 0x80) {  // by far the most frequent
                ++at;
                continue;
            }
            const auto [point, size] = utf8::decode(text, at);
            if (unicode::is_white(point)) {
                if (begin < at) out.push_back({begin, at});
                begin = at + size;
            }
            at += size;
        }
        if (begin < piece.end) out.push_back({begin, piece.end});
    }
};

enum class PrependScheme { always, first, never };

/// Writes spaces as `replacement`, puts one in front, and cuts before each.
struct Metaspace {
    std::string replacement = "\xE2\x96\x81";  // U+2581; one character
    PrependScheme prepend = PrependScheme::always;
    bool split = true;

    void operator()(PieceText& target) const {
        NormalizedText& normalized = target.normalized;
        normalized.spare_text.clear();
        normalized.spare_spans.clear();
        auto& out = target.spare_pieces;
        out.clear();
        for (const Piece& piece : target.pieces) {
            const std::size_t begin = normalized.spare_text.size();
            if (piece.added_token != Piece::no_token) {
                copy(normalized, piece.begin, piece.end);
                out.push_back({begin, normalized.spare_text.size(), piece.added_token});
            } else {
                write(normalized, piece);
                cut(normalized.spare_text, begin, out);
            }
        }
        normalized.text.swap(normalized.spare_text);
        normalized.spans.swap(normalized.spare_spans);
        target.pieces.swap(out);
    }

private:
    static void copy(NormalizedText& normalized, std::size_t begin, std::size_t end) {
        normalized.spare_text.append(normalized.text, begin, end - begin);
        const auto from = normalized.spans.begin();
        normalized.spare_spans.insert(normalized.spare_spans.end(),
                                      from + static_cast<std::ptrdiff_t>(begin),
                                      from + static_cast<std::ptrdiff_t>(end));
    }

    void put(NormalizedText& normalized, Span span) const {
        normalized.spare_text += replacement;
        normalized.spare_spans.insert(normalized.spare_spans.end(), replacement.size(), span);
    }

    /// The piece with its spaces replaced and its prefix, into the spare buffers. The prefix shares
    /// the span of the first character.
    void write(NormalizedText& normalized, const Piece& piece) const {
        const auto text =
            std::string_view(normalized.text).substr(piece.begin, piece.end - piece.begin);
        const bool wanted =
            prepend == PrependScheme::always ||
            (prepend == PrependScheme::first && normalized.spans[piece.begin].begin == 0);
        if (wanted && text[0] != ' ' && text.substr(0, replacement.size()) != replacement)
            put(normalized, normalized.spans[piece.begin]);
        std::size_t at = piece.begin;
        while (at < piece.end) {
            const std::size_t space = std::min(normalized.text.find(' ', at), piece.end);
            copy(normalized, at, space);
            if (space < piece.end) put(normalized, normalized.spans[space]);
            at = space + 1;
        }
    }

    void cut(std::string_view text, std::size_t begin, std::vector<Piece>& out) const {
        while (split && begin < text.size()) {
            const std::size_t next = text.find(replacement, begin + 1);
            if (next == std::string_view::npos) break;
            out.push_back({begin, next});
            begin = next;
        }
        out.push_back({begin, text.size()});
    }
};

using PreTokenizer = std::variant<WhitespaceSplit, Metaspace>;

inline void apply(const std::vector<PreTokenizer>& chain, PieceText& target) {
    for (const PreTokenizer& pre_tokenizer : chain)
        std::visit([&](const auto& step) { step(target); }, pre_tokenizer);
}

}  // namespace nystromformer::detail
