// SPDX-License-Identifier: MIT
// How one forward pass is run: the options of a call, and what they come to for a given model.
#pragma once

#include <nystromformer/error.hpp>
#include <nystromformer/model/config.hpp>
#include <nystromformer/options.hpp>
#include <nystromformer/threads.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace nystromformer {

/// The divisor of the inverse's start value: the largest column sum of kernel_2 over ...
enum class InverseInit {
    batch,     ///< every sequence and head of the call (Hugging Face's "original")
    sequence,  ///< the heads of one sequence, so that a text's answer does not depend on its
               ///< neighbours
    matrix,    ///< one matrix: exactly ||kernel_2||_1 (inv_coeff_init_option)
};

struct ForwardOptions {
    Attention attention = Attention::config;
    Index num_landmarks = 0;  ///< 0: the config's num_landmarks
    std::optional<InverseInit> inverse =
        std::nullopt;              ///< nothing: matrix with inv_coeff_init_option, else batch
    Index inverse_iterations = 6;  ///< 6 is what the weights are trained with; more is not better
    bool output_hidden_states = false;  ///< embeddings and every layer's output
    bool output_attentions = false;     ///< builds (n, n) or (n, m) a head
    bool output_inverse_residuals =
        false;  ///< ||kernel_2 Z - I|| (Frobenius) a head in nystrom mode
    /// NumericError, with layer, sequence and head or row, for an inverse that diverges
    /// (||kernel_2 Z - I|| above twice its greatest start, sqrt(m)) and for states that are NaN or
    /// infinite; costs a few percent.
    bool check_finite = false;
};

namespace detail {

/// What the components of one forward pass share.
struct Forward {
    std::span<const Index> offsets;          // (B + 1), first row of each sequence
    std::span<const std::int64_t> key_mask;  // (rows) or empty
    bool nystrom;
    Index num_landmarks;
    InverseInit inverse;
    Index inverse_iterations;
    ThreadPool& threads;
    std::span<const Index> wanted_rows = {};  // of the last layer's output; empty: all

    Index num_sequences() const { return static_cast<Index>(offsets.size()) - 1; }
    Index first_row(Index sequence) const { return offsets[static_cast<std::size_t>(sequence)]; }
    Index length(Index sequence) const { return first_row(sequence + 1) - first_row(sequence); }
    Index sequence_of(Index row) const {
        return std::upper_bound(offsets.begin(), offsets.end(), row) - offsets.begin() - 1;
    }
    std::span<const std::int64_t> keys_of(Index sequence) const {
        if (key_mask.empty()) return {};
        return key_mask.subspan(static_cast<std::size_t>(first_row(sequence)),
                                static_cast<std::size_t>(length(sequence)));
    }
    /// True where a row in [first, first + count) is wanted.
    bool wants(Index first, Index count) const {
        return wanted_rows.empty() ||
               std::any_of(wanted_rows.begin(), wanted_rows.end(),
                           [&](Index row) { return row >= first && row < first + count; });
    }
    /// Pairs of queries and keys of all sequences.
    Index attention_work() const {
        Index pairs = 0;
        for (Index i = 0; i < num_sequences(); ++i)
            pairs += length(i) * (uses_landmarks(i) ? num_landmarks : length(i));
        return pairs;
    }
    /// True where attention over n rows uses landmarks.
    bool uses_landmarks(Index sequence) const {
        return nystrom && length(sequence) > num_landmarks;
    }
};

/// True where the config makes Hugging Face run the exact branch.
inline bool config_is_exact(const NystromformerConfig& config) {
    return config.num_landmarks == config.segment_means_seq_len;
}

/// The start of the inverse that depends on nothing but the text: what the pipelines use.
inline InverseInit text_inverse(const NystromformerConfig& config) {
    return config.inv_coeff_init_option ? InverseInit::matrix : InverseInit::sequence;
}

inline void check_options(const ForwardOptions& options) {
    constexpr Index most = 1 << 20;
    if (options.num_landmarks < 0 || options.num_landmarks > most) {
        throw InputError({"", "num_landmarks", "0 to " + std::to_string(most),
                          std::to_string(options.num_landmarks)});
    }
    if (options.inverse_iterations < 0 || options.inverse_iterations > 1000) {
        throw InputError(
            {"", "inverse_iterations", "0 to 1000", std::to_string(options.inverse_iterations)});
    }
}

/// `options` for a model of `config`; InputError where they are out of range.
inline Forward resolve(const ForwardOptions& options, const NystromformerConfig& config,
                       std::span<const Index> offsets, std::span<const std::int64_t> key_mask,
                       ThreadPool& threads) {
    check_options(options);
    const bool nystrom = options.attention == Attention::nystrom ||
                         (options.attention == Attention::config && !config_is_exact(config));
    const auto default_inverse =
        config.inv_coeff_init_option ? InverseInit::matrix : InverseInit::batch;
    return {offsets,
            key_mask,
            nystrom,
            options.num_landmarks == 0 ? config.num_landmarks : options.num_landmarks,
            options.inverse.value_or(default_inverse),
            options.inverse_iterations,
            threads};
}

}  // namespace detail
}  // namespace nystromformer
