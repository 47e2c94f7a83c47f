// SPDX-License-Identifier: MIT
// FillMaskPipeline: a text with mask tokens in, the likeliest tokens for each out.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/shared.hpp>
#include <nystromformer/model/forward.hpp>
#include <nystromformer/options.hpp>

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2 {

class Tokenizer;

/// One token for a mask, with Hugging Face's names.
struct FillMaskAnswer {
    double score;           ///< its probability over the whole vocabulary, also with targets
    std::int64_t token;     ///< its id
    std::string token_str;  ///< its text
    std::string sequence;   ///< the decoded text with the token in place of the mask
};

struct FillMaskOptions {
    Index top_k = 5;                        ///< answers for each mask
    std::vector<std::string> targets = {};  ///< score only these; see FillMaskPipeline::target_ids
    /// With a stride, each mask is answered in the window that shows most of the text on both sides
    /// of it.
    LongText long_text = LongText();
    RunOptions run = RunOptions();
};

/// Hugging Face's pipeline("fill-mask"). Every text is computed alone, without padding: its answer
/// is the same bit for bit in any batch and on any number of threads. Immutable, cheap to copy,
/// safe to share between threads. Source: transformers/pipelines/fill_mask.py
class FillMaskPipeline {
public:
    /// Loads model and tokenizer of a Hugging Face folder. Throws what those throw, and
    /// TokenizerError if the tokenizer defines no mask token.
    explicit FillMaskPipeline(const std::filesystem::path& folder, const LoadOptions& options = {});
    /// From a loaded model and tokenizer, which the pipeline shares. TokenizerError if the
    /// tokenizer defines no mask token.
    FillMaskPipeline(const NystromformerForMaskedLM<float>& model, const Tokenizer& tokenizer);

    /// The answers for a text with exactly one mask, best first. InputError if it has none or
    /// several, if the text is too long, and for options that `check` refuses.
    [[nodiscard]] std::vector<FillMaskAnswer> operator()(std::string_view text,
                                                         const FillMaskOptions& options = {}) const;
    void operator()(detail::TextsInBraces, const FillMaskOptions& = {}) const = delete;
    /// The answers for each mask of a text, in order. Each mask is filled alone; the others stay
    /// masks. InputError if there is none.
    [[nodiscard]] std::vector<std::vector<FillMaskAnswer>> each_mask(
        std::string_view text, const FillMaskOptions& options = {}) const;
    void each_mask(detail::TextsInBraces, const FillMaskOptions& = {}) const = delete;
    /// `each_mask` of several texts, faster than one by one. InputError names the first bad text.
    [[nodiscard]] std::vector<std::vector<std::vector<FillMaskAnswer>>> batch(
        std::span<const std::string> texts, const FillMaskOptions& options = {}) const;
    [[nodiscard]] std::vector<std::vector<std::vector<FillMaskAnswer>>> batch(
        std::initializer_list<std::string> texts, const FillMaskOptions& options = {}) const {
        return batch(std::span<const std::string>(texts.begin(), texts.size()), options);
    }
    std::vector<std::vector<FillMaskAnswer>> batch(detail::TextsInTwoBraces,
                                                   const FillMaskOptions& = {}) const = delete;

    /// InputError for options that no text could satisfy with this model.
    void check(const FillMaskOptions& options) const;
    /// The ids of targets, ascending, each once. A target spelled like a token is that token. Any
    /// other target is tokenized without special tokens, and its first token is used; a target
    /// without tokens is skipped. Empty for no targets; InputError if all of them are skipped.
    std::vector<std::int64_t> target_ids(const std::vector<std::string>& targets) const;

    /// To use them, include <nystromformer/models.hpp> and <nystromformer/tokenizer.hpp>.
    const NystromformerForMaskedLM<float>& model() const&;
    const NystromformerForMaskedLM<float>& model() const&& = delete;
    const Tokenizer& tokenizer() const&;
    const Tokenizer& tokenizer() const&& = delete;

private:
    struct Body;
    detail::Shared<Body> body_;
};

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/pipelines/fill_mask.hpp>
#endif
