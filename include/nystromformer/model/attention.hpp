// SPDX-License-Identifier: MIT
// NystromformerSelfAttention, NystromformerSelfOutput and NystromformerAttention.
#pragma once

#include <nystromformer/core/memory.hpp>
#include <nystromformer/kernels/attention/bfloat_attention.hpp>
#include <nystromformer/kernels/attention/blocked_attention.hpp>
#include <nystromformer/kernels/attention/depthwise_convolution.hpp>
#include <nystromformer/kernels/weights/linear_weights.hpp>
#include <nystromformer/model/layers.hpp>
#include <nystromformer/model/nystrom.hpp>
#include <nystromformer/model/options.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace nystromformer::detail {

/// What a layer's attention reports where it is asked for: one entry a (sequence, head).
template <typename Scalar>
struct AttentionReport {
    std::vector<Matrix<Scalar>>* attentions = nullptr;  // (n, n), or (n, m) with landmarks
    std::vector<double>* residuals = nullptr;           // 0 where no inverse was taken
    bool check_finite = false;                          // of the inverses
    Index layer = 0;                                    // its number
};

/// Source: modeling_nystromformer.py, class NystromformerSelfAttention
template <typename Scalar>
struct NystromformerSelfAttention {
    LinearWeights<Scalar> qkv;  // query, key and value, one below the other: (3 hidden, hidden)
    Matrix<Scalar> conv;        // (heads, kernel size), or empty
    Index num_heads, head_dim;

    static NystromformerSelfAttention load(const StateDict& state,
                                           const NystromformerConfig& config) {
        const Index hidden = config.hidden_size, heads = config.num_attention_heads;
        std::array<WeightRows<Scalar>, parts.size()> weights;
        RowVector<Scalar> bias(3 * hidden);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            weights[i] = state[parts[i]].template weight_rows<Scalar>("weight", hidden, hidden);
            state[parts[i]].read("bias", {hidden}, bias.data() + static_cast<Index>(i) * hidden);
        }
        Matrix<Scalar> conv;
        if (config.conv_kernel_size) {
            conv = state["conv"].template matrix<Scalar>("weight",
                                                         {heads, 1, *config.conv_kernel_size, 1});
        }
        return {LinearWeights<Scalar>(3 * hidden, hidden, stacked(weights, hidden), bias,
                                      state.precision(), state.threads()),
                std::move(conv), heads, config.head_dim()};
    }
    void save(const StateWriter& state) const {
        const Index hidden = qkv.cols();
        const Matrix<Scalar> weight = qkv.exact().weight();
        const RowVector<Scalar> bias = qkv.exact().bias();
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const Index first = static_cast<Index>(i) * hidden;
            state[parts[i]].add("weight", Matrix<Scalar>(weight.middleRows(first, hidden)));
            state[parts[i]].add("bias", RowVector<Scalar>(bias.segment(first, hidden)));
        }
        if (conv.size() > 0) state["conv"].add("weight", conv, {conv.rows(), 1, conv.cols(), 1});
    }

    /// q, k and v side by side, (rows, 3 hidden), come with the context in the place of q.
    Rows<Scalar> operator()(ConstRows<Scalar> hidden_states, const Forward& forward,
                            const AttentionReport<Scalar>& report, Scratch& scratch) const {
        const Rows<Scalar> all = scratch.rows<Scalar>(hidden_states.rows, qkv.rows());
        qkv.multiply(hidden_states, all, forward.threads);
        const Landmarks<Scalar>* landmarks =
            forward.nystrom ? find_landmarks(all, forward, report, scratch) : nullptr;
        if (report.attentions != nullptr) report_attentions(all, forward, *report.attentions);
        const Index pieces = pieces_of_a_head(forward);
        for_each_head(all, forward, pieces, [&](const Head& head, Index piece) {
            const bool uses_landmarks = forward.uses_landmarks(head.sequence);
            const Rows<Scalar> keys = uses_landmarks ? landmarks[head.task].k : head.k;
            const Rows<Scalar> values = uses_landmarks ? landmarks[head.task].values : head.v;
            attend(head, keys, values, uses_landmarks ? KeyMask() : head.key_mask, forward,
                   head.q.rows * piece / pieces, head.q.rows * (piece + 1) / pieces);
        });
        return all.middle_cols(0, qkv.cols());  // (rows, hidden)
    }

