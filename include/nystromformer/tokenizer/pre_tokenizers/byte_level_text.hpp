// SPDX-License-Identifier: MIT
// Text rewritten in GPT-2's alphabet for bytes.
#pragma once

#include <nystromformer/tokenizer/normalizers/normalized_text.hpp>
#include <nystromformer/tokenizer/pre_tokenizers/byte_alphabet.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// The UTF-8 of the character that stands for each byte.
struct ByteLevelUtf8 {
    char bytes[2];
    std::uint8_t size;
};

inline constexpr auto byte_level_utf8 = [] {
    std::array<ByteLevelUtf8, 256> result{};
    for (std::size_t byte = 0; byte < 256; ++byte) {
        const unsigned point = byte_level_alphabet[byte];
        if (point < 0x80) {
            result[byte] = {{static_cast<char>(point), 0}, 1};
        } else {
            result[byte] = {{static_cast<char>(static_cast<unsigned char>(0xC0 | (point >> 6))),
                             static_cast<char>(static_cast<unsigned char>(0x80 | (point & 0x3F)))},
                            2};
        }
    }
    return result;
}();

/// Appends bytes [begin, end) of `normalized`'s text, each as its character, to the spare buffers.
inline void append_byte_level(NormalizedText& normalized, std::size_t begin, std::size_t end) {
    std::string& text = normalized.spare_text;
    std::vector<Span>& spans = normalized.spare_spans;
    const std::size_t start = text.size();
    text.resize(start + 2 * (end - begin));
    spans.resize(start + 2 * (end - begin));
    char* to = text.data() + start;
    Span* span_to = spans.data() + start;
    for (std::size_t at = begin; at < end; ++at) {
        const auto& written = byte_level_utf8[static_cast<unsigned char>(normalized.text[at])];
        const Span span = normalized.spans[at];
        // The second byte and span are overwritten if there is only one.
        to[0] = written.bytes[0];
        to[1] = written.bytes[1];
        span_to[0] = span;
        span_to[1] = span;
        to += written.size;
        span_to += written.size;
    }
    text.resize(static_cast<std::size_t>(to - text.data()));
    spans.resize(text.size());
}

}  // namespace nystromformer::inline v0_2::detail
