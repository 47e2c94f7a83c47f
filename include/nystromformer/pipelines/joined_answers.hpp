// SPDX-License-Identifier: MIT
// From the best spans of a context's windows to the answers of question answering.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/encoding.hpp>
#include <nystromformer/pipelines/answer_spans.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// What the model said of one window.
struct WindowAnswers {
    std::vector<TokenSpan> spans;
    float null_score = 0;
};

/// Joins the windows of one context. `Answer` and `Options` are QuestionAnsweringAnswer and
/// QuestionAnsweringOptions, whose header includes this one.
template <typename Answer, typename Options>
struct AnswerJoiner {
    std::string_view text;  ///< the context
    Index context_text;     ///< which text of the pair it is, 0 or 1
    const Options& options;

    /// The answers of all windows, best first. Answers that read the same become one, with the sum
    /// of their scores.
    std::vector<Answer> operator()(std::span<const Encoding> windows,
                                   std::span<const WindowAnswers> answers) const {
        std::vector<Answer> result;
        std::unordered_map<std::string, std::size_t> known;  // lower case: place in result
        float null_score = 1000000;                          // Hugging Face's number
        for (std::size_t i = 0; i < windows.size(); ++i) {
            null_score = std::min(null_score, answers[i].null_score);
            for (const TokenSpan& span : answers[i].spans) {
                Answer answer = answer_at(windows[i], span);
                const auto [place, is_new] =
                    known.try_emplace(lower_case(answer.answer), result.size());
                if (is_new) {
                    result.push_back(std::move(answer));
                } else {
                    result[place->second].score += answer.score;
                }
            }
        }
        if (options.handle_impossible_answer) {
            result.push_back({static_cast<double>(null_score), 0, 0, "", 0, 0});
        } else if (result.empty()) {  // a context of white space
            result.push_back({0, 0, 0, "", 0, 0});
        }
        std::stable_sort(result.begin(), result.end(),
                         [](const auto& a, const auto& b) { return a.score > b.score; });
        result.resize(std::min(result.size(), static_cast<std::size_t>(options.top_k)));
        return result;
    }

private:
    Answer answer_at(const Encoding& window, TokenSpan span) const {
        if (options.align_to_words) span = aligned_to_words(window, span, context_text);
        // A [CLS] in the question may be taken for a part of the answer. Its place there is then,
        // as in Hugging Face, one in the context.
        const auto byte = [&](std::size_t token, Index bytes, Index points) {
            return window.sequence_ids[token] == context_text ? static_cast<std::size_t>(bytes)
                                                              : byte_of(text, points);
        };
        const Index start = window.offsets[span.first].first;
        const Index end = window.offsets[span.last].second;
        const std::size_t begin = byte(span.first, window.byte_offsets[span.first].first, start);
        const std::size_t stop = byte(span.last, window.byte_offsets[span.last].second, end);
        return {static_cast<double>(span.score),
                start,
                end,
                std::string(begin < stop ? text.substr(begin, stop - begin) : ""),
                static_cast<Index>(begin),
                static_cast<Index>(stop)};
    }
};

}  // namespace nystromformer::inline v0_2::detail
