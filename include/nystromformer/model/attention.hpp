// SPDX-License-Identifier: MIT
// NystromformerSelfAttention, NystromformerSelfOutput and NystromformerAttention.
#pragma once

#include <nystromformer/model/layers.hpp>
#include <nystromformer/model/nystrom.hpp>
#include <nystromformer/model/options.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace nystromformer::detail {

/// What a layer's attention reports where it is asked for: one entry a (sequence, head).
template <typename Scalar>
struct AttentionReport {
    std::vector<Matrix<Scalar>>* attentions = nullptr;  // (n, n), or (n, m) with landmarks
    std::vector<double>* residuals = nullptr;           // 0 where no inverse was taken
};

/// Source: modeling_nystromformer.py, class NystromformerSelfAttention
template <typename Scalar>
struct NystromformerSelfAttention {
    Linear<Scalar> query, key, value;
    Matrix<Scalar> conv;  // (heads, kernel size), or empty
    Index num_heads, head_dim;

    static NystromformerSelfAttention load(const StateDict& state,
                                           const NystromformerConfig& config) {
        const Index hidden = config.hidden_size, heads = config.num_attention_heads;
        Matrix<Scalar> conv;
        if (config.conv_kernel_size) {
            conv = state["conv"].template matrix<Scalar>("weight",
                                                         {heads, 1, *config.conv_kernel_size, 1});
        }
        return {Linear<Scalar>::load(state["query"], hidden, hidden),
                Linear<Scalar>::load(state["key"], hidden, hidden),
                Linear<Scalar>::load(state["value"], hidden, hidden),
                std::move(conv),
                heads,
                config.head_dim()};
    }
    void save(const StateWriter& state) const {
        query.save(state["query"]);
        key.save(state["key"]);
        value.save(state["value"]);
        if (conv.size() > 0) state["conv"].add("weight", conv, {conv.rows(), 1, conv.cols(), 1});
    }

    Matrix<Scalar> operator()(const Matrix<Scalar>& hidden_states, const Forward& forward,
                              const AttentionReport<Scalar>& report) const {
        // Hugging Face divides q and k each by d^(1/4), not their product by d^(1/2).
        const Scalar scale = std::sqrt(std::sqrt(static_cast<Scalar>(head_dim)));
        const Matrix<Scalar> q = query(hidden_states, forward.threads) / scale;  // (rows, hidden)
        const Matrix<Scalar> k = key(hidden_states, forward.threads) / scale;
        const Matrix<Scalar> v = value(hidden_states, forward.threads);
        const std::vector<Scalar> divisors = inverse_divisors(q, k, forward);
        Matrix<Scalar> context(q.rows(), q.cols());
        for_each_head(forward, [&](Index task, Index sequence, Index head) {
            auto of_head = [&](const Matrix<Scalar>& x) {
                return block(x, forward, sequence, head);
            };
            const Head qkv{of_head(q), of_head(k), of_head(v)};  // each (n, d)
            Matrix<Scalar> head_context = attend(
                qkv, forward, sequence, divisors[static_cast<std::size_t>(task)], report, task);
            if (conv.size() > 0) {
                add_depthwise_convolution(qkv.v, conv.row(head).data(), conv.cols(), head_context);
            }
            context.block(forward.first_row(sequence), head * head_dim, forward.length(sequence),
                          head_dim) = head_context;
        });
        return context;  // (rows, hidden)
    }

private:
    struct Head {
        Matrix<Scalar> q, k, v;  // (n, d)
    };

    /// body(task, sequence, head) for every pair, in parallel; tasks are numbered sequence by
    /// sequence.
    template <typename Body>
    void for_each_head(const Forward& forward, const Body& body) const {
        forward.threads.parallel_for(forward.num_sequences() * num_heads, [&](Index task) {
            body(task, task / num_heads, task % num_heads);
        });
    }

    Matrix<Scalar> block(const Matrix<Scalar>& x, const Forward& forward, Index sequence,
                         Index head) const {
        return x.block(forward.first_row(sequence), head * head_dim, forward.length(sequence),
                       head_dim);
    }

