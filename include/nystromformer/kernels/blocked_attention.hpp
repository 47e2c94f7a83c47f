// SPDX-License-Identifier: MIT
// Softmax attention by blocks of queries and keys, and the depthwise convolution on the values.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/kernels/gemm.hpp>
#include <nystromformer/kernels/panels.hpp>
#include <nystromformer/kernels/rows.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace nystromformer::detail {

/// The keys and values of one head, packed once.
template <typename Number>
struct AttentionOperands {
    using Scalar = Number;
    Panels<Scalar> keys, values;

    /// k (n, d), v (n, e). `scratch` must outlive this.
    AttentionOperands(ConstRows<Scalar> k, ConstRows<Scalar> v, Scalar scale, Scratch& scratch)
        : keys(pack_transposed<Scalar>(k, scale, scratch)), values(pack<Scalar>(v, scratch)) {}

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
    /// context += weights (rows, count) times the values from `first`; without += where that is 0.
    void add_values(ConstRows<Scalar> weights, Index first, Rows<Scalar> context) const {
        for (Index i = 0; i < values.count(); ++i) {
            Scalar* c = context.data + i * values.width();
            multiply_rows<Scalar>(
                {weights.data, values.panel(i) + first * values.width(), first == 0 ? nullptr : c,
                 c, weights.stride, context.stride, context.stride, weights.cols},
                weights.rows);
        }
    }
};

/// softmax(q k' scale) v for any number of queries.
template <typename Operands>
class BlockedAttention {
public:
    using Scalar = typename Operands::Scalar;

    BlockedAttention(const Operands& operands, KeyMask key_mask)
        : operands_(operands), key_mask_(key_mask) {}

    /// context (rows, e) for at most `block_rows` rows of q (rows, d); the rows of context must be
    /// Scratch's. Online softmax: Milakov and Gimelshein 2018; Dao et al. 2022, algorithm 1.
    void operator()(ConstRows<Scalar> q, Rows<Scalar> context) const {
        Scratch scratch;
        const Index n = operands_.num_keys(), columns = operands_.columns();
        const Rows<Scalar> scores = scratch.rows<Scalar>(q.rows, std::min(n, key_block));
        Scalar most[block_rows], sums[block_rows] = {};
        std::fill_n(most, q.rows, -std::numeric_limits<Scalar>::infinity());
        for (Index key = 0; key < n; key += key_block) {
            const Rows<Scalar> weights = scores.middle_cols(0, std::min(key_block, n - key));
            operands_.score(q, key, weights.cols, weights);
            for (Index row = 0; row < q.rows; ++row) {
                const Scalar factor = weigh(weights, row, key, most[row], sums[row]);
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

    /// Scores of keys from `key` := e^(score - most), with `most` and `sum` brought up to date;
    /// returns what earlier sums are to be multiplied by.
    Scalar weigh(Rows<Scalar> scores, Index row, Index key, Scalar& most, Scalar& sum) const {
        Scalar* score = scores.row(row);
        if (!key_mask_.empty()) {
            mask_row(score, key_mask_.subspan(static_cast<std::size_t>(key),
                                              static_cast<std::size_t>(scores.cols)));
        }
        const Scalar block_most = largest(score, scores.cols);
        const Scalar next = block_most > most || std::isnan(block_most) ? block_most : most;
        const Scalar factor = key == 0 ? 0 : std::exp(most - next);
        sum = sum * factor + exponentials(score, scores.cols, next);
        most = next;
        return factor;
    }

    const Operands& operands_;
    KeyMask key_mask_;
};

/// context (n, e) := softmax(q k' scale) v for q (n, d), k (keys, d) and v (keys, e): never
/// (n, keys) in memory. The rows of context are Scratch's.
template <typename Scalar>
void exact_attention(ConstRows<Scalar> q, ConstRows<Scalar> k, ConstRows<Scalar> v, Scalar scale,
                     KeyMask key_mask, Rows<Scalar> context) {
    Scratch scratch;
    const AttentionOperands<Scalar> operands(k, v, scale, scratch);
    const BlockedAttention attention(operands, key_mask);
    for (Index row = 0; row < q.rows; row += block_rows) {
        const Index rows = std::min(block_rows, q.rows - row);
        attention(q.middle_rows(row, rows), context.middle_rows(row, rows));
    }
}

/// context[i] += sum over t of taps[t] * values[first + i + t - num_taps/2], values outside being
/// zero, for every row of `context`, which must be Scratch's.
///
/// A product with a band matrix: row i of it is the taps moved i places to the right.
template <typename Scalar>
void add_depthwise_convolution(const Panels<Scalar>& values, const Scalar* taps, Index num_taps,
                               Index first, Rows<Scalar> context) {
    const Index height = kernels<Scalar>().tile_rows, margin = height - 1;
    Scratch scratch;
    Scalar* band = scratch.array<Scalar>(num_taps + 2 * margin);
    std::fill_n(band, num_taps + 2 * margin, Scalar(0));
    std::copy_n(taps, num_taps, band + margin);
    for (Index row = 0; row < context.rows; row += height) {
        const Index rows = std::min(height, context.rows - row);
        const Index from = first + row - num_taps / 2;  // the value under the first tap
        const Index begin = std::max<Index>(0, from);
        const Index end = std::min(values.depth, from + num_taps + rows - 1);
        for (Index i = 0; i < values.count(); ++i) {
            Scalar* c = context.row(row) + i * values.width();
            kernels<Scalar>().multiply(
                {band + margin + begin - from, values.panel(i) + begin * values.width(), c, c, -1,
                 context.stride, context.stride, std::max<Index>(0, end - begin)},
                static_cast<int>(rows));
        }
    }
}

}  // namespace nystromformer::detail
