// SPDX-License-Identifier: MIT
// NystromformerSelfAttention: exact attention or the Nystrom approximation, and a convolution.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/kernels/attention/bfloat_attention.hpp>
#include <nystromformer/kernels/attention/blocked_attention.hpp>
#include <nystromformer/kernels/attention/depthwise_convolution.hpp>
#include <nystromformer/kernels/weights/linear_weights.hpp>
#include <nystromformer/model/attention_heads.hpp>
#include <nystromformer/model/attention_report.hpp>
#include <nystromformer/model/forward_plan.hpp>
#include <nystromformer/model/nystrom.hpp>
#include <nystromformer/model/weight_loader.hpp>
#include <nystromformer/state_dict.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace nystromformer::inline v0_2::detail {

/// Source: transformers 4.57.6, modeling_nystromformer.py, class NystromformerSelfAttention
template <typename Scalar>
struct NystromformerSelfAttention {
    LinearWeights<Scalar> qkv;  // query, key and value, one below the other: (3 hidden, hidden)
    Matrix<Scalar> conv;        // (heads, kernel size), or empty
    Index num_heads, head_dim;

    static NystromformerSelfAttention load(const WeightLoader& state,
                                           const NystromformerConfig& config) {
        const Index hidden = config.hidden_size, heads = config.num_attention_heads;
        std::array<WeightRows<Scalar>, parts.size()> weights;
        RowVector<Scalar> bias(3 * hidden);
        for (std::size_t i = 0; i < parts.size(); ++i) {
            weights[i] = state[parts[i]].template weight_rows<Scalar>("weight", hidden, hidden);
            state[parts[i]].read("bias", hidden, bias.data() + static_cast<Index>(i) * hidden);
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

    /// The context (rows, hidden) in `scratch`; only the `wanted` rows of it, if there are any.
    Rows<Scalar> operator()(ConstRows<Scalar> hidden_states, const ForwardPlan& plan,
                            const AttentionReport<Scalar>& report, std::span<const Index> wanted,
                            Scratch& scratch) const {
        const Rows<Scalar> all = scratch.rows<Scalar>(hidden_states.rows, qkv.rows());
        qkv.multiply(hidden_states, all, plan.threads);  // (rows, 3 hidden)
        const AttentionHeads<Scalar> heads(all, num_heads, plan);
        const Landmarks<Scalar>* landmarks =
            plan.nystrom ? find_landmarks(heads, plan, report, scratch) : nullptr;
        report_exact(heads, plan, report);
        heads.for_each_piece([&](const Head& head, Index begin, Index end) {
            const Queries queries{begin, end, plan.first_row(head.sequence), wanted};
            if (plan.uses_landmarks(head.sequence)) {
                nystrom_attention(head, landmarks[head.task], queries);
            } else {
                exact_attention(head, queries);
            }
        });
        return all.middle_cols(0, qkv.cols());  // the context is where q was
    }

private:
    using Head = AttentionHead<Scalar>;

    /// Rows [begin, end) of a head, of which some may be wanted.
    struct Queries {
        Index begin, end;
        Index first_row;  // of the sequence
        std::span<const Index> wanted;

        bool wants(Index first, Index count) const {
            return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](Index row) {
                       return row >= first_row + first && row < first_row + first + count;
                   });
        }
    };

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

    /// Hugging Face divides q and k each by d^(1/4).
    Scalar scale() const { return 1 / std::sqrt(static_cast<Scalar>(head_dim)); }

    /// softmax(q k' scale) v + convolution(v)
    void exact_attention(const Head& head, const Queries& queries) const {
        const auto write = [&](const auto& operands) {
            Scratch scratch;
            if constexpr (requires { operands.values; }) {
                write_context(head, operands, head.key_mask, operands.values, queries);
            } else {
                write_context(head, operands, head.key_mask, convolved_values(head, scratch),
                              queries);
            }
        };
        with_operands<Scalar>(head.k, head.v, scale(), qkv.prefers_bfloats(), write);
    }

