// SPDX-License-Identifier: MIT
// Answers as JSON text, in the shapes that Hugging Face's pipelines return.
#pragma once

#include <nystromformer/core/mode.hpp>

#include <span>
#include <string>
#include <vector>

namespace nystromformer::inline v0_2 {

struct ClassificationAnswer;
struct Embeddings;
struct FillMaskAnswer;
struct MultipleChoiceAnswer;
struct QuestionAnsweringAnswer;
struct RerankAnswer;
struct SearchHit;
struct TokenClassificationAnswer;
struct ZeroShotAnswer;

// Each function returns one line of valid JSON. Bytes that are not UTF-8 become U+FFFD; NaN and
// infinity, which JSON lacks, become null. Numbers have the fewest digits that read back as the
// same double (scores) or float (vectors).

/// Fields to add to those of Hugging Face.
struct AnswerJsonOptions {
    bool byte_offsets = false;  ///< "byte_start" and "byte_end" of an entity or answer
    bool word_ids = false;      ///< "word_id" of a token; null for none
};

/// `[{"label", "score"}]`
[[nodiscard]] std::string to_json(const std::vector<ClassificationAnswer>& answers);
/// `{"sequence", "labels", "scores"}`
[[nodiscard]] std::string to_json(const ZeroShotAnswer& answer);
/// `[{"entity", "score", "index", "word", "start", "end"}]`, or with an aggregation_strategy
/// `[{"entity_group", "score", "word", "start", "end"}]`
[[nodiscard]] std::string to_json(const std::vector<TokenClassificationAnswer>& answers,
                                  const AnswerJsonOptions& options = {});
/// `[{"score", "start", "end", "answer"}]`; a single answer is an object without the list
[[nodiscard]] std::string to_json(const std::vector<QuestionAnsweringAnswer>& answers,
                                  const AnswerJsonOptions& options = {});
/// `{"choice", "text", "scores"}`
[[nodiscard]] std::string to_json(const MultipleChoiceAnswer& answer);
/// `[{"score", "token", "token_str", "sequence"}]` for one mask, a list of these for several
[[nodiscard]] std::string to_json(const std::vector<FillMaskAnswer>& answers);
[[nodiscard]] std::string to_json(const std::vector<std::vector<FillMaskAnswer>>& answers);
/// `[{"corpus_id", "score"}]`, with "text" if `texts`, those that were ranked, are given.
/// InputError for a corpus_id beyond them.
[[nodiscard]] std::string to_json(const std::vector<RerankAnswer>& answers,
                                  std::span<const std::string> texts = {});
/// The same for a search; `texts` are the corpus.
[[nodiscard]] std::string to_json(const std::vector<SearchHit>& hits,
                                  std::span<const std::string> texts = {});
/// `[numbers]`
[[nodiscard]] std::string to_json(std::span<const float> row);
/// `[[numbers], ...]`, a list for each row
[[nodiscard]] std::string to_json(const Embeddings& rows);

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/pipelines/answers_json.hpp>
#endif
