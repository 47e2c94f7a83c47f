// SPDX-License-Identifier: MIT
// QuestionAnsweringPipeline's body: the best spans of a context's windows, joined.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/pipelines/answer_spans.hpp>
#include <nystromformer/pipelines/bad_inputs.hpp>
#include <nystromformer/pipelines/batches.hpp>
#include <nystromformer/pipelines/joined_answers.hpp>
#include <nystromformer/pipelines/scores.hpp>
#include <nystromformer/pipelines/text_model.hpp>
#include <nystromformer/pipelines/windows.hpp>
#include <nystromformer/question_answering.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

struct QuestionAnsweringPipeline::Body
    : detail::TextModel<NystromformerForQuestionAnswering<float>> {
    std::optional<std::int64_t> cls_id;

    Body(const std::filesystem::path& folder, const LoadOptions& options)
        : Body(TextModel(folder, options)) {}
    Body(const NystromformerForQuestionAnswering<float>& loaded, const Tokenizer& own)
        : Body(TextModel(loaded, own)) {}
    explicit Body(TextModel both)
        : TextModel(std::move(both)), cls_id(id_of(tokenizer.cls_token())) {}

    /// The same of several questions, faster than one by one. InputError names the first bad one.
    std::vector<std::vector<QuestionAnsweringAnswer>> batch(
        std::span<const QuestionAnsweringInput> inputs,
        const QuestionAnsweringOptions& options = {}) const {
        check(options);
        std::vector<Encoding> windows;  // of all inputs
        std::vector<std::size_t> first_window{0};
        detail::for_each_text(inputs.size(), options.run, [&](std::size_t i) {
            for (Encoding& window : encode(inputs[i], i, options))
                windows.push_back(std::move(window));
            first_window.push_back(windows.size());
        });
        check_spans(windows, options);
        std::vector<detail::WindowAnswers> answers(windows.size());
        const ForwardOptions forward = forward_options(options.run);
        detail::for_each_batch(windows, options.run, [&](std::span<const std::size_t> batch) {
            const ModelInput<float> input = detail::stacked_input(windows, batch);
            const auto output = model(input, forward);
            for (std::size_t i = 0; i < batch.size(); ++i) {
                const auto rows = [&](const Matrix<float>& logits) {
                    return std::span(logits.data() + input.offsets[i],
                                     windows[batch[i]].ids.size());
                };
                answers[batch[i]] = answers_of(windows[batch[i]], rows(output.start_logits),
                                               rows(output.end_logits), options);
            }
        });
        std::vector<std::vector<QuestionAnsweringAnswer>> results;
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            const std::size_t first = first_window[i], count = first_window[i + 1] - first;
            const detail::AnswerJoiner<QuestionAnsweringAnswer, QuestionAnsweringOptions> joined{
                inputs[i].context, context_text(), options};
            results.push_back(joined(std::span(windows).subspan(first, count),
                                     std::span(answers).subspan(first, count)));
        }
        return results;
    }

    /// InputError if options are out of range or against each other.
    void check(const QuestionAnsweringOptions& options) const {
        detail::check_options(options.run, config());
        const auto range = [](const char* name, Index value, Index least) {
            constexpr Index most = Index{1} << 30;
            if (value >= least && value <= most) return;
            throw InputError({"", name, std::to_string(least) + " to " + std::to_string(most),
                              std::to_string(value)});
        };
        range("top_k", options.top_k, 1);
        range("max_answer_len", options.max_answer_len, 1);
        range("max_seq_len", max_seq_len(options), 1);
        range("doc_stride", doc_stride(options), 0);
        if (doc_stride(options) > max_seq_len(options)) {
            throw InputError({"", "doc_stride",
                              "at most max_seq_len " + std::to_string(max_seq_len(options)),
                              std::to_string(doc_stride(options))});
        }
    }

    /// As in Hugging Face the question comes after the context if padding is on the left. (There
    /// answers are then looked for in the question, too, by oversight; here they are not.)
    bool question_first() const { return tokenizer.padding_side() == Direction::right; }
    /// Which text of the pair the context is.
    Index context_text() const { return question_first() ? 1 : 0; }

    static constexpr int max_span_tokens = 1 << 24;  // of all windows of a call

    Index max_seq_len(const QuestionAnsweringOptions& options) const {
        return options.max_seq_len.value_or(std::min<Index>(384, max_length()));
    }
    Index doc_stride(const QuestionAnsweringOptions& options) const {
        return options.doc_stride.value_or(std::min<Index>(max_seq_len(options) / 2, 128));
    }

    std::vector<Encoding> encode(const QuestionAnsweringInput& input, std::size_t number,
                                 const QuestionAnsweringOptions& options) const {
        const bool first = question_first();
        const detail::TextInput text{
            .text = first ? input.question : input.context,
            .pair = first ? input.context : input.question,
            .number = number,
            .strategy = first ? TruncationStrategy::only_second : TruncationStrategy::only_first,
            .gives_token_type_ids = true};  // as transformers 4 does
        if (input.question.empty() || input.context.empty()) {
            throw InputError({"", "", "a question and a context",
                              input.question.empty() ? "no question" : "no context", number});
        }
        return encode_windows(text, max_seq_len(options), doc_stride(options),
                              options.on_truncation);
    }

    /// The most spans of a window that are weighed in the end: some will be the same once they are
    /// aligned to words.
    static Index count_of(const QuestionAnsweringOptions& options) {
        return options.align_to_words ? options.top_k * 2 + 10 : options.top_k;
    }

    /// InputError if the spans of all windows would have too many tokens in all.
    static void check_spans(const std::vector<Encoding>& windows,
                            const QuestionAnsweringOptions& options) {
        double tokens = 0;
        for (const Encoding& window : windows) {
            const auto size = static_cast<double>(window.size());
            const double longest = std::min(size, static_cast<double>(options.max_answer_len));
            tokens += std::min(static_cast<double>(count_of(options)), size * longest) * longest;
        }
        if (tokens <= max_span_tokens) return;
        throw InputError({"", "top_k",
                          "times max_answer_len times windows at most " +
                              std::to_string(max_span_tokens) + " tokens of answers to weigh",
                          std::to_string(options.top_k)});
    }

    detail::WindowAnswers answers_of(const Encoding& window, std::span<const float> start_logits,
                                     std::span<const float> end_logits,
                                     const QuestionAnsweringOptions& options) const {
        std::vector<bool> allowed;
        for (std::size_t i = 0; i < window.ids.size(); ++i) {
            // [CLS] stands for "no answer".
            allowed.push_back(window.sequence_ids[i] == context_text() || window.ids[i] == cls_id);
        }
        std::vector<float> start = detail::softmax_of(start_logits, allowed);
        std::vector<float> end = detail::softmax_of(end_logits, allowed);
        detail::WindowAnswers answers;
        answers.null_score = start[0] * end[0];
        start[0] = end[0] = 0;
        answers.spans =
            detail::best_spans(start, end, allowed, static_cast<std::size_t>(count_of(options)),
                               static_cast<std::size_t>(options.max_answer_len));
        return answers;
    }
};

