// SPDX-License-Identifier: MIT
// The bodies of to_json: fields of answers, and numbers in few digits.
#pragma once

#include <nystromformer/answers_json.hpp>
#include <nystromformer/core/finite.hpp>
#include <nystromformer/core/json_tree.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/embeddings.hpp>
#include <nystromformer/entity.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/fill_mask.hpp>
#include <nystromformer/multiple_choice.hpp>
#include <nystromformer/question_answering.hpp>
#include <nystromformer/rerank.hpp>
#include <nystromformer/semantic_search.hpp>
#include <nystromformer/text_classification.hpp>
#include <nystromformer/zero_shot_classification.hpp>

#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2 {

namespace detail {

inline std::string json_text(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <typename Answer>
void add_byte_offsets(const Answer& answer, const AnswerJsonOptions& options, Json& json) {
    if (!options.byte_offsets) return;
    json["byte_start"] = answer.byte_start;
    json["byte_end"] = answer.byte_end;
}

/// Writes `number` with the fewest digits that are this float, and returns their end.
inline const char* write_shortest(char* digits, std::size_t size, float number) {
#if defined(__cpp_lib_to_chars)
    return std::to_chars(digits, digits + size, number).ptr;
#else  // LLVM's library has it from version 14 on, for integers alone before
    int length = 0;
    for (int precision = 1; precision <= 9; ++precision) {
        length = std::snprintf(digits, size, "%.*g", precision, static_cast<double>(number));
        if (std::strtof(digits, nullptr) == number) break;
    }
    return digits + length;
#endif
}

/// The text that a hit is about. InputError if there is none.
inline const std::string& corpus_text(Index corpus_id, std::span<const std::string> texts) {
    const auto size = static_cast<Index>(texts.size());
    if (corpus_id >= 0 && corpus_id < size) return texts[static_cast<std::size_t>(corpus_id)];
    throw InputError({"", "texts", "a text for corpus_id " + std::to_string(corpus_id),
                      std::to_string(size) + " texts"});
}

/// The hits of a search or a reranking.
template <typename Hit>
std::string json_of_hits(const std::vector<Hit>& hits, std::span<const std::string> texts) {
    Json list = Json::array();
    for (const auto& [corpus_id, score] : hits) {
        Json& json = list.emplace_back(Json{{"corpus_id", corpus_id}, {"score", score}});
        if (!texts.empty()) json["text"] = corpus_text(corpus_id, texts);
    }
    return json_text(list);
}

}  // namespace detail

NYSTROMFORMER_INLINE std::string to_json(const std::vector<ClassificationAnswer>& answers) {
    detail::Json list = detail::Json::array();
    for (const auto& [label, score] : answers) list.push_back({{"label", label}, {"score", score}});
    return detail::json_text(list);
}
NYSTROMFORMER_INLINE std::string to_json(const ZeroShotAnswer& answer) {
    return detail::json_text(
        {{"sequence", answer.sequence}, {"labels", answer.labels}, {"scores", answer.scores}});
}
NYSTROMFORMER_INLINE std::string to_json(const std::vector<TokenClassificationAnswer>& answers,
                                         const AnswerJsonOptions& options) {
    using detail::Json;
    Json list = Json::array();
    for (const TokenClassificationAnswer& answer : answers) {
        Json& json = list.emplace_back(Json{{"score", answer.score},
                                            {"word", answer.word},
                                            {"start", answer.start},
                                            {"end", answer.end}});
        json[answer.index ? "entity" : "entity_group"] = answer.entity;
        if (answer.index) json["index"] = *answer.index;
        if (options.word_ids) json["word_id"] = answer.word_id ? Json(*answer.word_id) : Json();
        detail::add_byte_offsets(answer, options, json);
    }
    return detail::json_text(list);
}
NYSTROMFORMER_INLINE std::string to_json(const std::vector<QuestionAnsweringAnswer>& answers,
                                         const AnswerJsonOptions& options) {
    using detail::Json;
    Json list = Json::array();
    for (const QuestionAnsweringAnswer& answer : answers) {
        Json& json = list.emplace_back(Json{{"score", answer.score},
                                            {"start", answer.start},
                                            {"end", answer.end},
                                            {"answer", answer.answer}});
        detail::add_byte_offsets(answer, options, json);
    }
    return detail::json_text(list.size() == 1 ? list[0] : list);
}
NYSTROMFORMER_INLINE std::string to_json(const MultipleChoiceAnswer& answer) {
    return detail::json_text(
        {{"choice", answer.choice}, {"text", answer.text}, {"scores", answer.scores}});
}
namespace detail {

inline Json json_of(const std::vector<FillMaskAnswer>& answers) {
    Json list = Json::array();
    for (const auto& [score, token, token_str, sequence] : answers) {
        list.push_back(
            {{"score", score}, {"token", token}, {"token_str", token_str}, {"sequence", sequence}});
    }
    return list;
}

}  // namespace detail

NYSTROMFORMER_INLINE std::string to_json(const std::vector<FillMaskAnswer>& answers) {
    return detail::json_text(detail::json_of(answers));
}
NYSTROMFORMER_INLINE std::string to_json(const std::vector<std::vector<FillMaskAnswer>>& answers) {
    using detail::Json;
    Json lists = Json::array();
    for (const std::vector<FillMaskAnswer>& of_mask : answers)
        lists.push_back(detail::json_of(of_mask));
    return detail::json_text(lists.size() == 1 ? lists[0] : lists);
}
NYSTROMFORMER_INLINE std::string to_json(const std::vector<RerankAnswer>& answers,
                                         std::span<const std::string> texts) {
    return detail::json_of_hits(answers, texts);
}
NYSTROMFORMER_INLINE std::string to_json(const std::vector<SearchHit>& hits,
                                         std::span<const std::string> texts) {
    return detail::json_of_hits(hits, texts);
}
NYSTROMFORMER_INLINE std::string to_json(std::span<const float> row) {
    std::string text = "[";
    for (const float number : row) {
        char digits[32];
        const char* end = detail::write_shortest(digits, sizeof digits, number);
        if (text.size() > 1) text += ',';
        const std::string_view spelled(digits, static_cast<std::size_t>(end - digits));
        text += detail::is_finite(number) ? spelled : "null";
        const bool is_whole = spelled.find_first_not_of("-0123456789") == spelled.npos;
        if (is_whole) text += ".0";  // as Python writes a float
    }
    return text + ']';
}
NYSTROMFORMER_INLINE std::string to_json(const Embeddings& rows) {
    rows.check();
    std::string text = "[";
    for (Index i = 0; i < rows.rows; ++i) {
        if (i > 0) text += ',';
        text += to_json(rows.row(i));
    }
    return text + ']';
}

}  // namespace nystromformer::inline v0_2
