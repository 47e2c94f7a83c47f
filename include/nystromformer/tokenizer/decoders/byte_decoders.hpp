// SPDX-License-Identifier: MIT
// The decoders whose tokens stand for bytes:
// https://github.com/huggingface/tokenizers/tree/3ba8ad00/tokenizers/src/decoders
#pragma once

#include <nystromformer/tokenizer/component.hpp>
#include <nystromformer/tokenizer/pre_tokenizers/byte_alphabet.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Runs of <0xHH> tokens are the bytes of UTF-8 text, or U+FFFD each.
struct ByteFallback {
    static constexpr auto type_names = types("ByteFallback");

    void operator()(std::vector<std::string>& tokens) const {
        std::vector<std::string> result;
        std::string bytes;
        const auto flush = [&] {
            if (utf8::is_valid(bytes)) {
                if (!bytes.empty()) result.push_back(bytes);
            } else {
                result.insert(result.end(), bytes.size(), "\xEF\xBF\xBD");
            }
            bytes.clear();
        };
        for (std::string& token : tokens) {
            if (const int byte = value(token); byte >= 0) {
                bytes += static_cast<char>(static_cast<unsigned char>(byte));
            } else {
                flush();
                result.push_back(std::move(token));
            }
        }
        flush();
        tokens = std::move(result);
    }

private:
    static int digit(char character) {
        if (character >= '0' && character <= '9') return character - '0';
        if (character >= 'A' && character <= 'F') return character - 'A' + 10;
        if (character >= 'a' && character <= 'f') return character - 'a' + 10;
        return -1;
    }
    static int value(std::string_view token) {
        if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>') return -1;
        const int high = digit(token[3]), low = digit(token[4]);
        return high < 0 || low < 0 ? -1 : high * 16 + low;
    }
};

/// The bytes that the characters of GPT-2's alphabet stand for, as one text; a token with any other
/// character is its own bytes.
struct ByteLevelDecoder {
    static constexpr auto type_names = types("ByteLevel");

    void operator()(std::vector<std::string>& tokens) const {
        std::string bytes;
        for (const std::string& token : tokens) {
            const std::size_t start = bytes.size();
            for (std::size_t at = 0; at < token.size();) {
                const auto [point, size] = utf8::decode(token, at);
                const auto byte = byte_level_byte(point);
                if (!byte) {
                    bytes.replace(start, std::string::npos, token);
                    break;
                }
                bytes += static_cast<char>(*byte);
                at += size;
            }
        }
        tokens = {utf8::is_valid(bytes) ? std::move(bytes) : utf8::repair(bytes).text};
    }
};

}  // namespace nystromformer::inline v0_2::detail