    Matrix<Scalar> attend(const Head& head, const Forward& forward, Index sequence, Scalar divisor,
                          const AttentionReport<Scalar>& report, Index task) const {
        const auto at = static_cast<std::size_t>(task);
        Matrix<Scalar>* probabilities = report.attentions ? &(*report.attentions)[at] : nullptr;
        double* residual = report.residuals ? &(*report.residuals)[at] : nullptr;
        const KeyMask key_mask = forward.keys_of(sequence);
        if (!forward.uses_landmarks(sequence)) {
            return exact_attention(head.q, head.k, head.v, key_mask, probabilities);
        }
        const NystromOptions<Scalar> options{forward.num_landmarks, divisor,
                                             forward.inverse_iterations};
        return nystrom_attention(head.q, head.k, head.v, key_mask, options, probabilities,
                                 residual);
    }

    /// The divisor of the inverse's start for every (sequence, head): see InverseInit.
    std::vector<Scalar> inverse_divisors(const Matrix<Scalar>& q, const Matrix<Scalar>& k,
                                         const Forward& forward) const {
        std::vector<Scalar> sums(static_cast<std::size_t>(forward.num_sequences() * num_heads),
                                 Scalar(0));
        if (!forward.nystrom) return sums;  // nobody reads them, so no thread is woken for them
        for_each_head(forward, [&](Index task, Index sequence, Index head) {
            if (!forward.uses_landmarks(sequence)) return;
            const auto q_landmarks =
                segment_means(block(q, forward, sequence, head), forward.num_landmarks);
            const auto k_landmarks =
                segment_means(block(k, forward, sequence, head), forward.num_landmarks);
            sums[static_cast<std::size_t>(task)] =
                largest_column_sum(landmark_kernel(q_landmarks, k_landmarks));
        });
        if (forward.inverse == InverseInit::matrix) return sums;
        const auto group = static_cast<std::ptrdiff_t>(forward.inverse == InverseInit::sequence
                                                           ? static_cast<std::size_t>(num_heads)
                                                           : sums.size());
        for (auto first = sums.begin(); first != sums.end(); first += group) {
            std::fill_n(first, group, *std::max_element(first, first + group));
        }
        return sums;
    }
};

/// The output of an attention or of a feed-forward: LayerNorm(dense(x) + residual).
/// Source: modeling_nystromformer.py, classes NystromformerSelfOutput and NystromformerOutput
template <typename Scalar>
struct NystromformerOutput {
    Linear<Scalar> dense;
    LayerNorm<Scalar> layer_norm;

    static NystromformerOutput load(const StateDict& state, Index in_features,
                                    const NystromformerConfig& config) {
        return {
            Linear<Scalar>::load(state["dense"], in_features, config.hidden_size),
            LayerNorm<Scalar>::load(state["LayerNorm"], config.hidden_size, config.layer_norm_eps)};
    }
    void save(const StateWriter& state) const {
        dense.save(state["dense"]);
        layer_norm.save(state["LayerNorm"]);
    }
    Matrix<Scalar> operator()(const Matrix<Scalar>& x, const Matrix<Scalar>& residual,
                              ThreadPool& threads) const {
        Matrix<Scalar> sum = dense(x, threads);
        sum += residual;
        return layer_norm(std::move(sum), threads);  // (rows, hidden)
    }
};

/// Source: modeling_nystromformer.py, class NystromformerAttention
template <typename Scalar>
struct NystromformerAttention {
    NystromformerSelfAttention<Scalar> self;
    NystromformerOutput<Scalar> output;

    static NystromformerAttention load(const StateDict& state, const NystromformerConfig& config) {
        return {NystromformerSelfAttention<Scalar>::load(state["self"], config),
                NystromformerOutput<Scalar>::load(state["output"], config.hidden_size, config)};
    }
    void save(const StateWriter& state) const {
        self.save(state["self"]);
        output.save(state["output"]);
    }
    Matrix<Scalar> operator()(const Matrix<Scalar>& hidden_states, const Forward& forward,
                              const AttentionReport<Scalar>& report) const {
        return output(self(hidden_states, forward, report), hidden_states, forward.threads);
    }
};

}  // namespace nystromformer::detail
