// SPDX-License-Identifier: MIT
// The normalisers of tokenizer.json, each a rewriting of a NormalizedText:
// https://github.com/huggingface/tokenizers/tree/3ba8ad00/tokenizers/src/normalizers
#pragma once

#include <nystromformer/tokenizer/component.hpp>
#include <nystromformer/tokenizer/normalizers/bert_normalizer.hpp>
#include <nystromformer/tokenizer/normalizers/composition.hpp>
#include <nystromformer/tokenizer/normalizers/normalized_text.hpp>
#include <nystromformer/tokenizer/normalizers/precompiled.hpp>
#include <nystromformer/tokenizer/normalizers/unicode_normalizers.hpp>
#include <nystromformer/tokenizer/pre_tokenizers/byte_level_text.hpp>
#include <nystromformer/tokenizer/regex/pattern.hpp>
#include <nystromformer/tokenizer/unicode/unicode.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Every match of `pattern` becomes `content`; in no text there is none.
struct Replace {
    Pattern pattern;
    std::string content;
    bool is_space_run = false;  // for the regex " {2,}", which every Albert file has

    static constexpr auto type_names = types("Replace");
    static Replace load(const ComponentJson& component) {
        const auto pattern = component.at("pattern").object();
        const bool is_regex = pattern.has("Regex");
        const auto value = pattern.at(is_regex ? "Regex" : "String");
        Replace result{read_pattern(pattern, component.limits.budget),
                       component.at("content").string()};
        result.is_space_run = is_regex && value.string() == " {2,}";
        return result;
    }
    bool is_local() const {
        if (is_space_run) return content == " ";
        return !pattern.regex && !content.empty() &&
               (pattern.text + content).find(' ') == std::string::npos;
    }

    /// Calls `tell(begin, end)` for each match in `text`, from left to right. `search` is what
    /// make_search(pattern) gives.
    template <typename Tell>
    void for_each(std::optional<RegexSearch>& search, std::string_view text, Tell&& tell) const {
        if (text.empty()) return;
        if (!is_space_run) return for_each_match(pattern, search, text, tell);
        for (std::size_t begin = text.find("  "); begin != std::string_view::npos;) {
            const std::size_t end = std::min(text.find_first_not_of(' ', begin), text.size());
            tell(begin, end);
            begin = text.find("  ", end);
        }
    }

    void operator()(NormalizedText& target) const {
        Rewriter rewriter(target);
        std::optional<RegexSearch> search = make_search(pattern);
        for_each(search, target.text, [&](std::size_t begin, std::size_t end) {
            rewriter.keep(begin - rewriter.offset());
            rewriter.substitute(end - begin, content);
        });
        rewriter.keep(rewriter.rest().size());
        rewriter.finish();
    }
};

/// Drops white space at the ends.
struct Strip {
    bool left = true;
    bool right = true;

    static constexpr auto type_names = types("Strip");
    static Strip load(const ComponentJson& component) {
        return {component.flag("strip_left"), component.flag("strip_right")};
    }

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

/// Puts text before text that is not empty; it shares the span of the first character. Hugging Face
/// also counts that character as inserted, which matters if nothing precedes it.
struct Prepend {
    std::string content;

    static constexpr auto type_names = types("Prepend");
    static Prepend load(const ComponentJson& component) {
        return {component.at("prepend").string()};
    }

    void operator()(NormalizedText& target) const {
        if (target.text.empty()) return;
        if (content.empty()) {
            const std::size_t size = utf8::length(target.text[0]);
            std::fill_n(target.spans.begin(), size, Span{target.origin, target.origin});
            return;
        }
        target.check_size(target.text.size() + content.size());
        const Span first = target.spans.front();
        target.spans.insert(target.spans.begin(), content.size(), first);
        target.text.insert(0, content);
    }
};

/// Writes each byte as the character that stands for it in GPT-2's alphabet.
struct ByteLevelNormalizer {
    static constexpr auto type_names = types("ByteLevel");

    void operator()(NormalizedText& target) const {
        target.clear_spare();
        append_byte_level(target, 0, target.text.size());
        target.take_spare();
    }
};

using Normalizer = std::variant<Replace, Decompose, Compose, StripAccents, Lowercase, Precompiled,
                                Strip, Prepend, BertNormalizer, Nmt, ByteLevelNormalizer>;

/// True if all steps are local.
inline bool is_local(const std::vector<Normalizer>& chain) {
    return std::all_of(chain.begin(), chain.end(),
                       [](const Normalizer& step) { return is_local(step); });
}

inline void apply(const std::vector<Normalizer>& chain, NormalizedText& target) {
    for (const Normalizer& normalizer : chain)
        std::visit([&](const auto& step) { step(target); }, normalizer);
}

}  // namespace nystromformer::inline v0_2::detail
