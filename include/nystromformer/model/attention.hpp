// SPDX-License-Identifier: MIT
// NystromformerSelfAttention, NystromformerSelfOutput and NystromformerAttention.
#pragma once

#include <nystromformer/core/memory.hpp>
#include <nystromformer/kernels/blocked_attention.hpp>
#include <nystromformer/model/layers.hpp>
#include <nystromformer/model/nystrom.hpp>
#include <nystromformer/model/options.hpp>

#include <algorithm>
#include <array>
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
    PackedMatrix<Scalar> qkv;  // query, key and value, one below the other: (3 hidden, hidden)
    Matrix<Scalar> conv;       // (heads, kernel size), or empty
    Index num_heads, head_dim;

    static NystromformerSelfAttention load(const StateDict& state,
                                           const NystromformerConfig& config) {
        const Index hidden = config.hidden_size, heads = config.num_attention_heads;
        Matrix<Scalar> weight(3 * hidden, hidden);
        RowVector<Scalar> bias(3 * hidden);
        for (Index i = 0; i < 3; ++i) {
            const StateDict part = state[parts[static_cast<std::size_t>(i)]];
            part.read("weight", {hidden, hidden}, weight.row(i * hidden).data());
            part.read("bias", {hidden}, bias.data() + i * hidden);
        }
        Matrix<Scalar> conv;
        if (config.conv_kernel_size) {
            conv = state["conv"].template matrix<Scalar>("weight",
                                                         {heads, 1, *config.conv_kernel_size, 1});
        }
        return {PackedMatrix<Scalar>(weight, bias), std::move(conv), heads, config.head_dim()};
    }
    void save(const StateWriter& state) const {
        const Index hidden = qkv.cols();
        const Matrix<Scalar> weight = qkv.weight();
        const RowVector<Scalar> bias = qkv.bias();
        for (Index i = 0; i < 3; ++i) {
            const StateWriter part = state[parts[static_cast<std::size_t>(i)]];
            part.add("weight", Matrix<Scalar>(weight.middleRows(i * hidden, hidden)));
            part.add("bias", RowVector<Scalar>(bias.segment(i * hidden, hidden)));
        }
        if (conv.size() > 0) state["conv"].add("weight", conv, {conv.rows(), 1, conv.cols(), 1});
    }

    /// q, k and v side by side, (rows, 3 hidden), come with the context in the place of q.
    Rows<Scalar> operator()(ConstRows<Scalar> hidden_states, const Forward& forward,
                            const AttentionReport<Scalar>& report, Scratch& scratch) const {
        const Rows<Scalar> all = scratch.rows<Scalar>(hidden_states.rows, qkv.rows());
        qkv.multiply(hidden_states, all, forward.threads);
        const std::vector<Scalar> divisors = inverse_divisors(all, forward);
        for_each_head(forward, [&](Index task, Index sequence, Index head) {
            const Head rows = head_of(all, forward, sequence, head);
            if (forward.uses_landmarks(sequence)) {
                attend_landmarks(rows, forward, sequence, divisors[static_cast<std::size_t>(task)],
                                 report, task);
            } else {
                attend(rows, forward, sequence, report, task);
            }
        });
        return all.middle_cols(0, qkv.cols());  // (rows, hidden)
    }

