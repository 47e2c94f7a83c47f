// SPDX-License-Identifier: MIT
// ForwardOptions: how one forward pass is run.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/options.hpp>

#include <optional>

namespace nystromformer::inline v0_2 {

/// Where the inverse starts: at kernel_2' divided by the largest column sum of kernel_2 over ...
enum class InverseInit {
    batch,     ///< every sequence and head of the call (Hugging Face's "original")
    sequence,  ///< the heads of one sequence, so that a text's answer does not depend on its
               ///< neighbours
    matrix,    ///< one matrix: exactly ||kernel_2||_1 (inv_coeff_init_option)
};

/// How a call computes, and what it reports besides its result.
struct ForwardOptions {
    Attention attention = Attention::config;
    /// 0: the config's num_landmarks. Attention::exact has no use for it. InputError for a number
    /// if it is the config that makes the attention exact.
    Index num_landmarks = 0;
    /// Nothing: matrix with inv_coeff_init_option, else batch.
    std::optional<InverseInit> inverse = std::nullopt;
    Index inverse_iterations = 6;  ///< 6 is what the weights are trained with; more is not better
    bool output_hidden_states = false;  ///< embeddings and every layer's output
    /// For each head what Hugging Face calls attention probabilities: softmax(q k') (n, n) of exact
    /// attention; of Nystrom attention kernel_1 pinv(kernel_2) (n, m), whose columns are landmarks,
    /// not tokens, and whose rows need not sum to 1 nor be positive.
    bool output_attentions = false;
    /// NystromFactors of each head; none if the attention is exact.
    bool output_nystrom_factors = false;
    bool output_inverse_residuals = false;  ///< ||kernel_2 Z - I|| (Frobenius) of each head
    /// NumericError, with layer, sequence and head or row, for states that are NaN or infinite, and
    /// for an inverse that diverges: ||kernel_2 Z - I|| is above 2 sqrt(m), twice the largest value
    /// at the start. Costs a few percent of the time.
    bool check_finite = false;
};

namespace detail {

/// True if sequences of more than `landmarks` rows get the Nystrom approximation.
inline bool runs_nystrom(const ForwardOptions& options, const NystromformerConfig& config) {
    return options.attention == Attention::config ? !config.uses_exact_attention()
                                                  : options.attention == Attention::nystrom;
}
inline Index landmarks(const ForwardOptions& options, const NystromformerConfig& config) {
    return options.num_landmarks == 0 ? config.num_landmarks : options.num_landmarks;
}

}  // namespace detail

/// InputError if options are out of range. Every call checks its options; a program can check them
/// earlier.
inline void check_options(const ForwardOptions& options) {
    constexpr Index max_landmarks = 1 << 20, max_iterations = 1000;
    if (options.num_landmarks < 0 || options.num_landmarks > max_landmarks) {
        throw InputError({"", "num_landmarks", "0 to " + std::to_string(max_landmarks),
                          std::to_string(options.num_landmarks)});
    }
    if (options.inverse_iterations < 0 || options.inverse_iterations > max_iterations) {
        throw InputError({"", "inverse_iterations", "0 to " + std::to_string(max_iterations),
                          std::to_string(options.inverse_iterations)});
    }
}

namespace detail {

/// InputError for landmarks beside a config whose attention is exact: they would do nothing.
inline void check_landmarks(const ForwardOptions& options, const NystromformerConfig& config) {
    if (options.num_landmarks == 0 || options.attention != Attention::config) return;
    if (!config.uses_exact_attention()) return;
    throw InputError({"", "num_landmarks", "0 or attention \"nystrom\": the config's is exact",
                      std::to_string(options.num_landmarks)});
}

}  // namespace detail

/// The attention that runs on a text of `length` tokens: Attention::exact or Attention::nystrom.
inline Attention resolved_attention(const ForwardOptions& options,
                                    const NystromformerConfig& config, Index length) {
    return detail::runs_nystrom(options, config) && length > detail::landmarks(options, config)
               ? Attention::nystrom
               : Attention::exact;
}

}  // namespace nystromformer::inline v0_2
