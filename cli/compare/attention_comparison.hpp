// SPDX-License-Identifier: MIT
// AttentionComparison: a text in; what Nystrom attention costs and changes beside exact attention
// out.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/pipelines/batches.hpp>
#include <nystromformer/pipelines/text_model.hpp>
#include <nystromformer/tokenizer.hpp>
#include "compare/compared_model.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer {

struct AttentionComparisonOptions {
    // Nystrom attention is run with each combination of these three, exact attention before it.
    std::vector<Index> num_landmarks = {16, 32, 64, 128, 256};
    std::vector<InverseInit> inverses = {InverseInit::sequence, InverseInit::matrix};
    std::vector<Index> inverse_iterations = {6};
    Index repeat = 5;  ///< timed passes of each attention, which take turns
    /// Masks are guessed in so many passes (fewer where the tokens do not last), each with
    /// AttentionComparison::mask_share of the tokens masked, none twice.
    Index mask_passes = 1;
    std::uint64_t seed = 0;   ///< of the choice of tokens to mask
    LongText long_text = {};  ///< truncation cuts a text that is too long; no stride
    std::function<void(Index done, Index total)> progress = {};  ///< after each forward pass
};

/// One attention and what was measured of it.
struct ComparedAttention {
    ForwardOptions options;
    /// False for exact attention, and where nystrom comes to it: the text has no more tokens than
    /// num_landmarks.
    bool uses_landmarks = false;
    std::vector<double> seconds = {};  ///< of each timed pass of the encoder over the whole text
    /// What such a pass takes beside the weights and the text: its result, last_hidden_state, and
    /// the most scratch memory that it has in use, of all threads.
    std::size_t memory_bytes = 0;
    /// Cosines between the token's rows of last_hidden_state here and by exact attention.
    double cosine_mean = 1, cosine_min = 1;
    /// Shares of the masked tokens whose likeliest token is the one by exact attention, and the
    /// one that was masked. Nothing without masks.
    std::optional<double> agreement = std::nullopt, accuracy = std::nullopt;
    /// [layer][head], of the whole text: EncoderReport::inverse_residuals. Empty without landmarks.
    std::vector<std::vector<double>> inverse_residuals = {};

    double min_seconds() const { return *std::min_element(seconds.begin(), seconds.end()); }
    double median_seconds() const {
        std::vector<double> sorted = seconds;
        std::sort(sorted.begin(), sorted.end());
        const std::size_t half = sorted.size() / 2;
        return sorted.size() % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }
};

struct AttentionComparisonResult {
    Index tokens = 0;                           ///< special tokens included
    Index masks = 0;                            ///< tokens that were masked, over all passes
    Index mask_passes = 0;                      ///< passes in which they were guessed
    std::string no_masks;                       ///< why there are none, or empty
    std::vector<ComparedAttention> attentions;  ///< exact first, then by landmarks
};

/// Runs exact and Nystrom attention over a text, so that a user can choose on evidence. All numbers
/// but the times are the same in every run; the memory is right where no other thread of the
/// process runs a model at the same time.
class AttentionComparison {
public:
    static constexpr double mask_share = 0.15;  ///< as in the training of BERT and its kin

    /// Loads tokenizer and encoder of any Hugging Face folder, and its masked-LM head where it has
    /// one; throws what those throw.
    explicit AttentionComparison(const std::filesystem::path& folder,
                                 const LoadOptions& options = {})
        : text_model_(folder, options),
          mask_id_(text_model_.id_of(text_model_.tokenizer.mask_token())) {}

    /// InputError where the text is too long, and for options that `check` refuses.
    AttentionComparisonResult operator()(std::string_view text,
                                         const AttentionComparisonOptions& options = {}) const {
        check(options);
        const Encoding encoding = text_model_.encode({.text = text}, options.long_text);
        AttentionComparisonResult result{.tokens = encoding.size(),
                                         .no_masks = why_no_masks(),
                                         .attentions = attentions_of(options)};
        if (options.mask_passes > max_masks / std::max<Index>(1, encoding.size())) {
            throw InputError({"", "mask_passes",
                              "times tokens at most " + std::to_string(max_masks),
                              std::to_string(options.mask_passes) + " times " +
                                  std::to_string(encoding.size())});
        }
        std::vector<std::vector<Index>> samples;
        if (result.no_masks.empty()) {
            samples = detail::masked_samples(encoding, *mask_id_, mask_share, options.mask_passes,
                                             options.seed);
            if (samples.empty()) result.no_masks = "the text has no token to mask";
        }
        for (const auto& sample : samples) result.masks += static_cast<Index>(sample.size());
        result.mask_passes = static_cast<Index>(samples.size());
        const Index passes = 1 + options.repeat + result.mask_passes;
        const auto total = static_cast<Index>(result.attentions.size()) * passes;
        const Advance advance = [&, done = Index{0}]() mutable {
            if (options.progress) options.progress(++done, total);
        };
        const ModelInput<float> input = detail::stacked_input({encoding}, first_alone);
        compare_states(input, result.attentions, advance);
        time(input, options.repeat, result.attentions, advance);
        guess(input, samples, result, advance);
        return result;
    }

