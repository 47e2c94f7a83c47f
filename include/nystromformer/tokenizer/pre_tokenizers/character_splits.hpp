// SPDX-License-Identifier: MIT
// The pre-tokenisers that look at characters one by one:
// https://github.com/huggingface/tokenizers/tree/3ba8ad00/tokenizers/src/pre_tokenizers
#pragma once

#include <nystromformer/tokenizer/component.hpp>
#include <nystromformer/tokenizer/piece_text.hpp>
#include <nystromformer/tokenizer/unicode/unicode.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// ASCII's symbols, and punctuation.
inline bool is_punctuation(char32_t point) {
    if (point < 0x80) {
        return (point >= '!' && point <= '/') || (point >= ':' && point <= '@') ||
               (point >= '[' && point <= '`') || (point >= '{' && point <= '~');
    }
    return unicode::has(point, unicode::flag_punctuation);
}

/// Cuts at white space and drops it.
struct WhitespaceSplit {
    static constexpr auto type_names = types("WhitespaceSplit");
    static constexpr bool is_local() { return true; }

    void operator()(PieceText& target) const { cut_pieces(target, split); }

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

/// Cuts at white space, which it drops, and around each punctuation character.
struct BertPreTokenizer {
    static constexpr auto type_names = types("BertPreTokenizer");

    void operator()(PieceText& target) const { cut_pieces(target, split); }

private:
    enum class Kind : std::uint8_t { word, white, punctuation };
    static Kind kind(char32_t point) {
        if (unicode::is_white(point)) return Kind::white;
        return is_punctuation(point) ? Kind::punctuation : Kind::word;
    }

    static void split(std::string_view text, const Piece& piece, std::vector<Piece>& out) {
        std::size_t begin = piece.begin;
        for (std::size_t at = piece.begin; at < piece.end;) {
            const char byte = text[at];
            if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')) {
                ++at;
                continue;
            }
            const auto [point, size] = utf8::decode(text, at);
            const Kind found = kind(point);
            if (found != Kind::word) {
                if (begin < at) out.push_back({begin, at});
                begin = at + size;
                if (found == Kind::punctuation) out.push_back({at, begin});
            }
            at += size;
        }
        if (begin < piece.end) out.push_back({begin, piece.end});
    }
};

/// The matches of \w+|[^\w\s]+, with the \w of Rust's regex crate.
struct Whitespace {
    static constexpr auto type_names = types("Whitespace");

    void operator()(PieceText& target) const { cut_pieces(target, split); }

private:
    enum class Kind : std::uint8_t { white, word, other };
    static Kind kind(char32_t point) {
        if (unicode::is_white(point)) return Kind::white;
        return unicode::is_word(point) ? Kind::word : Kind::other;
    }

    static void split(std::string_view text, const Piece& piece, std::vector<Piece>& out) {
        std::size_t begin = piece.begin;
        Kind run = Kind::white;
        for (std::size_t at = piece.begin; at < piece.end;) {
            const auto [point, size] = utf8::decode(text, at);
            if (const Kind found = kind(point); found != run) {
                if (run != Kind::white) out.push_back({begin, at});
                begin = at;
                run = found;
            }
            at += size;
        }
        if (run != Kind::white) out.push_back({begin, piece.end});
    }
};

/// Cuts at one character and drops it.
struct CharDelimiterSplit {
    char32_t delimiter = ' ';

    static constexpr auto type_names = types("CharDelimiterSplit");
    static CharDelimiterSplit load(const ComponentJson& component) {
        return {utf8::decode(read_character(component.at("delimiter")), 0).point};
    }

    void operator()(PieceText& target) const {
        cut_pieces(target, [&](std::string_view text, const Piece& piece, auto& out) {
            split_at(text, piece, SplitBehavior::removed, out,
                     [&](char32_t point) { return point == delimiter; });
        });
    }
};

/// Cuts at punctuation.
struct Punctuation {
    SplitBehavior behavior = SplitBehavior::isolated;

    static constexpr auto type_names = types("Punctuation");
    static Punctuation load(const ComponentJson& component) {
        if (!component.json.has("behavior")) return {};
        return {read_enum(component.at("behavior"), split_behaviors)};
    }

    void operator()(PieceText& target) const {
        cut_pieces(target, [&](std::string_view text, const Piece& piece, auto& out) {
            split_at(text, piece, behavior, out, is_punctuation);
        });
    }
};

/// Cuts around numbers, or around each digit of them.
struct Digits {
    bool individual_digits = false;

    static constexpr auto type_names = types("Digits");
    static Digits load(const ComponentJson& component) {
        return {component.flag("individual_digits")};
    }

    void operator()(PieceText& target) const {
        const auto behavior =
            individual_digits ? SplitBehavior::isolated : SplitBehavior::contiguous;
        cut_pieces(target, [&](std::string_view text, const Piece& piece, auto& out) {
            split_at(text, piece, behavior, out, [](char32_t point) {
                return point < 0x80 ? point >= '0' && point <= '9'
                                    : unicode::has(point, unicode::flag_numeric);
            });
        });
    }
};

/// Cuts where the script changes. Spaces and what has no script stay with what stands before them;
/// at the start of a piece they are dropped.
struct UnicodeScripts {
    static constexpr auto type_names = types("UnicodeScripts");

    void operator()(PieceText& target) const {
        cut_pieces(target, [](std::string_view text, const Piece& piece, auto& out) {
            std::size_t begin = piece.end;
            std::uint8_t last = 0;
            for (std::size_t at = piece.begin; at < piece.end;) {
                const auto [point, size] = utf8::decode(text, at);
                const std::uint8_t found = unicode::script(point);
                if (found != 0 && found != last) {
                    if (begin < at) out.push_back({begin, at});
                    begin = at;
                    last = found;
                }
                at += size;
            }
            if (begin < piece.end) out.push_back({begin, piece.end});
        });
    }
};

/// Cuts after each `length` characters.
struct FixedLength {
    std::size_t length = 5;  // > 0

    static constexpr auto type_names = types("FixedLength");
    static FixedLength load(const ComponentJson& component) {
        if (!component.json.has("length")) return {};
        constexpr std::int64_t max_length = std::numeric_limits<std::int64_t>::max();
        return {static_cast<std::size_t>(component.at("length").integer(1, max_length))};
    }

    void operator()(PieceText& target) const {
        cut_pieces(target, [&](std::string_view text, const Piece& piece, auto& out) {
            std::size_t begin = piece.begin, count = 0;
            for (std::size_t at = piece.begin; at < piece.end;) {
                at += utf8::length(text[at]);
                if (++count % length != 0 && at < piece.end) continue;
                out.push_back({begin, at});
                begin = at;
            }
        });
    }
};

}  // namespace nystromformer::inline v0_2::detail
