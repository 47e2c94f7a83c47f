// SPDX-License-Identifier: MIT
// The decoders of tokenizer.json, each a rewriting of a list of tokens:
// https://github.com/huggingface/tokenizers/tree/3ba8ad00/tokenizers/src/decoders
#pragma once

#include <nystromformer/tokenizer/growth_limit.hpp>
#include <nystromformer/tokenizer/normalizers/normalizers.hpp>
#include <nystromformer/tokenizer/pre_tokenizers/byte_alphabet.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace nystromformer::detail {

/// `text` with `to` for every `from`, as Rust's str::replace has it: an empty `from` stands between
/// all characters and at both ends.
inline std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
    std::string result;
    std::size_t done = 0;
    if (from.empty()) {
        for (; done < text.size(); done += utf8::length(text[done]))
            result.append(to).append(text.substr(done, utf8::length(text[done])));
        return result.append(to);
    }
    for (std::size_t at = text.find(from); at != std::string_view::npos;
         at = text.find(from, done)) {
        result.append(text.substr(done, at - done)).append(to);
        done = at + from.size();
    }
    return result.append(text.substr(done));
}

/// English punctuation and contractions without the space before them. The decoders' list also
/// writes " do not" as " don't"; that of transformers' decode does not.
inline std::string clean_up(std::string text, bool contracts_do_not) {
    struct Rule {
        std::string_view from, to;
    };
    constexpr Rule rules[] = {{" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
                              {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
                              {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
    for (const auto& [from, to] : rules) {
        if (from == " do not" && !contracts_do_not) continue;
        if (text.find(from) != std::string::npos) text = replace_all(text, from, to);
    }
    return text;
}

/// The replacement character is a space again; in the first token it goes, if one was put there.
struct MetaspaceDecoder {
    std::string replacement;
    bool drops_first = true;

    void operator()(std::vector<std::string>& tokens) const {
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            tokens[i] = replace_all(tokens[i], replacement, i == 0 && drops_first ? "" : " ");
        }
    }
};

/// The Replace of the normalisers, token by token.
struct ReplaceDecoder {
    Replace rule;

    void operator()(std::vector<std::string>& tokens, const GrowthLimit& limit) const {
        std::optional<RegexSearch> search = make_search(rule.pattern);
        std::size_t written = 0;
        for (std::string& token : tokens) {
            std::string result;
            std::size_t done = 0;
            rule.for_each(search, token, [&](std::size_t begin, std::size_t end) {
                limit.check(written + result.size() + rule.content.size(), "decoder");
                result.append(token, done, begin - done).append(rule.content);
                done = end;
            });
            token = result.append(token, done);
            written += token.size();
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

/// The bytes that the characters of GPT-2's alphabet stand for, as one text; a token with any other
/// character is its own bytes.
struct ByteLevelDecoder {
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

/// A space before each token but the first and those that continue a word.
struct WordPieceDecoder {
    std::string prefix = "##";
    bool cleanup = true;

    void operator()(std::vector<std::string>& tokens) const {
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            if (i > 0 && tokens[i].starts_with(prefix)) {
                tokens[i].erase(0, prefix.size());
            } else if (i > 0) {
                tokens[i].insert(0, 1, ' ');
            }
            if (cleanup) tokens[i] = clean_up(std::move(tokens[i]), true);
        }
    }
};

/// The suffix of a word's last piece is a space, or nothing in the last token.
struct BpeDecoder {
    std::string suffix = "</w>";

    void operator()(std::vector<std::string>& tokens) const {
        for (std::size_t i = 0; i < tokens.size(); ++i)
            tokens[i] = replace_all(tokens[i], suffix, i + 1 == tokens.size() ? "" : " ");
    }
};

/// Repeated tokens are one, padding is none.
struct CtcDecoder {
    std::string pad_token = "<pad>";
    std::string word_delimiter_token = "|";
    bool cleanup = true;

    void operator()(std::vector<std::string>& tokens) const {
        tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
        for (std::string& token : tokens) {
            token = replace_all(token, pad_token, "");
            if (cleanup)
                token = replace_all(clean_up(std::move(token), true), word_delimiter_token, " ");
        }
        std::erase(tokens, "");
    }
};

using Decoder = std::variant<MetaspaceDecoder, ReplaceDecoder, Fuse, StripDecoder, ByteFallback,
                             ByteLevelDecoder, WordPieceDecoder, BpeDecoder, CtcDecoder>;

inline void apply(const std::vector<Decoder>& chain, std::vector<std::string>& tokens) {
    GrowthLimit limit;
    for (const std::string& token : tokens) limit.add(token.size());
    const auto take_step = [&](const auto& step) {
        if constexpr (requires { step(tokens, limit); }) {
            step(tokens, limit);
        } else {
            step(tokens);
        }
    };
    for (const Decoder& decoder : chain) {
        std::visit(take_step, decoder);
        std::size_t bytes = 0;
        for (const std::string& token : tokens) bytes += token.size();
        limit.check(bytes, "decoder");
    }
}

}  // namespace nystromformer::detail
