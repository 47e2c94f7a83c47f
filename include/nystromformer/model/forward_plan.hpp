// SPDX-License-Identifier: MIT
// ForwardPlan: what the options of a call mean for a given model and input.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/forward_options.hpp>
#include <nystromformer/options.hpp>
#include <nystromformer/threads.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace nystromformer::inline v0_2::detail {

/// What the components of one forward pass share.
struct ForwardPlan {
    std::span<const Index> offsets;          // (B + 1), first row of each sequence
    std::span<const std::int64_t> key_mask;  // (rows) or empty
    bool nystrom;                            // for sequences of more than num_landmarks rows
    Index num_landmarks;
    InverseInit inverse;
    Index inverse_iterations;
    ThreadPool& threads;

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
    /// Landmarks, or else exact attention.
    bool uses_landmarks(Index sequence) const {
        return nystrom && length(sequence) > num_landmarks;
    }
    /// Pairs of queries and keys of all sequences.
    Index attention_work() const {
        Index pairs = 0;
        for (Index i = 0; i < num_sequences(); ++i)
            pairs += length(i) * (uses_landmarks(i) ? num_landmarks : length(i));
        return pairs;
    }
};

/// The start of the inverse that depends on the text alone: the pipelines use it.
inline InverseInit text_inverse(const NystromformerConfig& config) {
    return config.inv_coeff_init_option ? InverseInit::matrix : InverseInit::sequence;
}

/// `options` for a model of `config`; InputError if they are out of range.
inline ForwardPlan resolve(const ForwardOptions& options, const NystromformerConfig& config,
                           std::span<const Index> offsets, std::span<const std::int64_t> key_mask,
                           ThreadPool& threads) {
    check_options(options);
    check_landmarks(options, config);
    const auto default_inverse =
        config.inv_coeff_init_option ? InverseInit::matrix : InverseInit::batch;
    return {.offsets = offsets,
            .key_mask = key_mask,
            .nystrom = runs_nystrom(options, config),
            .num_landmarks = landmarks(options, config),
            .inverse = options.inverse.value_or(default_inverse),
            .inverse_iterations = options.inverse_iterations,
            .threads = threads};
}

}  // namespace nystromformer::inline v0_2::detail
