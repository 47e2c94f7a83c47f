// SPDX-License-Identifier: MIT
// TextClassificationPipeline: a text, or a pair of texts, in; labels with scores out.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/shared.hpp>
#include <nystromformer/model/forward.hpp>
#include <nystromformer/options.hpp>

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2 {

class Tokenizer;

/// One label for a text, with Hugging Face's names.
struct ClassificationAnswer {
    std::string label;  ///< from the config's id2label
    double score;       ///< as ClassificationFunction says: a probability, or a logit for `none`
};

/// How logits become scores.
enum class ClassificationFunction { none, sigmoid, softmax };

/// The function of that name, or nothing (also for "default").
std::optional<ClassificationFunction> classification_function_named(std::string_view name);

struct TextClassificationOptions {
    std::optional<Index> top_k = 1;  ///< the best labels; nothing: all
    /// Nothing: none for problem_type regression, else sigmoid for a single label or problem_type
    /// multi_label_classification, else softmax.
    std::optional<ClassificationFunction> function_to_apply = std::nullopt;
    /// With a stride, the longer text of a pair is split, and each window goes with the whole other
    /// text. The scores are the means of the windows' scores, each weighted by its number of
    /// tokens without special ones. A window has at most the tokenizer's model_max_length tokens,
    /// or what the model takes if that is less.
    LongText long_text = LongText();
    RunOptions run = RunOptions();
};

/// A text, or two texts that the model judges together, such as premise and hypothesis. An empty
/// text_pair counts as no pair, as in transformers.
struct ClassificationInput {
    std::string text;
    std::optional<std::string> text_pair = std::nullopt;
};

/// Hugging Face's pipeline("text-classification"). Every text is computed alone, without padding:
/// its answer is the same bit for bit in any batch and on any number of threads. Immutable, cheap
/// to copy, safe to share between threads.
/// Source: transformers/pipelines/text_classification.py
class TextClassificationPipeline {
public:
    /// Loads model and tokenizer of a Hugging Face folder; throws what those throw.
    explicit TextClassificationPipeline(const std::filesystem::path& folder,
                                        const LoadOptions& options = {});
    /// From a loaded model and tokenizer, which the pipeline shares.
    TextClassificationPipeline(const NystromformerForSequenceClassification<float>& model,
                               const Tokenizer& tokenizer);

    /// The labels of a text, best first. LengthError if the text is too long.
    [[nodiscard]] std::vector<ClassificationAnswer> operator()(
        std::string_view text, const TextClassificationOptions& options = {}) const;
    void operator()(detail::TextsInBraces, const TextClassificationOptions& = {}) const = delete;
    /// The labels of a pair.
    [[nodiscard]] std::vector<ClassificationAnswer> pair(
        std::string_view text, std::string_view text_pair,
        const TextClassificationOptions& options = {}) const;
    /// The labels of each of several inputs, faster than one by one. InputError names the first
    /// bad one.
    [[nodiscard]] std::vector<std::vector<ClassificationAnswer>> batch(
        std::span<const ClassificationInput> inputs,
        const TextClassificationOptions& options = {}) const;
    [[nodiscard]] std::vector<std::vector<ClassificationAnswer>> batch(
        std::initializer_list<ClassificationInput> inputs,
        const TextClassificationOptions& options = {}) const {
        return batch(std::span<const ClassificationInput>(inputs.begin(), inputs.size()), options);
    }
    /// The labels of each of several texts.
    [[nodiscard]] std::vector<std::vector<ClassificationAnswer>> batch(
        std::span<const std::string> texts, const TextClassificationOptions& options = {}) const {
        std::vector<ClassificationInput> inputs;
        for (const std::string& text : texts) inputs.push_back({text});
        return batch(std::span<const ClassificationInput>(inputs), options);
    }
    [[nodiscard]] std::vector<std::vector<ClassificationAnswer>> batch(
        const std::vector<std::string>& texts,
        const TextClassificationOptions& options = {}) const {
        return batch(std::span<const std::string>(texts), options);
    }

    /// InputError for options that are out of range.
    void check(const TextClassificationOptions& options) const;

    /// To use them, include <nystromformer/models.hpp> and <nystromformer/tokenizer.hpp>.
    const NystromformerForSequenceClassification<float>& model() const&;
    const NystromformerForSequenceClassification<float>& model() const&& = delete;
    const Tokenizer& tokenizer() const&;
    const Tokenizer& tokenizer() const&& = delete;

private:
    struct Body;
    detail::Shared<Body> body_;
};

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/pipelines/text_classification.hpp>
#endif
