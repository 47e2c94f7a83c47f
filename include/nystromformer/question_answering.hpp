// SPDX-License-Identifier: MIT
// QuestionAnsweringPipeline: a question and a text in, the spans of the text that answer it out.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/shared.hpp>
#include <nystromformer/model/forward.hpp>
#include <nystromformer/options.hpp>

#include <filesystem>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2 {

class Tokenizer;

/// A span of the context, with Hugging Face's names.
struct QuestionAnsweringAnswer {
    /// The probability of its start times that of its end, added up over spans that read the same.
    double score;
    Index start, end;    ///< code points in the context
    std::string answer;  ///< the text of the span; "" if the context holds no answer
    Index byte_start = 0, byte_end = 0;  ///< bytes in the context
};

struct QuestionAnsweringOptions {
    Index top_k = 1;  ///< most answers
    /// Tokens of question and context in one window. Nothing: 384, or the tokenizer's
    /// model_max_length or the model's positions if that is less.
    std::optional<Index> max_seq_len = std::nullopt;
    /// Tokens that the windows of a long context share. Nothing: 128 or half of max_seq_len.
    std::optional<Index> doc_stride = std::nullopt;
    Index max_answer_len = 15;              ///< most tokens of an answer
    bool handle_impossible_answer = false;  ///< also consider that there is no answer
    bool align_to_words = true;             ///< answers of whole words
    /// Called for each context that was split into windows, before it is computed.
    std::function<void(const TruncationNotice&)> on_truncation = {};
    RunOptions run = RunOptions();
};

struct QuestionAnsweringInput {
    std::string question;
    std::string context;
};

/// pipeline("question-answering") of transformers 4.57, which version 5 removed. A context that
/// does not fit max_seq_len is split into windows; a question is never truncated. transformers
/// fills up top_k with spans of score 0, which end before they start; this pipeline leaves them
/// out. A context without a token gets one answer, "" at 0. Every text is computed alone, without
/// padding: its answer is the same bit for bit in any batch and on any number of threads.
/// Immutable, cheap to copy, safe to share between threads.
/// Source: transformers/pipelines/question_answering.py
class QuestionAnsweringPipeline {
public:
    /// Loads model and tokenizer of a Hugging Face folder; throws what those throw.
    explicit QuestionAnsweringPipeline(const std::filesystem::path& folder,
                                       const LoadOptions& options = {});
    /// From a loaded model and tokenizer, which the pipeline shares.
    QuestionAnsweringPipeline(const NystromformerForQuestionAnswering<float>& model,
                              const Tokenizer& tokenizer);

    /// The answers to a question, best first. InputError if a text is empty or the question fills
    /// a whole window.
    [[nodiscard]] std::vector<QuestionAnsweringAnswer> operator()(
        std::string_view question, std::string_view context,
        const QuestionAnsweringOptions& options = {}) const;
    /// The same for several questions, faster than one by one. InputError names the first bad one.
    [[nodiscard]] std::vector<std::vector<QuestionAnsweringAnswer>> batch(
        std::span<const QuestionAnsweringInput> inputs,
        const QuestionAnsweringOptions& options = {}) const;
    [[nodiscard]] std::vector<std::vector<QuestionAnsweringAnswer>> batch(
        std::initializer_list<QuestionAnsweringInput> inputs,
        const QuestionAnsweringOptions& options = {}) const {
        return batch(std::span<const QuestionAnsweringInput>(inputs.begin(), inputs.size()),
                     options);
    }

    /// InputError for options that are out of range or contradict each other.
    void check(const QuestionAnsweringOptions& options) const;

    /// To use them, include <nystromformer/models.hpp> and <nystromformer/tokenizer.hpp>.
    const NystromformerForQuestionAnswering<float>& model() const&;
    const NystromformerForQuestionAnswering<float>& model() const&& = delete;
    const Tokenizer& tokenizer() const&;
    const Tokenizer& tokenizer() const&& = delete;

private:
    struct Body;
    detail::Shared<Body> body_;
};

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/pipelines/question_answering.hpp>
#endif
