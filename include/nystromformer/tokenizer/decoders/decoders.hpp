// SPDX-License-Identifier: MIT
// The decoders of tokenizer.json, each a rewriting of a list of tokens:
// https://github.com/huggingface/tokenizers/tree/3ba8ad00/tokenizers/src/decoders
#pragma once

#include <nystromformer/tokenizer/component.hpp>
#include <nystromformer/tokenizer/decoders/byte_decoders.hpp>
#include <nystromformer/tokenizer/decoders/decoded_text.hpp>
#include <nystromformer/tokenizer/growth_limit.hpp>
#include <nystromformer/tokenizer/normalizers/normalizers.hpp>
#include <nystromformer/tokenizer/pre_tokenizers/metaspace.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// The replacement character is a space again; in the first token it goes, if one was put there.
struct MetaspaceDecoder {
    std::string replacement;
    bool drops_first = true;

    static constexpr auto type_names = types("Metaspace");
    static MetaspaceDecoder load(const ComponentJson& component) {
        Metaspace rule = Metaspace::load(component);
        return {std::move(rule.replacement), rule.prepend != PrependScheme::never};
    }

    void operator()(std::vector<std::string>& tokens) const {
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            tokens[i] = replace_all(tokens[i], replacement, i == 0 && drops_first ? "" : " ");
        }
    }
};

/// The Replace of the normalisers, token by token.
struct ReplaceDecoder {
    Replace rule;

    static constexpr auto type_names = types("Replace");
    static ReplaceDecoder load(const ComponentJson& component) {
        return {Replace::load(component)};
    }

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
    static constexpr auto type_names = types("Fuse");

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

    static constexpr auto type_names = types("Strip");
    static StripDecoder load(const ComponentJson& component) {
        const auto count = [&](const char* key) {
            constexpr std::int64_t max_count = 1 << 20;
            return static_cast<std::size_t>(component.at(key).integer(0, max_count));
        };
        return {read_character(component.at("content")), count("start"), count("stop")};
    }

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

/// A space before each token but the first and those that continue a word.
struct WordPieceDecoder {
    std::string prefix = "##";
    bool cleanup = true;

    static constexpr auto type_names = types("WordPiece");
    static WordPieceDecoder load(const ComponentJson& component) {
        return {component.at("prefix").string(), component.flag("cleanup")};
    }

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

    static constexpr auto type_names = types("BPEDecoder");
    static BpeDecoder load(const ComponentJson& component) {
        return {component.at("suffix").string()};
    }

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

    static constexpr auto type_names = types("CTC");
    static CtcDecoder load(const ComponentJson& component) {
        return {component.at("pad_token").string(), component.at("word_delimiter_token").string(),
                component.flag("cleanup")};
    }

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

}  // namespace nystromformer::inline v0_2::detail
