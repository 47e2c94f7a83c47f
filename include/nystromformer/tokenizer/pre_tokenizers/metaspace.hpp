// SPDX-License-Identifier: MIT
// Metaspace, SentencePiece's way to keep spaces as visible characters:
// https://github.com/huggingface/tokenizers/blob/3ba8ad00/tokenizers/src/pre_tokenizers/metaspace.rs
#pragma once

#include <nystromformer/core/names.hpp>
#include <nystromformer/tokenizer/component.hpp>
#include <nystromformer/tokenizer/piece_text.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail {

enum class PrependScheme { always, first, never };
inline constexpr auto prepend_schemes = enum_names<PrependScheme>("always", "first", "never");

/// Writes spaces as `replacement`, puts one in front, and cuts before each.
struct Metaspace {
    std::string replacement = "\xE2\x96\x81";  // U+2581; one character
    PrependScheme prepend = PrependScheme::always;
    bool split = true;

    static constexpr auto type_names = types("Metaspace");
    /// Both JSON forms: add_prefix_space (and str_rep) until 2024, prepend_scheme and split since.
    static Metaspace load(const ComponentJson& component) {
        const TokenizerJson& json = component.json;
        Metaspace result;
        result.replacement = read_character(json.at("replacement"));
        const bool has_scheme = json.has("prepend_scheme");
        if (has_scheme) result.prepend = read_enum(json.at("prepend_scheme"), prepend_schemes);
        if (json.holds("add_prefix_space") && !json.at("add_prefix_space").boolean()) {
            if (!has_scheme) json.at("add_prefix_space").fail("with prepend_scheme never");
            if (result.prepend != PrependScheme::never)
                json.at("add_prefix_space").fail("true, as prepend_scheme has it");
        }
        if (json.holds("split")) result.split = json.at("split").boolean();
        return result;
    }

    void operator()(PieceText& target) const {
        NormalizedText& normalized = target.normalized;
        rewrite_pieces(target, [&](const Piece& piece, auto& out) {
            const std::size_t begin = normalized.spare_text.size();
            write(normalized, piece);
            cut(normalized.spare_text, begin, out);
        });
    }

private:
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
            normalized.copy_to_spare(at, space);
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

}  // namespace nystromformer::inline v0_2::detail
