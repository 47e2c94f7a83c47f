// SPDX-License-Identifier: MIT
// ZeroShotClassificationPipeline: a text and labels of the caller's own in, a score for each out.
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

/// A text and its labels with their scores, best first, with Hugging Face's names.
struct ZeroShotAnswer {
    std::string sequence;
    std::vector<std::string> labels;
    std::vector<double> scores;
};

struct ZeroShotOptions {
    /// The hypothesis that the model judges for each label. The label replaces the {}.
    std::string hypothesis_template = "This example is {}.";
    /// true: each label has its own score, entailment against contradiction. false: the scores of
    /// all labels add up to 1.
    bool multi_label = false;
    /// With a stride, each window goes with the whole hypothesis. A label's logits are the means
    /// over the windows, each weighted by its number of tokens without special ones. Windows are as
    /// long as for text classification.
    LongText long_text = LongText();
    RunOptions run = RunOptions();
};

struct ZeroShotInput {
    std::string sequence;
    std::vector<std::string> candidate_labels;
};

/// Hugging Face's pipeline("zero-shot-classification"), for models of natural language inference:
/// a label's score comes from the logit of entailment of its hypothesis. Every text is computed
/// alone, without padding: its answer is the same bit for bit in any batch and on any number of
/// threads. Immutable, cheap to copy, safe to share between threads.
/// Source: transformers/pipelines/zero_shot_classification.py
class ZeroShotClassificationPipeline {
public:
    /// Loads model and tokenizer of a Hugging Face folder; throws what those throw.
    explicit ZeroShotClassificationPipeline(const std::filesystem::path& folder,
                                            const LoadOptions& options = {});
    /// From a loaded model and tokenizer, which the pipeline shares. `on_notice` is called if no
    /// label means entailment, as LoadOptions::on_notice is for a folder.
    ZeroShotClassificationPipeline(const NystromformerForSequenceClassification<float>& model,
                                   const Tokenizer& tokenizer,
                                   const std::function<void(const Notice&)>& on_notice = {});

    /// The labels of a text, best first. InputError if there is no label, if the text is too long,
    /// and for a hypothesis_template without {}.
    [[nodiscard]] ZeroShotAnswer operator()(std::string_view sequence,
                                            std::vector<std::string> candidate_labels,
                                            const ZeroShotOptions& options = {}) const;
    void operator()(detail::TextsInBraces, std::vector<std::string>,
                    const ZeroShotOptions& = {}) const = delete;
    ZeroShotAnswer operator()(std::string_view, detail::TextsInTwoBraces,
                              const ZeroShotOptions& = {}) const = delete;
    /// The same for several texts, faster than one by one. InputError names the first bad one.
    [[nodiscard]] std::vector<ZeroShotAnswer> batch(std::span<const ZeroShotInput> inputs,
                                                    const ZeroShotOptions& options = {}) const;
    [[nodiscard]] std::vector<ZeroShotAnswer> batch(std::initializer_list<ZeroShotInput> inputs,
                                                    const ZeroShotOptions& options = {}) const {
        return batch(std::span<const ZeroShotInput>(inputs.begin(), inputs.size()), options);
    }

    /// InputError for options that are out of range.
    void check(const ZeroShotOptions& options) const;
    /// The first label of label2id, in the order of config.json, whose name starts with "entail" in
    /// any case. Nothing if there is none: the last label then counts as entailment, as in Hugging
    /// Face.
    std::optional<Index> entailment_id() const;

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
#include <nystromformer/pipelines/zero_shot_classification.hpp>
#endif
