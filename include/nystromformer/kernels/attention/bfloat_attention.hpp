// SPDX-License-Identifier: MIT
// What BlockedAttention multiplies, rounded to bf16, for CPUs that are faster at products of those.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/kernels/attention/blocked_attention.hpp>
#include <nystromformer/kernels/bfloat_rows.hpp>
#include <nystromformer/kernels/blocking.hpp>

#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace nystromformer::inline v0_2::detail {

/// The keys and values of one head in pairs of bf16, in panels as wide as those of floats; queries
/// and softmax weights are rounded as they come. Sums, and the softmax, are in float.
class BfloatOperands {
public:
    using Scalar = float;

    /// k (n, d), v (n, e). `scratch` must outlive this.
    BfloatOperands(ConstRows<float> k, ConstRows<float> v, float scale, Scratch& scratch)
        : num_keys_(k.rows),
          key_pairs_(bfloat_pairs(k.cols)),
          value_pairs_(bfloat_pairs(k.rows)),
          value_panels_(blocks_of(v.cols, width())),
          keys_(
              scratch.array<std::uint16_t>(blocks_of(k.rows, width()) * width() * key_pairs_ * 2)),
          values_(scratch.array<std::uint16_t>(columns() * value_pairs_ * 2)) {
        for (Index first = 0; first < k.rows; first += width())
            pack_keys(k.middle_rows(first, std::min(width(), k.rows - first)), scale,
                      keys_ + first * key_pairs_ * 2);
        for (Index pair = 0; pair < value_pairs_; ++pair) pack_values(v, pair);
    }

    static Index rows_at_once() { return kernels().rows_at_once; }
    Index num_keys() const { return num_keys_; }
    Index columns() const { return value_panels_ * width(); }

    /// As AttentionOperands.
    void score(ConstRows<float> q, Index first, Index count, Rows<float> scores) const {
        Scratch scratch;
        const BfloatRows queries(q, key_pairs_, scratch);
        for (Index col = 0; col < count; col += width())
            kernels().multiply({.a = queries.row(0),
                                .a_stride = queries.stride(),
                                .panel = keys_ + (first + col) * key_pairs_ * 2,
                                .c = scores.data + col,
                                .c_stride = scores.stride,
                                .rows = q.rows,
                                .depth = key_pairs_});
    }
    void add_values(ConstRows<float> weights, Index first, Rows<float> context) const {
        Scratch scratch;
        const BfloatRows rounded(weights, bfloat_pairs(weights.cols), scratch);
        for (Index i = 0; i < value_panels_; ++i) {
            float* c = context.data + i * width();
            kernels().multiply({.a = rounded.row(0),
                                .a_stride = rounded.stride(),
                                .panel = values_ + (i * value_pairs_ * 2 + first) * width(),
                                .start = first == 0 ? nullptr : c,
                                .start_stride = context.stride,
                                .c = c,
                                .c_stride = context.stride,
                                .rows = weights.rows,
                                .depth = rounded.pairs()});
        }
    }

private:
    static const BfloatKernels& kernels() { return bfloat_kernels(); }
    static Index width() { return kernels().columns; }

    /// One panel (pairs, columns of a panel) of at most as many keys.
    void pack_keys(ConstRows<float> k, float scale, std::uint16_t* panel) const {
        Scratch scratch;
        const Rows<float> scaled = scratch.rows<float>(k.rows, k.cols);
        scaled.map() = scale * k.map();
        pack_bfloats(scaled, key_pairs_, panel);
    }
    /// The rows 2 pair and 2 pair + 1 of v, in every panel.
    void pack_values(ConstRows<float> v, Index pair) const {
        Scratch scratch;
        auto* rows = scratch.array<std::uint16_t>(2 * columns());
        for (Index i = 0; i < 2; ++i) {
            std::uint16_t* to = rows + i * columns();
            const Index row = 2 * pair + i;
            if (row < v.rows) {
                kernels().round_row(v.row(row), v.cols, columns(), to);
            } else {
                std::fill_n(to, columns(), std::uint16_t{0});
            }
        }
        for (Index i = 0; i < value_panels_; ++i) {
            kernels().interleave(rows + i * width(), rows + columns() + i * width(), width(),
                                 values_ + (i * value_pairs_ + pair) * width() * 2);
        }
    }

    Index num_keys_, key_pairs_, value_pairs_, value_panels_;
    std::uint16_t* keys_;    // [keys / columns][pairs of d][columns][2]
    std::uint16_t* values_;  // [e / columns][pairs of keys][columns][2]
};

/// Calls body(operands) for k (n, d) and v (n, e), for products of bf16 or, if not `in_bfloats`, of
/// Scalar.
template <typename Scalar, typename Body>
void with_operands(ConstRows<Scalar> k, ConstRows<Scalar> v, Scalar scale, bool in_bfloats,
                   const Body& body) {
    Scratch scratch;
    if constexpr (std::is_same_v<Scalar, float>) {
        if (in_bfloats) return body(BfloatOperands(k, v, scale, scratch));
    }
    body(AttentionOperands<Scalar>(k, v, scale, scratch));
}

}  // namespace nystromformer::inline v0_2::detail