private:
    static constexpr std::array<const char*, 3> parts{"query", "key", "value"};

    static WeightRows<Scalar> stacked(std::array<WeightRows<Scalar>, parts.size()> weights,
                                      Index hidden) {
        return [weights = std::move(weights), hidden](Index first, Index count, Scalar* to) {
            for (Index row = first; row < first + count;) {
                const Index rows = std::min(hidden - row % hidden, first + count - row);
                weights[static_cast<std::size_t>(row / hidden)](row % hidden, rows, to);
                row += rows;
                to += rows * hidden;
            }
        };
    }

    struct Head {
        Rows<Scalar> q, k, v;  // (n, d)
        KeyMask key_mask;
        Index number, sequence, task;  // tasks are numbered sequence by sequence
    };

    /// Hugging Face divides q and k each by d^(1/4).
    Scalar scale() const { return 1 / std::sqrt(static_cast<Scalar>(head_dim)); }

    /// Parts of its queries: several where there are more threads than heads.
    Index pieces_of_a_head(const Forward& forward) const {
        const Index tasks = std::max<Index>(1, forward.num_sequences() * num_heads);
        const Index mean_length = forward.offsets.back() * num_heads / tasks;
        return std::max<Index>(
            1, std::min(blocks_of(forward.threads.num_threads(), tasks), mean_length / task_rows));
    }

    /// body(head, piece) for every head of every sequence and piece in [0, pieces), in parallel.
    template <typename Body>
    void for_each_head(Rows<Scalar> all, const Forward& forward, Index pieces,
                       const Body& body) const {
        const Index tasks = forward.num_sequences() * num_heads * pieces;
        forward.threads.parallel_for(
            tasks,
            [&](Index i) {
                const Index task = i / pieces;
                body(head_of(all, forward, task), i % pieces);
            },
            forward.attention_work() * qkv.cols());
    }

    Head head_of(Rows<Scalar> all, const Forward& forward, Index task) const {
        const Index sequence = task / num_heads, head = task % num_heads;
        const Rows<Scalar> rows =
            all.middle_rows(forward.first_row(sequence), forward.length(sequence));
        auto part = [&](Index i) {
            return rows.middle_cols(i * qkv.cols() + head * head_dim, head_dim);
        };
        return {part(0), part(1), part(2), forward.keys_of(sequence), head, sequence, task};
    }

    /// The landmarks of every head, with the values that belong to them, in the caller's `scratch`.
    const Landmarks<Scalar>* find_landmarks(Rows<Scalar> all, const Forward& forward,
                                            const AttentionReport<Scalar>& report,
                                            Scratch& scratch) const {
        const Index tasks = forward.num_sequences() * num_heads;
        auto* landmarks = scratch.array<Landmarks<Scalar>>(tasks);
        for (Index task = 0; task < tasks; ++task) {
            const bool used = forward.uses_landmarks(task / num_heads);
            landmarks[task] =
                Landmarks<Scalar>::in(scratch, used ? forward.num_landmarks : 0, head_dim);
        }
        for_each_head(all, forward, 1, [&](const Head& head, Index) {
            if (!forward.uses_landmarks(head.sequence)) return;
            landmarks[head.task].find(head.q, head.k, scale());
        });
        share_divisors(landmarks, tasks, forward);
        for_each_head(all, forward, 1, [&](const Head& head, Index) {
            if (!forward.uses_landmarks(head.sequence)) return;
            Scratch head_scratch;
            const Landmarks<Scalar>& own = landmarks[head.task];
            const Rows<Scalar> inverse =
                head_scratch.rows<Scalar>(forward.num_landmarks, forward.num_landmarks);
            own.find_values(head.k, head.v, scale(), head.key_mask, forward.inverse_iterations,
                            inverse);
            report_inverse(head, own, inverse, report);
        });
        return landmarks;
    }

    /// The largest divisor of the heads that InverseInit puts together.
    void share_divisors(Landmarks<Scalar>* landmarks, Index tasks, const Forward& forward) const {
        if (forward.inverse == InverseInit::matrix) return;
        const Index group = forward.inverse == InverseInit::sequence ? num_heads : tasks;
        for (Index first = 0; first < tasks; first += group) {
            Scalar most = 0;
            for (Index i = first; i < first + group; ++i) {
                const bool used = forward.uses_landmarks(i / num_heads);
                if (used && !(landmarks[i].divisor <= most)) most = landmarks[i].divisor;
            }
            for (Index i = first; i < first + group; ++i) landmarks[i].divisor = most;
        }
    }

    /// What Hugging Face returns of a head with landmarks: kernel_1 times the inverse (n, m); and
    /// ||kernel_2 inverse - I||.
    void report_inverse(const Head& head, const Landmarks<Scalar>& landmarks, Rows<Scalar> inverse,
                        const AttentionReport<Scalar>& report) const {
        const auto at = static_cast<std::size_t>(head.task);
        Scratch scratch;
        if (report.attentions != nullptr) {
            const Rows<Scalar> kernel_1 = scratch.rows<Scalar>(head.q.rows, inverse.rows);
            softmax_kernel<Scalar>(head.q, landmarks.k, scale(), {}, kernel_1);
            const Rows<Scalar> probabilities = scratch.rows<Scalar>(head.q.rows, inverse.rows);
            product<Scalar>(kernel_1, inverse, probabilities);
            (*report.attentions)[at] = probabilities.map();
        }
        if (report.residuals != nullptr || report.check_finite) {
            const Rows<Scalar> residual = scratch.rows<Scalar>(inverse.rows, inverse.rows);
            product<Scalar>(landmarks.kernel_2, inverse, residual);
            subtract_from_identity(Scalar(1), residual);
            const auto norm = static_cast<double>(residual.map().norm());
            if (report.residuals != nullptr) (*report.residuals)[at] = norm;
            if (report.check_finite) check_inverse(head, norm, inverse.rows, report.layer);
        }
    }

    /// A start has a residual of at most sqrt(m); one that has doubled grows without end.
    static void check_inverse(const Head& head, double residual, Index size, Index layer) {
        const double most = 2 * std::sqrt(static_cast<double>(size));
        if (is_finite(residual) && residual <= most) return;
        throw NumericError({"",
                            "layer " + std::to_string(layer) + " sequence " +
                                std::to_string(head.sequence) + " head " +
                                std::to_string(head.number),
                            "an inverse with a residual of at most " + std::to_string(most),
                            std::to_string(residual)});
    }

    /// softmax(q k' / sqrt d) (n, n) of every head without landmarks.
    void report_attentions(Rows<Scalar> all, const Forward& forward,
                           std::vector<Matrix<Scalar>>& attentions) const {
        for_each_head(all, forward, 1, [&](const Head& head, Index) {
            if (forward.uses_landmarks(head.sequence)) return;
            Scratch scratch;
            const Rows<Scalar> probabilities = scratch.rows<Scalar>(head.q.rows, head.q.rows);
            softmax_kernel<Scalar>(head.q, head.k, scale(), head.key_mask, probabilities);
            attentions[static_cast<std::size_t>(head.task)] = probabilities.map();
        });
    }

    /// softmax(q keys' / sqrt d) values + convolution(v), written over the rows [begin, end) of q,
    /// a block at a time; blocks without a wanted row are left out.
    void attend(const Head& head, ConstRows<Scalar> keys, ConstRows<Scalar> values,
                KeyMask key_mask, const Forward& forward, Index begin, Index end) const {
        Scratch scratch;
        const auto attend_with = [&](const auto& operands, const Panels<Scalar>& v) {
            const BlockedAttention attention(operands, key_mask);
            const Index rows_at_once = attention.rows_at_once();
            const Rows<Scalar> all = scratch.rows<Scalar>(rows_at_once, head_dim);
            for (Index first = begin; first < end; first += rows_at_once) {
                const Index rows = std::min(rows_at_once, end - first);
                if (!forward.wants(forward.first_row(head.sequence) + first, rows)) continue;
                const Rows<Scalar> context = all.middle_rows(0, rows);
                attention(head.q.middle_rows(first, rows), context);
                if (conv.size() > 0) {
                    add_depthwise_convolution(v, conv.row(head.number).data(), conv.cols(), first,
                                              context);
                }
                head.q.middle_rows(first, rows).map() = context.map();
            }
        };
        const bool is_exact_attention = values.data == head.v.data;
        if constexpr (std::is_same_v<Scalar, float>) {
            if (is_exact_attention && qkv.prefers_bfloats()) {
                return attend_with(
                    BfloatOperands(keys, values, scale(), scratch),
                    conv.size() == 0 ? Panels<float>() : pack<float>(head.v, scratch));
            }
        }
        const AttentionOperands<Scalar> operands(keys, values, scale(), scratch);
        attend_with(operands, is_exact_attention || conv.size() == 0
                                  ? operands.values
                                  : pack<Scalar>(head.v, scratch));
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
            Linear<Scalar>::load(state["dense"], in_features, config.hidden_size,
                                 state["dense"].precision()),
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
