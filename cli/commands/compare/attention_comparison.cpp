// SPDX-License-Identifier: MIT
#include "commands/compare/attention_comparison.hpp"

#include "commands/compare/whole_text.hpp"

#include <nystromformer/error.hpp>
#include <nystromformer/scratch.hpp>

#include <chrono>
#include <numeric>
#include <utility>

namespace compare_command {

namespace {

constexpr int max_attentions = 4096;
constexpr Index max_masks = Index{1} << 26;

std::vector<ComparedAttention> attentions_of(const AttentionComparisonOptions& options) {
    std::vector<ComparedAttention> attentions{{.options = {.attention = nf::Attention::exact}}};
    for (const Index landmarks : options.num_landmarks)
        for (const nf::InverseInit inverse : options.inverses)
            for (const Index iterations : options.inverse_iterations)
                attentions.push_back({.options = {.attention = nf::Attention::nystrom,
                                                  .num_landmarks = landmarks,
                                                  .inverse = inverse,
                                                  .inverse_iterations = iterations}});
    return attentions;
}

}  // namespace

double ComparedAttention::median_seconds() const {
    std::vector<double> sorted = seconds;
    std::sort(sorted.begin(), sorted.end());
    const std::size_t half = sorted.size() / 2;
    return sorted.size() % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

AttentionComparison::AttentionComparison(const std::filesystem::path& folder,
                                         const nf::LoadOptions& options)
    : AttentionComparison(ComparedModel::from_pretrained(folder, options),
                          tokenizer_of(folder, options)) {}
AttentionComparison::AttentionComparison(ComparedModel model, nf::Tokenizer tokenizer)
    : model_(std::move(model)), tokenizer_(std::move(tokenizer)) {
    if (const auto mask = tokenizer_.mask_token()) mask_id_ = tokenizer_.token_to_id(*mask);
}

AttentionComparisonResult AttentionComparison::operator()(
    std::string_view text, const AttentionComparisonOptions& options) const {
    check(options);
    const nf::Encoding encoding = encode_whole(tokenizer_, config(), text, options.long_text);
    AttentionComparisonResult result{.tokens = encoding.size(),
                                     .no_masks = why_no_masks(),
                                     .attentions = attentions_of(options)};
    if (options.mask_passes > max_masks / std::max<Index>(1, encoding.size())) {
        throw nf::InputError(
            {"", "mask_passes", "times tokens at most " + std::to_string(max_masks),
             std::to_string(options.mask_passes) + " times " + std::to_string(encoding.size())});
    }
    std::vector<std::vector<Index>> samples;
    if (result.no_masks.empty()) {
        samples =
            masked_samples(encoding, *mask_id_, mask_share, options.mask_passes, options.seed);
        if (samples.empty()) result.no_masks = "the text has no token to mask";
    }
    for (const auto& sample : samples) result.masks += static_cast<Index>(sample.size());
    result.mask_passes = static_cast<Index>(samples.size());
    const Index passes = 1 + options.repeat + result.mask_passes;
    const auto total = static_cast<Index>(result.attentions.size()) * passes;
    const Advance advance = [&, done = Index{0}]() mutable {
        if (options.progress) options.progress(++done, total);
    };
    nf::ModelInput<float> input;
    input.append(encoding);
    compare_states(input, result.attentions, advance);
    time(input, options.repeat, result.attentions, advance);
    guess(input, samples, result, advance);
    return result;
}

void AttentionComparison::check(const AttentionComparisonOptions& options) const {
    const auto at_least_one = [](const char* name, Index value) {
        if (value < 1) throw nf::InputError({"", name, "at least 1", std::to_string(value)});
    };
    at_least_one("repeat", options.repeat);
    at_least_one("mask_passes", options.mask_passes);
    for (const Index landmarks : options.num_landmarks) at_least_one("num_landmarks", landmarks);
    const double attentions = static_cast<double>(options.num_landmarks.size()) *
                              static_cast<double>(options.inverses.size()) *
                              static_cast<double>(options.inverse_iterations.size());
    if (attentions > max_attentions) {
        throw nf::InputError({"", "num_landmarks",
                              "with inverses and inverse_iterations at most " +
                                  std::to_string(max_attentions) + " attentions",
                              "more"});
    }
    for (const ComparedAttention& attention : attentions_of(options))
        nf::check_options(attention.options);
}

std::string AttentionComparison::why_no_masks() const {
    if (!model_.guesses_masks()) return "the folder has no masked-LM head";
    return mask_id_ ? "" : "the tokenizer has no mask token";
}

void AttentionComparison::compare_states(const nf::ModelInput<float>& input,
                                         std::vector<ComparedAttention>& attentions,
                                         const Advance& advance) const {
    nf::Matrix<float> exact;
    for (ComparedAttention& attention : attentions) {
        nf::ForwardOptions options = attention.options;
        options.output_inverse_residuals = true;
        nf::BaseModelOutput<float> output;
        model_(input, options, output);
        attention.uses_landmarks =
            nf::resolved_attention(options, config(), input.rows()) == nf::Attention::nystrom;
        if (attention.uses_landmarks)
            attention.inverse_residuals = std::move(output.inverse_residuals);
        if (exact.size() == 0) exact = output.last_hidden_state;
        const StateCosines cosines = state_cosines(exact, output.last_hidden_state);
        attention.cosine_mean = cosines.mean;
        attention.cosine_min = cosines.min;
        advance();
    }
}

void AttentionComparison::time(const nf::ModelInput<float>& input, Index repeat,
                               std::vector<ComparedAttention>& attentions,
                               const Advance& advance) const {
    using Clock = std::chrono::steady_clock;
    nf::BaseModelOutput<float> output;
    for (Index round = 0; round < repeat; ++round) {
        for (ComparedAttention& attention : attentions) {
            (void)nf::take_scratch_peaks();
            const Clock::time_point start = Clock::now();
            model_(input, attention.options, output);
            const std::chrono::duration<double> seconds = Clock::now() - start;
            attention.seconds.push_back(seconds.count());
            const auto result_bytes =
                static_cast<std::size_t>(output.last_hidden_state.size()) * sizeof(float);
            attention.memory_bytes =
                std::max(attention.memory_bytes, nf::take_scratch_peaks() + result_bytes);
            advance();
        }
    }
}

void AttentionComparison::guess(const nf::ModelInput<float>& input,
                                const std::vector<std::vector<Index>>& samples,
                                AttentionComparisonResult& result, const Advance& advance) const {
    std::vector<std::int64_t> masked;  // what was masked
    std::vector<std::vector<std::int64_t>> guesses(result.attentions.size());
    for (const std::vector<Index>& sample : samples) {
        nf::ModelInput<float> hidden = input;
        for (const Index row : sample) {
            auto& id = hidden.input_ids[static_cast<std::size_t>(row)];
            masked.push_back(std::exchange(id, *mask_id_));
        }
        for (std::size_t i = 0; i < guesses.size(); ++i) {
            const auto some = model_.likeliest(hidden, sample, result.attentions[i].options);
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

}  // namespace compare_command
