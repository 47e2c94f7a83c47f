// SPDX-License-Identifier: MIT
// GPT-2's byte level: text cut into words by GPT-2's rule, and each byte written as a printable
// character:
// https://github.com/huggingface/tokenizers/blob/3ba8ad00/tokenizers/src/pre_tokenizers/byte_level.rs
#pragma once

#include <nystromformer/tokenizer/component.hpp>
#include <nystromformer/tokenizer/piece_text.hpp>
#include <nystromformer/tokenizer/pre_tokenizers/byte_level_text.hpp>
#include <nystromformer/tokenizer/unicode/unicode.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Where the word that starts at `at` of `text` ends, by GPT-2's regular expression
/// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
class Gpt2Words {
public:
    explicit Gpt2Words(std::string_view text) : text_(text) {}

    std::size_t end_of(std::size_t at) const {
        if (text_[at] == '\'') {
            if (const std::size_t size = contraction(text_.substr(at + 1)); size != 0)
                return at + 1 + size;
        }
        if (text_[at] == ' ' && at + 1 < text_.size()) return end_after_space(at + 1);
        const Character first = next(at);
        if (first.kind != Kind::space) return run_end(first);
        const std::size_t end = white_end(at);
        return end == at ? first.end : end;
    }

    /// The same for a word of a space, which may not be in the text, and what begins at `at`.
    std::size_t end_after_space(std::size_t at) const {
        const Character first = next(at);
        return first.kind != Kind::space ? run_end(first) : white_end(at);
    }

private:
    enum class Kind : std::uint8_t { space, letter, number, other };
    struct Character {
        Kind kind;
        std::size_t end;
    };

    static constexpr auto ascii_kinds = [] {
        std::array<Kind, 128> result{};
        for (unsigned byte = 0; byte < 128; ++byte) {
            const unsigned lower = byte | 0x20;
            const bool is_space = byte == ' ' || (byte >= 9 && byte <= 13);
            result[byte] = is_space                       ? Kind::space
                           : lower >= 'a' && lower <= 'z' ? Kind::letter
                           : byte >= '0' && byte <= '9'   ? Kind::number
                                                          : Kind::other;
        }
        return result;
    }();

    Character next(std::size_t at) const {
        const auto byte = static_cast<unsigned char>(text_[at]);
        if (byte < 0x80) return {ascii_kinds[byte], at + 1};
        const auto [point, size] = utf8::decode(text_, at);
        const std::uint32_t category = unicode::category_bit(point);
        if ((category & unicode::letters) != 0) return {Kind::letter, at + size};
        if ((category & unicode::numbers) != 0) return {Kind::number, at + size};
        const bool is_space = (category & unicode::separators) != 0 || point == 0x85;
        return {is_space ? Kind::space : Kind::other, at + size};
    }

    /// The run of characters of one kind that begins with `first`.
    std::size_t run_end(Character first) const {
        std::size_t end = first.end;
        while (end < text_.size()) {
            const Character character = next(end);
            if (character.kind != first.kind) break;
            end = character.end;
        }
        return end;
    }

    /// The end of white space that leaves its last character to what follows, if something does.
    std::size_t white_end(std::size_t begin) const {
        std::size_t last = begin;
        for (std::size_t end = begin; end < text_.size();) {
            const Character character = next(end);
            if (character.kind != Kind::space) return last;
            last = end;
            end = character.end;
        }
        return text_.size();
    }

    static std::size_t contraction(std::string_view rest) {
        if (rest.empty()) return 0;
        const auto two = rest.substr(0, 2);
        if (two == "re" || two == "ve" || two == "ll") return 2;
        return std::string_view("stmd").find(rest[0]) != std::string_view::npos ? 1 : 0;
    }

    std::string_view text_;
};

/// Cuts text into words, with `use_regex`, and writes it in the alphabet of bytes. Offsets are
/// trimmed, if at all, by the post-processor of the same name.
struct ByteLevel {
    bool add_prefix_space = true;
    bool use_regex = true;

    static constexpr auto type_names = types("ByteLevel");
    static ByteLevel load(const ComponentJson& component) {
        ByteLevel result;
        result.add_prefix_space = component.flag("add_prefix_space");
        if (component.json.has("use_regex")) result.use_regex = component.flag("use_regex");
        component.flag("trim_offsets");  // for the post-processor
        return result;
    }

    void operator()(PieceText& target) const {
        rewrite_pieces(target, [&](const Piece& piece, auto& out) { write(target, piece, out); });
    }

private:
    void write(PieceText& target, const Piece& piece, std::vector<Piece>& out) const {
        NormalizedText& normalized = target.normalized;
        const std::string_view text = target.text(piece);
        const Gpt2Words words(text);
        std::size_t at = 0;
        const auto put = [&](std::size_t begin, std::size_t end) {
            append_byte_level(normalized, piece.begin + at, piece.begin + end);
            out.push_back({begin, normalized.spare_text.size()});
            at = end;
        };
        if (add_prefix_space && text[0] != ' ') {
            const std::size_t begin = normalized.spare_text.size();
            const auto& space = byte_level_utf8[' '];
            normalized.spare_text.append(space.bytes, space.size);
            normalized.spare_spans.insert(normalized.spare_spans.end(), space.size,
                                          normalized.spans[piece.begin]);
            put(begin, use_regex ? words.end_after_space(0) : text.size());
        }
        while (at < text.size())
            put(normalized.spare_text.size(), use_regex ? words.end_of(at) : text.size());
    }
};

}  // namespace nystromformer::inline v0_2::detail
