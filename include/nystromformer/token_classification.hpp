// SPDX-License-Identifier: MIT
// TokenClassificationPipeline: a text in, its labelled tokens or entities out.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/shared.hpp>
#include <nystromformer/entity.hpp>
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

/// The strategy of that name, or nothing.
std::optional<AggregationStrategy> aggregation_strategy_named(std::string_view name);

struct TokenClassificationOptions {
    AggregationStrategy aggregation_strategy = AggregationStrategy::none;
    std::vector<std::string> ignore_labels = {"O"};  ///< entities of these are left out
    /// A stride needs an aggregation_strategy. A window has at most the tokenizer's
    /// model_max_length tokens, or what the model takes if that is less. Where windows overlap, the
    /// longest entity stays, or the more likely one of equally long entities.
    LongText long_text = LongText();
    RunOptions run = RunOptions();
};

/// Hugging Face's pipeline("token-classification"), or "ner". Every text is computed alone, without
/// padding (except for the last window of a text with a stride, which is padded as in Hugging
/// Face): its answer is the same bit for bit in any batch and on any number of threads. Immutable,
/// cheap to copy, safe to share between threads.
/// Source: transformers/pipelines/token_classification.py
class TokenClassificationPipeline {
public:
    /// Loads model and tokenizer of a Hugging Face folder; throws what those throw.
    explicit TokenClassificationPipeline(const std::filesystem::path& folder,
                                         const LoadOptions& options = {});
    /// From a loaded model and tokenizer, which the pipeline shares.
    TokenClassificationPipeline(const NystromformerForTokenClassification<float>& model,
                                const Tokenizer& tokenizer);

    /// The entities of a text, in the order of the text. LengthError if the text is too long.
    [[nodiscard]] std::vector<TokenClassificationAnswer> operator()(
        std::string_view text, const TokenClassificationOptions& options = {}) const;
    void operator()(detail::TextsInBraces, const TokenClassificationOptions& = {}) const = delete;
    /// The entities of each of several texts, faster than one by one. InputError names the first
    /// bad text.
    [[nodiscard]] std::vector<std::vector<TokenClassificationAnswer>> batch(
        std::span<const std::string> texts, const TokenClassificationOptions& options = {}) const;
    [[nodiscard]] std::vector<std::vector<TokenClassificationAnswer>> batch(
        std::initializer_list<std::string> texts,
        const TokenClassificationOptions& options = {}) const {
        return batch(std::span<const std::string>(texts.begin(), texts.size()), options);
    }
    std::vector<std::vector<TokenClassificationAnswer>> batch(
        detail::TextsInTwoBraces, const TokenClassificationOptions& = {}) const = delete;

    /// InputError for options that are out of range or contradict each other.
    void check(const TokenClassificationOptions& options) const;

    /// To use them, include <nystromformer/models.hpp> and <nystromformer/tokenizer.hpp>.
    const NystromformerForTokenClassification<float>& model() const&;
    const NystromformerForTokenClassification<float>& model() const&& = delete;
    const Tokenizer& tokenizer() const&;
    const Tokenizer& tokenizer() const&& = delete;

private:
    struct Body;
    detail::Shared<Body> body_;
};

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/pipelines/token_classification.hpp>
#endif
