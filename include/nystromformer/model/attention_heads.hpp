// SPDX-License-Identifier: MIT
// AttentionHeads: the heads of all sequences, and how they are spread over the threads.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/kernels/blocking.hpp>
#include <nystromformer/kernels/rows.hpp>
#include <nystromformer/model/forward_plan.hpp>

#include <algorithm>

namespace nystromformer::inline v0_2::detail {

/// One head of one sequence of n rows.
template <typename Scalar>
struct AttentionHead {
    Rows<Scalar> q, k, v;  // (n, d)
    KeyMask key_mask;
    Index number, sequence;
    Index task;  // among all heads, sequence by sequence
};

/// A view of q, k and v side by side, (rows, 3 hidden).
template <typename Scalar>
class AttentionHeads {
public:
    AttentionHeads(Rows<Scalar> qkv, Index num_heads, const ForwardPlan& plan)
        : qkv_(qkv), num_heads_(num_heads), plan_(plan) {}

    /// Of all sequences.
    Index count() const { return plan_.num_sequences() * num_heads_; }

    AttentionHead<Scalar> operator[](Index task) const {
        const Index sequence = task / num_heads_, head = task % num_heads_;
        const Index hidden = qkv_.cols / 3, head_dim = hidden / num_heads_;
        const Rows<Scalar> rows =
            qkv_.middle_rows(plan_.first_row(sequence), plan_.length(sequence));
        const auto part = [&](Index i) {
            return rows.middle_cols(i * hidden + head * head_dim, head_dim);
        };
        return {part(0), part(1), part(2), plan_.keys_of(sequence), head, sequence, task};
    }

    /// Calls body(head) for every head, in parallel.
    template <typename Body>
    void for_each(const Body& body) const {
        plan_.threads.parallel_for(
            count(), [&](Index task) { body((*this)[task]); }, work());
    }

    /// Calls body(head, begin, end) for some of the queries of a head at a time, in parallel:
    /// for all of them, unless there are more threads than heads.
    template <typename Body>
    void for_each_piece(const Body& body) const {
        const Index pieces = pieces_of_a_head();
        plan_.threads.parallel_for(
            count() * pieces,
            [&](Index i) {
                const AttentionHead<Scalar> head = (*this)[i / pieces];
                const Index piece = i % pieces, rows = head.q.rows;
                body(head, rows * piece / pieces, rows * (piece + 1) / pieces);
            },
            work());
    }

private:
    Index pieces_of_a_head() const {
        const Index tasks = std::max<Index>(1, count());
        const Index mean_length = plan_.offsets.back() * num_heads_ / tasks;
        return std::max<Index>(
            1, std::min(blocks_of(plan_.threads.num_threads(), tasks), mean_length / task_rows));
    }
    Index work() const { return plan_.attention_work() * (qkv_.cols / 3); }

    Rows<Scalar> qkv_;
    Index num_heads_;
    const ForwardPlan& plan_;
};

}  // namespace nystromformer::inline v0_2::detail
