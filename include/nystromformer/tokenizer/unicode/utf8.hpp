// SPDX-License-Identifier: MIT
// UTF-8: decoding of text known to be valid, encoding, and the repair of text that is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail::utf8 {

inline bool is_ascii(char byte) { return static_cast<unsigned char>(byte) < 0x80; }
inline bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// The bytes of the character that starts with `lead`, in valid text.
inline std::size_t length(char lead) {
    const auto byte = static_cast<unsigned char>(lead);
    if (byte < 0x80) return 1;
    if (byte < 0xE0) return 2;
    return byte < 0xF0 ? 3 : 4;
}

struct Decoded {
    char32_t point;
    std::size_t size;  // bytes
};

/// The character at `at`, in valid text.
inline Decoded decode(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) {
        return static_cast<char32_t>(static_cast<unsigned char>(text[at + i]));
    };
    const char32_t lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    if (lead < 0xE0) return {((lead & 0x1F) << 6) | (byte(1) & 0x3F), 2};
    if (lead < 0xF0) return {((lead & 0x0F) << 12) | ((byte(1) & 0x3F) << 6) | (byte(2) & 0x3F), 3};
    return {((lead & 0x07) << 18) | ((byte(1) & 0x3F) << 12) | ((byte(2) & 0x3F) << 6) |
                (byte(3) & 0x3F),
            4};
}

/// The character that ends before `end`, in valid text; `end` > 0.
inline Decoded decode_before(std::string_view text, std::size_t end) {
    std::size_t begin = end - 1;
    while (begin > 0 && is_continuation(text[begin])) --begin;
    return decode(text, begin);
}

inline std::size_t encode(char32_t point, char (&out)[4]) {
    const auto put = [&](std::size_t i, char32_t value) {
        out[i] = static_cast<char>(static_cast<unsigned char>(value));
    };
    if (point < 0x80) return put(0, point), 1;
    if (point < 0x800) return put(0, 0xC0 | (point >> 6)), put(1, 0x80 | (point & 0x3F)), 2;
    if (point < 0x10000) {
        put(0, 0xE0 | (point >> 12));
        put(1, 0x80 | ((point >> 6) & 0x3F));
        return put(2, 0x80 | (point & 0x3F)), 3;
    }
    put(0, 0xF0 | (point >> 18));
    put(1, 0x80 | ((point >> 12) & 0x3F));
    put(2, 0x80 | ((point >> 6) & 0x3F));
    return put(3, 0x80 | (point & 0x3F)), 4;
}

inline void append(std::string& text, char32_t point) {
    char bytes[4];
    text.append(bytes, encode(point, bytes));
}

/// The characters of valid text.
inline std::size_t count(std::string_view text) {
    std::size_t result = 0;
    for (const char byte : text) result += !is_continuation(byte);
    return result;
}

/// How the bytes at `at` of any text read: a character, or a maximal ill-formed subpart of the
/// Unicode Standard (section 3.9), which is what Python's errors="replace" counts as one U+FFFD.
struct Scanned {
    std::size_t size;
    bool valid;
};

inline Scanned scan(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) {
        return at + i < text.size() ? unsigned{static_cast<unsigned char>(text[at + i])} : 0U;
    };
    const unsigned lead = byte(0);
    if (lead < 0x80) return {1, true};
    if (lead < 0xC2 || lead > 0xF4) return {1, false};
    // The second byte has a narrower range after E0 (overlong), ED (surrogates), F0 and F4.
    const unsigned least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    const unsigned most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    if (byte(1) < least || byte(1) > most) return {1, false};
    const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    for (std::size_t i = 2; i < size; ++i)
        if ((byte(i) & 0xC0) != 0x80) return {i, false};
    return {size, true};
}

inline bool is_valid(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        if (is_ascii(text[at])) {
            ++at;
            continue;
        }
        const Scanned scanned = scan(text, at);
        if (!scanned.valid) return false;
        at += scanned.size;
    }
    return true;
}

/// Text with U+FFFD for each ill-formed subpart, and for each of its bytes (and its end) the place
/// in the original that it stands for.
struct Repaired {
    std::string text;
    std::vector<std::size_t> original;
};

inline Repaired repair(std::string_view text) {
    Repaired result;
    for (std::size_t at = 0; at < text.size();) {
        const Scanned scanned = scan(text, at);
        const std::string_view part =
            scanned.valid ? text.substr(at, scanned.size) : "\xEF\xBF\xBD";
        result.text += part;
        for (std::size_t i = 0; i < part.size(); ++i)
            result.original.push_back(scanned.valid ? at + i : at);
        at += scanned.size;
    }
    result.original.push_back(text.size());
    return result;
}

}  // namespace nystromformer::inline v0_2::detail::utf8
