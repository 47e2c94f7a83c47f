// SPDX-License-Identifier: MIT
// Softmax attention by blocks of queries and keys.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/kernels/backend.hpp>
#include <nystromformer/kernels/panels.hpp>
#include <nystromformer/kernels/rows.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>

namespace nystromformer::inline v0_2::detail {

/// The keys and values of one head, packed once.
template <typename Number>
struct AttentionOperands {
    using Scalar = Number;
    Panels<Scalar> keys, values;

    /// k (n, d), v (n, e). `scratch` must outlive this.
    AttentionOperands(ConstRows<Scalar> k, ConstRows<Scalar> v, Scalar scale, Scratch& scratch)
        : keys(pack_transposed<Scalar>(k, scale, scratch)), values(pack<Scalar>(v, scratch)) {}

    static Index rows_at_once() { return float_kernels<Scalar>().rows_at_once; }
    Index num_keys() const { return keys.cols; }
    /// Of a row of the context, in whole panels.
    Index columns() const { return values.count() * values.width(); }

    /// scores (rows, count) := q k' scale for the keys from `first`, that of a panel.
    void score(ConstRows<Scalar> q, Index first, Index count, Rows<Scalar> scores) const {
        Scratch scratch;
        const Rows<Scalar> queries = scratch.rows<Scalar>(q.rows, q.cols);
        queries.map() = q.map();  // side by side: among k and v its rows share sets of the cache
        multiply<Scalar>(queries, keys.middle_cols(first, count), scores);
    }
    /// context += weights (rows, count) times the values from `first`; without += if that is 0.
    void add_values(ConstRows<Scalar> weights, Index first, Rows<Scalar> context) const {
        for (Index i = 0; i < values.count(); ++i) {
            Scalar* c = context.data + i * values.width();
            float_kernels<Scalar>().multiply({.a = weights.data,
                                              .a_stride = weights.stride,
                                              .panel = values.panel(i) + first * values.width(),
                                              .start = first == 0 ? nullptr : c,
                                              .start_stride = context.stride,
                                              .c = c,
                                              .c_stride = context.stride,
                                              .rows = weights.rows,
                                              .depth = weights.cols});
        }
    }
};

/// What BlockedAttention multiplies: the keys and values of one head, as AttentionOperands has
/// them.
template <typename Operands>
concept AttentionProducts = requires(const Operands& operands,
                                     ConstRows<typename Operands::Scalar> x,
                                     Rows<typename Operands::Scalar> out, Index first,
                                     Index count) {
    { Operands::rows_at_once() } -> std::same_as<Index>;
    { operands.num_keys() } -> std::same_as<Index>;
    { operands.columns() } -> std::same_as<Index>;
    operands.score(x, first, count, out);
    operands.add_values(x, first, out);
};

/// softmax(q k' scale) v for any number of queries.
template <AttentionProducts Operands>
class BlockedAttention {
public:
    using Scalar = typename Operands::Scalar;

    BlockedAttention(const Operands& operands, KeyMask key_mask)
        : operands_(operands), key_mask_(key_mask) {}

    static Index rows_at_once() { return Operands::rows_at_once(); }

    /// context (rows, e) for at most `rows_at_once` rows of q (rows, d); the rows of context must
    /// be Scratch's. Online softmax: Milakov and Gimelshein 2018; Dao et al. 2022, algorithm 1.
    void operator()(ConstRows<Scalar> q, Rows<Scalar> context) const {
        Scratch scratch;
        const Index n = operands_.num_keys(), columns = operands_.columns();
        const Rows<Scalar> scores = scratch.rows<Scalar>(q.rows, std::min(n, key_block));
        Scalar row_max[max_rows_at_once], sums[max_rows_at_once] = {};
        std::fill_n(row_max, q.rows, -std::numeric_limits<Scalar>::infinity());
        for (Index key = 0; key < n; key += key_block) {
            const Rows<Scalar> weights = scores.middle_cols(0, std::min(key_block, n - key));
            operands_.score(q, key, weights.cols, weights);
            for (Index row = 0; row < q.rows; ++row) {
                const Scalar factor = weigh(weights, row, key, row_max[row], sums[row]);
                if (key == 0 || factor == 1) continue;
                Scalar* sum = context.row(row);
                for (Index i = 0; i < columns; ++i) sum[i] *= factor;
            }
            operands_.add_values(weights, key, context);
        }
        for (Index row = 0; row < q.rows; ++row) {
            const Scalar inverse = 1 / sums[row];
            Scalar* sum = context.row(row);
            for (Index i = 0; i < columns; ++i) sum[i] *= inverse;
        }
    }

private:
    static constexpr Index key_block = 1024;  // a multiple of any panel's columns

    /// Scores of keys from `key` := e^(score - row_max), with `row_max` and `sum` brought up to
    /// date; returns what earlier sums are to be multiplied by.
    Scalar weigh(Rows<Scalar> scores, Index row, Index key, Scalar& row_max, Scalar& sum) const {
        Scalar* score = scores.row(row);
        if (!key_mask_.empty()) {
            mask_row(score, key_mask_.subspan(static_cast<std::size_t>(key),
                                              static_cast<std::size_t>(scores.cols)));
        }
        const Scalar block_max = largest(score, scores.cols);
        const Scalar next = block_max <= row_max ? row_max : block_max;  // NaN is kept
        const Scalar factor = key == 0 ? 0 : std::exp(row_max - next);
        sum = sum * factor + exponentials(score, scores.cols, next);
        row_max = next;
        return factor;
    }

    const Operands& operands_;
    KeyMask key_mask_;
};

/// context (n, e) := softmax(q k' scale) v for q (n, d) and the keys and values of `operands`:
/// never (n, keys) in memory. The rows of context are Scratch's.
template <AttentionProducts Operands>
void exact_attention(ConstRows<typename Operands::Scalar> q, const Operands& operands,
                     KeyMask key_mask, Rows<typename Operands::Scalar> context) {
    const BlockedAttention attention(operands, key_mask);
    const Index rows_at_once = attention.rows_at_once();
    for (Index row = 0; row < q.rows; row += rows_at_once) {
        const Index rows = std::min(rows_at_once, q.rows - row);
        attention(q.middle_rows(row, rows), context.middle_rows(row, rows));
    }
}

/// The same for k (keys, d) and v (keys, e).
template <typename Scalar>
void exact_attention(ConstRows<Scalar> q, ConstRows<Scalar> k, ConstRows<Scalar> v, Scalar scale,
                     KeyMask key_mask, Rows<Scalar> context) {
    Scratch scratch;
    exact_attention(q, AttentionOperands<Scalar>(k, v, scale, scratch), key_mask, context);
}

}  // namespace nystromformer::inline v0_2::detail