NYSTROMFORMER_INLINE QuestionAnsweringPipeline::QuestionAnsweringPipeline(
    const std::filesystem::path& folder, const LoadOptions& options)
    : body_(std::make_shared<const Body>(folder, options)) {}
NYSTROMFORMER_INLINE QuestionAnsweringPipeline::QuestionAnsweringPipeline(
    const NystromformerForQuestionAnswering<float>& model, const Tokenizer& tokenizer)
    : body_(std::make_shared<const Body>(model, tokenizer)) {}

NYSTROMFORMER_INLINE std::vector<QuestionAnsweringAnswer> QuestionAnsweringPipeline::operator()(
    std::string_view question, std::string_view context,
    const QuestionAnsweringOptions& options) const {
    const QuestionAnsweringInput input{std::string(question), std::string(context)};
    return std::move(batch({&input, 1}, options).front());
}
NYSTROMFORMER_INLINE std::vector<std::vector<QuestionAnsweringAnswer>>
QuestionAnsweringPipeline::batch(std::span<const QuestionAnsweringInput> inputs,
                                 const QuestionAnsweringOptions& options) const {
    return detail::answer_apart<std::vector<QuestionAnsweringAnswer>>(
        inputs, options, [&](auto some, const auto& part) { return body_->batch(some, part); });
}
NYSTROMFORMER_INLINE void QuestionAnsweringPipeline::check(
    const QuestionAnsweringOptions& options) const {
    body_->check(options);
}

NYSTROMFORMER_INLINE const NystromformerForQuestionAnswering<float>&
QuestionAnsweringPipeline::model() const& {
    return body_->model;
}
NYSTROMFORMER_INLINE const Tokenizer& QuestionAnsweringPipeline::tokenizer() const& {
    return body_->tokenizer;
}

}  // namespace nystromformer::inline v0_2
