// SPDX-License-Identifier: MIT
// FeatureExtractionPipeline: a text in, the hidden states of its tokens out.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/shared.hpp>
#include <nystromformer/embeddings.hpp>
#include <nystromformer/model/forward.hpp>
#include <nystromformer/options.hpp>

#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2 {

class Tokenizer;

struct FeatureExtractionOptions {
    /// With a stride, each token has the states of the window that shows most of the text on both
    /// sides of it.
    LongText long_text = LongText();
    RunOptions run = RunOptions();
};

/// Hugging Face's pipeline("feature-extraction"). Every text is computed alone, without padding:
/// its states are the same bit for bit in any batch and on any number of threads. Immutable, cheap
/// to copy, safe to share between threads.
/// Source: transformers/pipelines/feature_extraction.py
class FeatureExtractionPipeline {
public:
    /// Loads model and tokenizer of a Hugging Face folder; throws what those throw.
    explicit FeatureExtractionPipeline(const std::filesystem::path& folder,
                                       const LoadOptions& options = {});
    /// From a loaded model and tokenizer, which the pipeline shares.
    FeatureExtractionPipeline(const NystromformerModel<float>& model, const Tokenizer& tokenizer);

    /// last_hidden_state of a text, special tokens included: (n, hidden). LengthError if the text
    /// is too long.
    [[nodiscard]] Embeddings operator()(std::string_view text,
                                        const FeatureExtractionOptions& options = {}) const;
    void operator()(detail::TextsInBraces, const FeatureExtractionOptions& = {}) const = delete;
    /// The same for each of several texts, faster than one by one. InputError names the first bad
    /// text.
    [[nodiscard]] std::vector<Embeddings> batch(std::span<const std::string> texts,
                                                const FeatureExtractionOptions& options = {}) const;
    [[nodiscard]] std::vector<Embeddings> batch(
        std::initializer_list<std::string> texts,
        const FeatureExtractionOptions& options = {}) const {
        return batch(std::span<const std::string>(texts.begin(), texts.size()), options);
    }
    std::vector<Embeddings> batch(detail::TextsInTwoBraces,
                                  const FeatureExtractionOptions& = {}) const = delete;

    /// InputError for options that are out of range or contradict each other.
    void check(const FeatureExtractionOptions& options) const;

    /// To use them, include <nystromformer/models.hpp> and <nystromformer/tokenizer.hpp>.
    const NystromformerModel<float>& model() const&;
    const NystromformerModel<float>& model() const&& = delete;
    const Tokenizer& tokenizer() const&;
    const Tokenizer& tokenizer() const&& = delete;

private:
    struct Body;
    detail::Shared<Body> body_;
};

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/pipelines/feature_extraction.hpp>
#endif
