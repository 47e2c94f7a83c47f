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

/// softmax(q k' scale) v for any number of queries; keys and values are packed once.
template <typename Scalar>
class BlockedAttention {
public:
    /// k (n, d), v (n, e). `scratch` must outlive this.
    BlockedAttention(ConstRows<Scalar> k, ConstRows<Scalar> v, Scalar scale, KeyMask key_mask,
                     Scratch& scratch)
        : keys_(pack_transposed<Scalar>(k, scale, scratch)),
          values_(pack<Scalar>(v, scratch)),
          key_mask_(key_mask) {}

    /// context (rows, e) for at most `block_rows` rows of q (rows, d); the rows of context must be
    /// Scratch's. Online softmax: Milakov and Gimelshein 2018; Dao et al. 2022, algorithm 1.
    void operator()(ConstRows<Scalar> q, Rows<Scalar> context) const {
        Scratch scratch;
        const Index n = keys_.cols, columns = values_.count() * values_.width();
        const Rows<Scalar> queries = scratch.rows<Scalar>(q.rows, q.cols);
        queries.map() = q.map();  // side by side: among k and v its rows share sets of the cache
        const Rows<Scalar> scores = scratch.rows<Scalar>(q.rows, std::min(n, key_block));
        Scalar most[block_rows], sums[block_rows] = {};
        std::fill_n(most, q.rows, -std::numeric_limits<Scalar>::infinity());
        for (Index key = 0; key < n; key += key_block) {
            const Index keys = std::min(key_block, n - key);
            multiply<Scalar>(queries, keys_.middle_cols(key, keys), scores);
            for (Index row = 0; row < q.rows; ++row) {
                const Scalar factor = weigh(scores.row(row), key, keys, most[row], sums[row]);
                if (key == 0 || factor == 1) continue;
                Scalar* sum = context.row(row);
                for (Index i = 0; i < columns; ++i) sum[i] *= factor;
            }
            for (Index i = 0; i < values_.count(); ++i) {
                Scalar* c = context.data + i * values_.width();
                multiply_rows<Scalar>(
                    {scores.data, values_.panel(i) + key * values_.width(), key == 0 ? nullptr : c,
                     c, scores.stride, key == 0 ? 0 : context.stride, context.stride, keys},
                    q.rows);
            }
        }
        for (Index row = 0; row < q.rows; ++row) {
            const Scalar inverse = 1 / sums[row];
            Scalar* sum = context.row(row);
            for (Index i = 0; i < columns; ++i) sum[i] *= inverse;
        }
    }

    const Panels<Scalar>& values() const { return values_; }

private:
    static constexpr Index key_block = 1024;

    /// row := e^(row - most), with `most` and `sum` brought up to date; returns what earlier sums
    /// are to be multiplied by.
    Scalar weigh(Scalar* row, Index key, Index keys, Scalar& most, Scalar& sum) const {
        if (!key_mask_.empty()) {
            mask_row(row, key_mask_.subspan(static_cast<std::size_t>(key),
                                            static_cast<std::size_t>(keys)));
        }
        const Scalar block_most = largest(row, keys);
        const Scalar next = block_most > most || std::isnan(block_most) ? block_most : most;
        const Scalar factor = key == 0 ? 0 : std::exp(most - next);
        sum = sum * factor + exponentials(row, keys, next);
        most = next;
        return factor;
    }

    Panels<Scalar> keys_, values_;
    KeyMask key_mask_;
};

/// context (n, e) := softmax(q k' scale) v for q (n, d), k (keys, d) and v (keys, e): never
/// (n, keys) in memory. The rows of context are Scratch's.
template <typename Scalar>
void exact_attention(ConstRows<Scalar> q, ConstRows<Scalar> k, ConstRows<Scalar> v, Scalar scale,
                     KeyMask key_mask, Rows<Scalar> context) {
    Scratch scratch;
    const BlockedAttention<Scalar> attention(k, v, scale, key_mask, scratch);
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