    /// kernel_1 (pinv(kernel_2) (kernel_3 v)) + convolution(v)
    void nystrom_attention(const Head& head, const Landmarks<Scalar>& landmarks,
                           const Queries& queries) const {
        const auto write = [&](const auto& operands) {
            Scratch scratch;
            write_context(head, operands, KeyMask(), convolved_values(head, scratch), queries);
        };
        with_operands<Scalar>(landmarks.k, landmarks.values, scale(), qkv.prefers_bfloats(), write);
    }

    Panels<Scalar> convolved_values(const Head& head, Scratch& scratch) const {
        return conv.size() == 0 ? Panels<Scalar>() : pack<Scalar>(head.v, scratch);
    }

    /// q := the attention's sum + convolution(v), block by block; blocks without a wanted row are
    /// skipped.
    template <typename Operands>
    void write_context(const Head& head, const Operands& operands, KeyMask key_mask,
                       const Panels<Scalar>& v, const Queries& queries) const {
        Scratch scratch;
        const BlockedAttention attention(operands, key_mask);
        const Index rows_at_once = attention.rows_at_once();
        const Rows<Scalar> all = scratch.rows<Scalar>(rows_at_once, head_dim);
        for (Index first = queries.begin; first < queries.end; first += rows_at_once) {
            const Index rows = std::min(rows_at_once, queries.end - first);
            if (!queries.wants(first, rows)) continue;
            const Rows<Scalar> context = all.middle_rows(0, rows);
            attention(head.q.middle_rows(first, rows), context);
            if (conv.size() > 0) {
                add_depthwise_convolution(v, conv.row(head.number).data(), conv.cols(), first,
                                          context);
            }
            head.q.middle_rows(first, rows).map() = context.map();
        }
    }

    /// The landmarks of every head that uses them, in the caller's `scratch`.
    const Landmarks<Scalar>* find_landmarks(const AttentionHeads<Scalar>& heads,
                                            const ForwardPlan& plan,
                                            const AttentionReport<Scalar>& report,
                                            Scratch& scratch) const {
        auto* landmarks = scratch.array<Landmarks<Scalar>>(heads.count());
        for (Index task = 0; task < heads.count(); ++task) {
            const bool used = plan.uses_landmarks(task / num_heads);
            landmarks[task] =
                Landmarks<Scalar>::in(scratch, used ? plan.num_landmarks : 0, head_dim);
        }
        heads.for_each([&](const Head& head) {
            if (!plan.uses_landmarks(head.sequence)) return;
            landmarks[head.task].find(head.q, head.k, scale());
        });
        share_divisors(landmarks, heads.count(), plan);
        heads.for_each([&](const Head& head) {
            if (!plan.uses_landmarks(head.sequence)) return;
            Scratch head_scratch;
            const Rows<Scalar> inverse =
                head_scratch.rows<Scalar>(plan.num_landmarks, plan.num_landmarks);
            const Landmarks<Scalar>& own = landmarks[head.task];
            own.find_inverse(plan.inverse_iterations, inverse);
            own.find_values(own.kernel_3(head.k, scale(), head.key_mask), head.v, inverse,
                            qkv.prefers_bfloats());
            report.add_nystrom(head, own, inverse, scale());
        });
        return landmarks;
    }

    /// Gives the heads that InverseInit groups the largest divisor of their group.
    void share_divisors(Landmarks<Scalar>* landmarks, Index tasks, const ForwardPlan& plan) const {
        if (plan.inverse == InverseInit::matrix) return;
        const Index group = plan.inverse == InverseInit::sequence ? num_heads : tasks;
        for (Index first = 0; first < tasks; first += group) {
            Scalar largest = 0;
            for (Index i = first; i < first + group; ++i) {
                const bool used = plan.uses_landmarks(i / num_heads);
                if (used && !(landmarks[i].divisor <= largest)) largest = landmarks[i].divisor;
            }
            for (Index i = first; i < first + group; ++i) landmarks[i].divisor = largest;
        }
    }

    void report_exact(const AttentionHeads<Scalar>& heads, const ForwardPlan& plan,
                      const AttentionReport<Scalar>& report) const {
        if (report.attentions == nullptr) return;
        heads.for_each([&](const Head& head) {
            if (!plan.uses_landmarks(head.sequence)) report.add_exact(head, scale());
        });
    }
};

}  // namespace nystromformer::inline v0_2::detail
