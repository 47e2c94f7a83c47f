// SPDX-License-Identifier: MIT
// The normalisers that clean text: BERT's and Nmt, that of SentencePiece's machine translation:
// https://github.com/huggingface/tokenizers/blob/3ba8ad00/tokenizers/src/normalizers/bert.rs
#pragma once

#include <nystromformer/tokenizer/component.hpp>
#include <nystromformer/tokenizer/normalizers/normalized_text.hpp>
#include <nystromformer/tokenizer/normalizers/unicode_normalizers.hpp>
#include <nystromformer/tokenizer/unicode/unicode.hpp>

#include <cstddef>

namespace nystromformer::inline v0_2::detail {

/// Removes controls, writes any white space as a space, puts spaces around ideographs, strips
/// accents and lowers case, each on request.
struct BertNormalizer {
    bool clean_text = true;
    bool handle_chinese_chars = true;
    bool strip_accents = true;
    bool lowercase = true;

    static constexpr auto type_names = types("BertNormalizer");
    /// strip_accents may be null or missing: then it is as lowercase says.
    static BertNormalizer load(const ComponentJson& component) {
        BertNormalizer result;
        result.clean_text = component.flag("clean_text");
        result.handle_chinese_chars = component.flag("handle_chinese_chars");
        result.lowercase = component.flag("lowercase");
        result.strip_accents = component.json.holds("strip_accents")
                                   ? component.flag("strip_accents")
                                   : result.lowercase;
        return result;
    }
    static constexpr bool is_local() { return true; }

    void operator()(NormalizedText& target) const {
        if (clean_text) clean(target);
        if (ascii_run(target.text) != target.text.size()) {
            if (handle_chinese_chars) put_spaces(target);
            if (strip_accents) strip(target);
        }
        if (lowercase) Lowercase{}(target);
    }

private:
    static void clean(NormalizedText& target) {
        for (char& byte : target.text)
            if (byte == '\t' || byte == '\n' || byte == '\r') byte = ' ';
        rewrite_characters(
            target, [](char byte) { return byte >= ' ' && byte != 0x7F; },
            [](Rewriter& rewriter, char32_t point, std::size_t size) {
                if (unicode::has(point, unicode::flag_other)) {
                    rewriter.remove();
                } else if (unicode::is_white(point)) {
                    rewriter.replace(' ');
                } else {
                    rewriter.keep(size);
                }
            });
    }

    static void put_spaces(NormalizedText& target) {
        rewrite_beyond_ascii(target, [](Rewriter& rewriter, char32_t point, std::size_t size) {
            if (!unicode::is_chinese(point)) return rewriter.keep(size);
            rewriter.replace(' ');
            rewriter.insert(point);
            rewriter.insert(' ');
        });
    }

    static void strip(NormalizedText& target) {
        Decompose{false}(target);
        remove_characters(target, unicode::flag_nonspacing);
    }
};

/// Removes controls and writes some white space and format characters as spaces.
struct Nmt {
    static constexpr auto type_names = types("Nmt");
    static constexpr bool is_local() { return true; }

    void operator()(NormalizedText& target) const {
        rewrite_characters(
            target, [](char byte) { return (byte >= ' ' && byte != 0x7F) || byte == 0; },
            [](Rewriter& rewriter, char32_t point, std::size_t size) {
                if (is_space(point)) {
                    rewriter.replace(' ');
                } else if (point < ' ' || point == 0x7F || point == 0x8F || point == 0x9F) {
                    rewriter.remove();
                } else {
                    rewriter.keep(size);
                }
            });
    }

private:
    static bool is_space(char32_t point) {
        return point == '\t' || point == '\n' || point == '\f' || point == '\r' ||
               point == 0x1680 || (point >= 0x200B && point <= 0x200F) || point == 0x2028 ||
               point == 0x2029 || point == 0x2581 || point == 0xFEFF || point == 0xFFFD;
    }
};

}  // namespace nystromformer::inline v0_2::detail
