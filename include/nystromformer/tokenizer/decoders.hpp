// SPDX-License-Identifier: MIT
// The decoders of tokenizer.json, each a rewriting of a list of tokens:
// https://github.com/huggingface/tokenizers/tree/3ba8ad00/tokenizers/src/decoders
#pragma once

#include <nystromformer/tokenizer/normalizers.hpp>
#include <nystromformer/tokenizer/utf8.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace nystromformer::detail {

/// The replacement character is a space again; in the first token it goes, if one was put there.
struct MetaspaceDecoder {
    std::string replacement;
    bool drops_first = true;

    void operator()(std::vector<std::string>& tokens) const {
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            const std::string_view with = i == 0 && drops_first ? "" : " ";
            std::string result;
            std::size_t done = 0;
            for (std::size_t at = tokens[i].find(replacement); at != std::string::npos;
                 at = tokens[i].find(replacement, done)) {
                result.append(tokens[i], done, at - done).append(with);
                done = at + replacement.size();
            }
            tokens[i] = result.append(tokens[i], done);
        }
    }
};

/// The Replace of the normalisers, token by token.
struct ReplaceDecoder {
    Replace rule;

    void operator()(std::vector<std::string>& tokens) const {
        for (std::string& token : tokens) {
            std::string result;
            std::size_t done = 0;
            for (auto match = rule.find(token); match.first != std::string_view::npos;
                 match = rule.find(token, done)) {
                result.append(token, done, match.first - done).append(rule.content);
                done = match.first + match.second;
            }
            token = result.append(token, done);
        }
    }
};

/// One token of all.
struct Fuse {
    void operator()(std::vector<std::string>& tokens) const {
        std::string all;
        for (const std::string& token : tokens) all += token;
        tokens = {std::move(all)};
    }
};

/// Drops up to `start` and `stop` copies of one character at the ends of each token.
struct StripDecoder {
    std::string content;
    std::size_t start = 0;
    std::size_t stop = 0;

    void operator()(std::vector<std::string>& tokens) const {
        for (std::string& token : tokens) {
            std::size_t begin = 0, end = token.size();
            for (std::size_t i = 0; i < start && token.compare(begin, content.size(), content) == 0;
                 ++i)
                begin += content.size();
            for (std::size_t i = 0;
                 i < stop && end >= begin + content.size() &&
                 token.compare(end - content.size(), content.size(), content) == 0;
                 ++i)
                end -= content.size();
            token = token.substr(begin, end - begin);
        }
    }
};

/// Runs of <0xHH> tokens are the bytes of UTF-8 text, or U+FFFD each.
struct ByteFallback {
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

using Decoder = std::variant<MetaspaceDecoder, ReplaceDecoder, Fuse, StripDecoder, ByteFallback>;

inline void apply(const std::vector<Decoder>& chain, std::vector<std::string>& tokens) {
    for (const Decoder& decoder : chain)
        std::visit([&](const auto& step) { step(tokens); }, decoder);
}

}  // namespace nystromformer::detail
