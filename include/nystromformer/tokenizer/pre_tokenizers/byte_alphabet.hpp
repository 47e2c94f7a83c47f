// SPDX-License-Identifier: MIT
// GPT-2's alphabet for bytes: a printable character for each of the 256, so that byte-level
// vocabularies are text:
// https://github.com/huggingface/tokenizers/blob/3ba8ad00/tokenizers/src/pre_tokenizers/byte_level.rs
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace nystromformer::inline v0_2::detail {

/// The bytes that stand for themselves: Latin-1's printable characters without the soft hyphen.
constexpr bool is_byte_level_printable(unsigned byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
}

/// The character of each byte; those that do not stand for themselves follow from U+0100 in order.
inline constexpr auto byte_level_alphabet = [] {
    std::array<std::uint16_t, 256> result{};
    std::uint16_t next = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte) {
        const bool stays = is_byte_level_printable(byte);
        result[byte] = stays ? static_cast<std::uint16_t>(byte) : next++;
    }
    return result;
}();

inline char32_t byte_level_char(unsigned char byte) { return byte_level_alphabet[byte]; }

/// The byte that `point` stands for, if it is of the alphabet.
inline std::optional<unsigned char> byte_level_byte(char32_t point) {
    if (point < 0x100) {
        if (!is_byte_level_printable(point)) return std::nullopt;
        return static_cast<unsigned char>(point);
    }
    static constexpr auto others = [] {
        std::array<unsigned char, 68> result{};
        for (unsigned byte = 0; byte < 256; ++byte)
            if (!is_byte_level_printable(byte))
                result[byte_level_alphabet[byte] - 0x100U] = static_cast<unsigned char>(byte);
        return result;
    }();
    if (point - 0x100 >= others.size()) return std::nullopt;
    return others[point - 0x100];
}

}  // namespace nystromformer::inline v0_2::detail