private:
    static constexpr std::array<const char*, 3> parts{"query", "key", "value"};

    struct Head {
        Rows<Scalar> q, k, v;  // (n, d)
        Index number;
    };

    /// body(task, sequence, head) for every pair, in parallel; tasks are numbered sequence by
    /// sequence.
    template <typename Body>
    void for_each_head(const Forward& forward, const Body& body) const {
        Index work = 0;
        for (Index i = 0; i < forward.num_sequences(); ++i)
            work += forward.length(i) * forward.length(i) * qkv.cols();
        forward.threads.parallel_for(
            forward.num_sequences() * num_heads,
            [&](Index task) { body(task, task / num_heads, task % num_heads); }, work);
    }

    Head head_of(Rows<Scalar> all, const Forward& forward, Index sequence, Index head) const {
        const Rows<Scalar> rows =
            all.middle_rows(forward.first_row(sequence), forward.length(sequence));
        auto part = [&](Index i) {
            return rows.middle_cols(i * qkv.cols() + head * head_dim, head_dim);
        };
        return {part(0), part(1), part(2), head};
    }

    /// Hugging Face divides q and k each by d^(1/4), not their product by d^(1/2).
    Matrix<Scalar> scaled(ConstRows<Scalar> x) const {
        return x.map() / std::sqrt(std::sqrt(static_cast<Scalar>(head_dim)));
    }

    /// softmax(q k' / sqrt d) v + convolution(v), written over q.
    void attend(const Head& head, const Forward& forward, Index sequence,
                const AttentionReport<Scalar>& report, Index task) const {
        const KeyMask key_mask = forward.keys_of(sequence);
        if (report.attentions != nullptr) {
            (*report.attentions)[static_cast<std::size_t>(task)] =
                softmax(product_transposed(scaled(head.q), scaled(head.k)), key_mask);  // (n, n)
        }
        Scratch scratch;
        const Scalar scale = 1 / std::sqrt(static_cast<Scalar>(head_dim));
        const BlockedAttention<Scalar> attention(head.k, head.v, scale, key_mask, scratch);
        write_over_q(head, attention.values(), [&](Index first, Rows<Scalar> context) {
            attention(head.q.middle_rows(first, context.rows), context);
        });
    }

    /// The Nystrom form of the same.
    void attend_landmarks(const Head& head, const Forward& forward, Index sequence, Scalar divisor,
                          const AttentionReport<Scalar>& report, Index task) const {
        const auto at = static_cast<std::size_t>(task);
        const NystromOptions<Scalar> options{forward.num_landmarks, divisor,
                                             forward.inverse_iterations};
        const Matrix<Scalar> approximation = nystrom_attention<Scalar>(
            scaled(head.q), scaled(head.k), head.v.map(), forward.keys_of(sequence), options,
            report.attentions ? &(*report.attentions)[at] : nullptr,
            report.residuals ? &(*report.residuals)[at] : nullptr);
        Scratch scratch;
        write_over_q(head, pack<Scalar>(head.v, scratch), [&](Index first, Rows<Scalar> context) {
            context.map() = approximation.middleRows(first, context.rows);
        });
    }

    /// Over q goes, a block of rows at a time, what context_of(first row, context) fills in, and
    /// the convolution of the values.
    template <typename ContextOf>
    void write_over_q(const Head& head, const Panels<Scalar>& values,
                      const ContextOf& context_of) const {
        Scratch scratch;
        const Rows<Scalar> all = scratch.rows<Scalar>(block_rows, head_dim);
        for (Index first = 0; first < head.q.rows; first += block_rows) {
            const Index rows = std::min(block_rows, head.q.rows - first);
            const Rows<Scalar> context = all.middle_rows(0, rows);
            context_of(first, context);
            if (conv.size() > 0) {
                add_depthwise_convolution(values, conv.row(head.number).data(), conv.cols(), first,
                                          context);
            }
            head.q.middle_rows(first, rows).map() = context.map();
        }
    }

    /// The divisor of the inverse's start for every (sequence, head): see InverseInit.
    std::vector<Scalar> inverse_divisors(Rows<Scalar> all, const Forward& forward) const {
        std::vector<Scalar> sums(static_cast<std::size_t>(forward.num_sequences() * num_heads),
                                 Scalar(0));
        if (!forward.nystrom) return sums;  // nobody reads them, so no thread is woken for them
        for_each_head(forward, [&](Index task, Index sequence, Index head) {
            if (!forward.uses_landmarks(sequence)) return;
            const Head rows = head_of(all, forward, sequence, head);
            const auto q_landmarks = segment_means(scaled(rows.q), forward.num_landmarks);
            const auto k_landmarks = segment_means(scaled(rows.k), forward.num_landmarks);
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
    /// out (rows, hidden) is neither x nor residual.
    void operator()(ConstRows<Scalar> x, ConstRows<Scalar> residual, Rows<Scalar> out,
                    ThreadPool& threads) const {
        dense(x, out, threads);
        layer_norm(out, residual, out);
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
};

}  // namespace nystromformer::detail