    /// InputError where options are out of range.
    void check(const AttentionComparisonOptions& options) const {
        const auto at_least_one = [](const char* name, Index value) {
            if (value < 1) throw InputError({"", name, "at least 1", std::to_string(value)});
        };
        at_least_one("repeat", options.repeat);
        at_least_one("mask_passes", options.mask_passes);
        for (const Index landmarks : options.num_landmarks)
            at_least_one("num_landmarks", landmarks);
        const double attentions = static_cast<double>(options.num_landmarks.size()) *
                                  static_cast<double>(options.inverses.size()) *
                                  static_cast<double>(options.inverse_iterations.size());
        if (attentions > max_attentions) {
            throw InputError({"", "num_landmarks",
                              "with inverses and inverse_iterations at most " +
                                  std::to_string(max_attentions) + " attentions",
                              "more"});
        }
        for (const ComparedAttention& attention : attentions_of(options))
            detail::check_options(attention.options);
    }

    const NystromformerConfig& config() const { return text_model_.model.config(); }
    ThreadPool& threads() const { return text_model_.model.threads(); }
    const Tokenizer& tokenizer() const { return text_model_.tokenizer; }

private:
    using Advance = std::function<void()>;  // tells of a forward pass
    static constexpr std::size_t first_alone[] = {0};
    static constexpr int max_attentions = 4096;
    static constexpr Index max_masks = Index{1} << 26;

    static std::vector<ComparedAttention> attentions_of(const AttentionComparisonOptions& options) {
        std::vector<ComparedAttention> attentions{{.options = {.attention = Attention::exact}}};
        for (const Index landmarks : options.num_landmarks)
            for (const InverseInit inverse : options.inverses)
                for (const Index iterations : options.inverse_iterations)
                    attentions.push_back({.options = {.attention = Attention::nystrom,
                                                      .num_landmarks = landmarks,
                                                      .inverse = inverse,
                                                      .inverse_iterations = iterations}});
        return attentions;
    }

    std::string why_no_masks() const {
        if (!text_model_.model.guesses_masks()) return "the folder has no masked-LM head";
        return mask_id_ ? "" : "the tokenizer has no mask token";
    }

    /// One pass of each attention: cosines to the states of the first, and residuals.
    void compare_states(const ModelInput<float>& input, std::vector<ComparedAttention>& attentions,
                        const Advance& advance) const {
        Matrix<float> exact;
        for (ComparedAttention& attention : attentions) {
            ForwardOptions options = attention.options;
            options.output_inverse_residuals = true;
            BaseModelOutput<float> output;
            text_model_.model(input, options, output);
            attention.uses_landmarks =
                resolved_attention(options, config(), input.rows()) == Attention::nystrom;
            if (attention.uses_landmarks)
                attention.inverse_residuals = std::move(output.inverse_residuals);
            if (exact.size() == 0) exact = output.last_hidden_state;
            const auto cosines = detail::row_cosines(exact, output.last_hidden_state);
            attention.cosine_min = *std::min_element(cosines.begin(), cosines.end());
            attention.cosine_mean = std::accumulate(cosines.begin(), cosines.end(), 0.0) /
                                    static_cast<double>(cosines.size());
            advance();
        }
    }

    /// `repeat` rounds in which each attention runs once, so that a machine that slows down slows
    /// all. Memory is that of a pass as it is later, too: after others.
    void time(const ModelInput<float>& input, Index repeat,
              std::vector<ComparedAttention>& attentions, const Advance& advance) const {
        using Clock = std::chrono::steady_clock;
        BaseModelOutput<float> output;
        for (Index round = 0; round < repeat; ++round) {
            for (ComparedAttention& attention : attentions) {
                detail::ScratchMemory::take_peaks();
                const Clock::time_point start = Clock::now();
                text_model_.model(input, attention.options, output);
                const std::chrono::duration<double> seconds = Clock::now() - start;
                attention.seconds.push_back(seconds.count());
                const auto result_bytes =
                    static_cast<std::size_t>(output.last_hidden_state.size()) * sizeof(float);
                attention.memory_bytes = std::max(
                    attention.memory_bytes, detail::ScratchMemory::take_peaks() + result_bytes);
                advance();
            }
        }
    }

    /// The likeliest tokens for the masks of `samples`, by each attention.
    void guess(const ModelInput<float>& input, const std::vector<std::vector<Index>>& samples,
               AttentionComparisonResult& result, const Advance& advance) const {
        std::vector<std::int64_t> masked;  // what was masked
        std::vector<std::vector<std::int64_t>> guesses(result.attentions.size());
        for (const std::vector<Index>& sample : samples) {
            ModelInput<float> hidden = input;
            for (const Index row : sample) {
                auto& id = hidden.input_ids[static_cast<std::size_t>(row)];
                masked.push_back(std::exchange(id, *mask_id_));
            }
            for (std::size_t i = 0; i < guesses.size(); ++i) {
                const auto some =
                    text_model_.model.likeliest(hidden, sample, result.attentions[i].options);
                guesses[i].insert(guesses[i].end(), some.begin(), some.end());
                advance();
            }
        }
        if (masked.empty()) return;
        const auto share = [&](const auto& a, const auto& b) {
            const auto equal = std::inner_product(a.begin(), a.end(), b.begin(), Index{0},
                                                  std::plus<>(), std::equal_to<>());
            return static_cast<double>(equal) / static_cast<double>(masked.size());
        };
        for (std::size_t i = 0; i < guesses.size(); ++i) {
            result.attentions[i].agreement = share(guesses[i], guesses.front());
            result.attentions[i].accuracy = share(guesses[i], masked);
        }
    }

    detail::TextModel<detail::ComparedModel> text_model_;
    std::optional<std::int64_t> mask_id_;
};

}  // namespace nystromformer
