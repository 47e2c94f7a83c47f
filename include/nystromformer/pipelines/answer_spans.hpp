// SPDX-License-Identifier: MIT
// From start and end scores of tokens to the best spans of a window.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/pipelines/scores.hpp>
#include <nystromformer/tokenizer/encoding.hpp>
#include <nystromformer/tokenizer/unicode/unicode.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Tokens [first, last] of a window, both inside.
struct TokenSpan {
    std::size_t first, last;
    float score;
};

/// Softmax over the tokens that may be in an answer; 0 for the others.
inline std::vector<float> softmax_of(std::span<const float> logits,
                                     const std::vector<bool>& allowed) {
    std::vector<float> masked(logits.begin(), logits.end());
    for (std::size_t i = 0; i < masked.size(); ++i)
        if (!allowed[i]) masked[i] = -10000;  // Hugging Face's number
    return softmax(masked);
}

/// The `count` likeliest spans of at most `max_answer_len` tokens that are not impossible, the best
/// first. Source: decode_spans of transformers/pipelines/question_answering.py
inline std::vector<TokenSpan> best_spans(std::span<const float> start, std::span<const float> end,
                                         const std::vector<bool>& allowed, std::size_t count,
                                         std::size_t max_answer_len) {
    const auto better = [](const TokenSpan& a, const TokenSpan& b) {
        if (a.score != b.score) return a.score > b.score;
        return std::pair(a.first, a.last) < std::pair(b.first, b.last);
    };
    std::vector<TokenSpan> heap;  // the worst on top
    for (std::size_t first = 0; first < start.size(); ++first) {
        if (!allowed[first] || start[first] == 0) continue;
        const std::size_t stop = first + std::min(max_answer_len, start.size() - first);
        for (std::size_t last = first; last < stop; ++last) {
            const TokenSpan span{first, last, start[first] * end[last]};
            if (!allowed[last] || span.score == 0) continue;
            if (heap.size() == count && !better(span, heap.front())) continue;
            heap.push_back(span);
            std::push_heap(heap.begin(), heap.end(), better);
            if (heap.size() <= count) continue;
            std::pop_heap(heap.begin(), heap.end(), better);
            heap.pop_back();
        }
    }
    std::sort_heap(heap.begin(), heap.end(), better);
    return heap;
}

/// The first and the last token of word `word` of text `sequence` in a window.
inline std::optional<std::pair<std::size_t, std::size_t>> word_tokens(const Encoding& window,
                                                                      Index word, Index sequence) {
    std::optional<std::pair<std::size_t, std::size_t>> result;
    for (std::size_t i = 0; i < window.ids.size(); ++i) {
        if (window.word_ids[i] != word || window.sequence_ids[i] != sequence) continue;
        if (!result) result.emplace(i, i);
        result->second = i;
    }
    return result;
}

/// The tokens from the start of the first token's word to the end of the last one's, as far as the
/// window has them; the span itself if the tokenizer knows no words.
inline TokenSpan aligned_to_words(const Encoding& window, TokenSpan span, Index sequence) {
    const Index first_word = window.word_ids[span.first], last_word = window.word_ids[span.last];
    if (first_word < 0 || last_word < 0) return span;
    const auto first = word_tokens(window, first_word, sequence);
    const auto last = word_tokens(window, last_word, sequence);
    if (first && last) {
        span.first = first->first;
        span.last = last->second;
    }
    return span;
}

/// Where code point `point` of `text` begins, or where `text` ends; an invalid byte counts as one.
inline std::size_t byte_of(std::string_view text, Index point) {
    std::size_t at = 0;
    for (Index i = 0; i < point && at < text.size(); ++i) at += utf8::scan(text, at).size;
    return at;
}

/// Lower case as Python's str.lower has it; invalid UTF-8 stays as it is.
inline std::string lower_case(std::string_view text) {
    std::string result;
    bool in_word = false;
    for (std::size_t at = 0; at < text.size();) {
        const auto [size, valid] = utf8::scan(text, at);
        const char32_t point = valid ? utf8::decode(text, at).point : 0;
        const std::size_t next = at + size;
        const bool goes_on = next < text.size() && utf8::scan(text, next).valid &&
                             unicode::is_word(utf8::decode(text, next).point);
        if (!valid) {
            result += text.substr(at, size);
        } else if (point == 0x130) {  // I with a dot above: the only one with two
            result += "i\xCC\x87";
        } else if (point == 0x3A3 && in_word && !goes_on) {
            utf8::append(result, 0x3C2);  // sigma at the end of a word
        } else {
            utf8::append(result, unicode::lower(point));
        }
        in_word = valid && unicode::is_word(point);
        at = next;
    }
    return result;
}

}  // namespace nystromformer::inline v0_2::detail
