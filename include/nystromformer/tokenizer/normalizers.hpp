// SPDX-License-Identifier: MIT
// The normalisers of tokenizer.json, each a rewriting of a NormalizedText:
// https://github.com/huggingface/tokenizers/tree/3ba8ad00/tokenizers/src/normalizers
#pragma once

#include <nystromformer/tokenizer/normalized_text.hpp>
#include <nystromformer/tokenizer/precompiled.hpp>
#include <nystromformer/tokenizer/unicode.hpp>
#include <nystromformer/tokenizer/unicode_normalizers.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace nystromformer::detail {

/// Every occurrence of `pattern`, or every run of at least two spaces, becomes `content`.
struct Replace {
    std::string pattern;  // empty: the regex " {2,}"
    std::string content;

    /// The next match in `text` from `from`: its place and size, or npos.
    std::pair<std::size_t, std::size_t> find(std::string_view text, std::size_t from = 0) const {
        if (!pattern.empty()) return {text.find(pattern, from), pattern.size()};
        const std::size_t begin = text.find("  ", from);
        if (begin == std::string_view::npos) return {begin, 0};
        return {begin, std::min(text.find_first_not_of(' ', begin), text.size()) - begin};
    }

    void operator()(NormalizedText& target) const {
        Rewriter rewriter(target);
        for (auto match = find(target.text); match.first != std::string_view::npos;
             match = find(target.text, rewriter.offset())) {
            rewriter.keep(match.first - rewriter.offset());
            rewriter.substitute(match.second, content);
        }
        rewriter.keep(rewriter.rest().size());
        rewriter.finish();
    }
};

/// Drops white space at the ends.
struct Strip {
    bool left = true;
    bool right = true;

    void operator()(NormalizedText& target) const {
        std::size_t end = target.text.size();
        while (right && end > 0) {
            const auto last = utf8::decode_before(target.text, end);
            if (!unicode::is_white(last.point)) break;
            end -= last.size;
        }
        Rewriter rewriter(target);
        while (left && rewriter.offset() < end &&
               unicode::is_white(utf8::decode(rewriter.rest(), 0).point))
            rewriter.remove();
        rewriter.keep(end - rewriter.offset());
        while (!rewriter.rest().empty()) rewriter.remove();
        rewriter.finish();
    }
};

/// Puts text before text that is not empty; it shares the span of the first character.
struct Prepend {
    std::string content;

    void operator()(NormalizedText& target) const {
        if (target.text.empty()) return;
        target.spans.insert(target.spans.begin(), content.size(), Span(target.spans.front()));
        target.text.insert(0, content);
    }
};

using Normalizer =
    std::variant<Replace, Decompose, StripAccents, Lowercase, Precompiled, Strip, Prepend>;

/// True if normalising the parts of a text that is cut before a single space between two letters or
/// digits of ASCII gives the same as normalising the whole (unless the first part lags).
inline bool is_local(const std::vector<Normalizer>& chain) {
    constexpr std::string_view kept =
        " abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    return std::all_of(chain.begin(), chain.end(), [&](const Normalizer& step) {
        if (const auto* replace = std::get_if<Replace>(&step)) {
            if (replace->pattern.empty()) return replace->content == " ";
            return !replace->content.empty() &&
                   (replace->pattern + replace->content).find(' ') == std::string::npos;
        }
        if (const auto* precompiled = std::get_if<Precompiled>(&step)) {
            return std::all_of(kept.begin(), kept.end(),
                               [&](char byte) { return precompiled->keeps(byte); });
        }
        return !std::holds_alternative<Strip>(step) && !std::holds_alternative<Prepend>(step);
    });
}

inline void apply(const std::vector<Normalizer>& chain, NormalizedText& target) {
    for (const Normalizer& normalizer : chain)
        std::visit([&](const auto& step) { step(target); }, normalizer);
}

}  // namespace nystromformer::detail
