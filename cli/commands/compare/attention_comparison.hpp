// SPDX-License-Identifier: MIT
// AttentionComparison: a text in; what Nystrom attention costs and changes compared with exact
// attention out.
#pragma once

#include "commands/compare/compared_model.hpp"

#include <nystromformer/models.hpp>
#include <nystromformer/options.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace compare_command {

struct AttentionComparisonOptions {
    // Nystrom attention is run with each combination of these three, exact attention before it.
    std::vector<Index> num_landmarks = {16, 32, 64, 128, 256};
    std::vector<nf::InverseInit> inverses = {nf::InverseInit::sequence, nf::InverseInit::matrix};
    std::vector<Index> inverse_iterations = {6};
    Index repeat = 5;  ///< timed passes of each attention, which take turns
    /// Passes in which masks are guessed (fewer if the tokens do not last), each with
    /// AttentionComparison::mask_share of the tokens masked, none twice.
    Index mask_passes = 1;
    std::uint64_t seed = 0;       ///< of the choice of tokens to mask
    nf::LongText long_text = {};  ///< truncation cuts a text that is too long; no stride
    std::function<void(Index done, Index total)> progress = {};  ///< after each forward pass
};

/// One attention and what was measured of it.
struct ComparedAttention {
    nf::ForwardOptions options;
    /// False for exact attention, also when nystrom comes to it: the text has no more tokens than
    /// num_landmarks.
    bool uses_landmarks = false;
    std::vector<double> seconds = {};  ///< of each timed pass of the encoder over the whole text
    /// What such a pass takes besides the weights and the text: its result, last_hidden_state, and
    /// the most scratch memory that it has in use, of all threads.
    std::size_t memory_bytes = 0;
    /// Cosines between the tokens' rows of last_hidden_state here and by exact attention.
    double cosine_mean = 1, cosine_min = 1;
    /// Shares of the masked tokens whose likeliest token is the one by exact attention, and the
    /// one that was masked. Nothing without masks.
    std::optional<double> agreement = std::nullopt, accuracy = std::nullopt;
    /// [layer][head], of the whole text: EncoderReport::inverse_residuals. Empty without landmarks.
    std::vector<std::vector<double>> inverse_residuals = {};

    double min_seconds() const { return *std::min_element(seconds.begin(), seconds.end()); }
    double median_seconds() const;
};

struct AttentionComparisonResult {
    Index tokens = 0;                           ///< special tokens included
    Index masks = 0;                            ///< tokens that were masked, over all passes
    Index mask_passes = 0;                      ///< passes in which they were guessed
    std::string no_masks = {};                  ///< why there are none, or empty
    std::vector<ComparedAttention> attentions;  ///< exact first, then by landmarks
};

/// Runs exact and Nystrom attention over a text, so that a user can choose on evidence. All numbers
/// but the times are the same in every run. The memory is right if no other thread of the process
/// runs a model meanwhile.
class AttentionComparison {
public:
    static constexpr double mask_share = 0.15;  ///< as in the training of BERT and its kin

    /// Loads tokenizer and encoder of any Hugging Face folder, and its masked-LM head if it has
    /// one; throws what those throw.
    explicit AttentionComparison(const std::filesystem::path& folder,
                                 const nf::LoadOptions& options = {});
    AttentionComparison(ComparedModel model, nf::Tokenizer tokenizer);

    /// InputError if the text is too long, and for options that `check` refuses.
    AttentionComparisonResult operator()(std::string_view text,
                                         const AttentionComparisonOptions& options = {}) const;

    /// InputError if options are out of range.
    void check(const AttentionComparisonOptions& options) const;

    const nf::NystromformerConfig& config() const { return model_.config(); }
    nf::ThreadPool& threads() const { return model_.threads(); }
    nf::Precision precision() const { return model_.precision(); }
    const nf::Tokenizer& tokenizer() const { return tokenizer_; }

private:
    using Advance = std::function<void()>;  // counts a forward pass

    std::string why_no_masks() const;
    /// One pass of each attention: cosines to the states of the first, and residuals.
    void compare_states(const nf::ModelInput<float>& input,
                        std::vector<ComparedAttention>& attentions, const Advance& advance) const;
    /// `repeat` rounds in which each attention runs once, so that a machine that slows down slows
    /// all. Memory is that of a pass as it is later, too: after others.
    void time(const nf::ModelInput<float>& input, Index repeat,
              std::vector<ComparedAttention>& attentions, const Advance& advance) const;
    /// The likeliest tokens for the masks of `samples`, by each attention.
    void guess(const nf::ModelInput<float>& input, const std::vector<std::vector<Index>>& samples,
               AttentionComparisonResult& result, const Advance& advance) const;

    ComparedModel model_;
    nf::Tokenizer tokenizer_;
    std::optional<std::int64_t> mask_id_;
};

}  // namespace compare_command
