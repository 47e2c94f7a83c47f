// SPDX-License-Identifier: MIT
// What BlockedAttention multiplies, rounded to bf16, for CPUs that are faster at products of those.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/kernels/gemm.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace nystromformer::detail {

/// The keys and values of one head in pairs of bf16, in panels as wide as those of floats; queries
/// and softmax weights are rounded as they come. Sums, and the softmax, are in float.
class BfloatOperands {
public:
    using Scalar = float;

    /// k (n, d), v (n, e). `scratch` must outlive this.
    BfloatOperands(ConstRows<float> k, ConstRows<float> v, float scale, Scratch& scratch)
        : num_keys_(k.rows),
          key_pairs_(blocks_of(k.cols, 2)),
          value_pairs_(blocks_of(k.rows, 2)),
          value_panels_(blocks_of(v.cols, width())),
          keys_(scratch.array<std::uint32_t>(blocks_of(k.rows, width()) * key_pairs_ * width())),
          values_(scratch.array<std::uint32_t>(value_panels_ * value_pairs_ * width())) {
        for (Index first = 0; first < k.rows; first += width())
            pack_keys(k.middle_rows(first, std::min(width(), k.rows - first)), scale,
                      keys_ + first * key_pairs_);
        for (Index pair = 0; pair < value_pairs_; ++pair) pack_values(v, pair);
    }

    Index num_keys() const { return num_keys_; }
    Index columns() const { return value_panels_ * width(); }

    /// As AttentionOperands.
    void score(ConstRows<float> q, Index first, Index count, Rows<float> scores) const {
        Scratch scratch;
        const Rounded rounded(q, key_pairs_, scratch);
        for (Index col = 0; col < count; col += width())
            multiply(rounded, keys_ + (first + col) * key_pairs_, 0,
                     scores.middle_cols(col, width()));
    }
    void add_values(ConstRows<float> weights, Index first, Rows<float> context) const {
        Scratch scratch;
        const Rounded rounded(weights, blocks_of(weights.cols, 2), scratch);
        for (Index i = 0; i < value_panels_; ++i)
            multiply(rounded, values_ + (i * value_pairs_ + first / 2) * width(), first,
                     context.middle_cols(i * width(), width()));
    }

private:
    static const KernelTable<float>& kernel() { return kernels<float>(); }
    static Index width() { return kernel().tile_columns; }

    /// Rows of pairs.
    struct Rounded {
        std::uint16_t* data;
        Index rows, pairs, stride;

        Rounded(ConstRows<float> x, Index num_pairs, Scratch& scratch)
            : rows(x.rows), pairs(num_pairs), stride(num_pairs * 2 + 32) {
            data = scratch.array<std::uint16_t>(rows * stride);
            for (Index row = 0; row < rows; ++row)
                kernel().round_to_bfloats(x.row(row), x.cols, pairs * 2, data + row * stride);
        }
    };

    /// out (rows, columns of a panel) := x panel, or += where `first` is not 0.
    static void multiply(const Rounded& x, const std::uint32_t* panel, Index first,
                         Rows<float> out) {
        for_each_tile(x.rows, kernel().tile_rows, [&](Index row, Index height) {
            float* c = out.row(row);
            kernel().multiply_bfloat(
                {x.data + row * x.stride, reinterpret_cast<const std::uint16_t*>(panel),
                 first == 0 ? nullptr : c, c, x.stride, out.stride, out.stride, x.pairs},
                static_cast<int>(height));
        });
    }

    /// One panel (pairs, columns of a panel) of at most as many keys.
    void pack_keys(ConstRows<float> k, float scale, std::uint32_t* panel) const {
        Scratch scratch;
        const Rows<float> scaled = scratch.rows<float>(k.rows, k.cols);
        scaled.map() = scale * k.map();
        const Rounded rounded(scaled, key_pairs_, scratch);
        std::fill_n(panel, key_pairs_ * width(), std::uint32_t{0});
        for (Index row = 0; row < k.rows; ++row) {
            const std::uint16_t* from = rounded.data + row * rounded.stride;
            for (Index pair = 0; pair < key_pairs_; ++pair)
                std::memcpy(panel + pair * width() + row, from + 2 * pair, sizeof(*panel));
        }
    }
    /// The rows 2 pair and 2 pair + 1 of v, in every panel.
    void pack_values(ConstRows<float> v, Index pair) const {
        Scratch scratch;
        auto* rows = scratch.array<std::uint16_t>(2 * columns());
        for (Index i = 0; i < 2; ++i) {
            std::uint16_t* to = rows + i * columns();
            const Index row = 2 * pair + i;
            if (row < v.rows) {
                kernel().round_to_bfloats(v.row(row), v.cols, columns(), to);
            } else {
                std::fill_n(to, columns(), std::uint16_t{0});
            }
        }
        for (Index i = 0; i < value_panels_; ++i) {
            std::uint32_t* to = values_ + (i * value_pairs_ + pair) * width();
            kernel().interleave_bfloats(rows + i * width(), rows + columns() + i * width(), width(),
                                        reinterpret_cast<std::uint16_t*>(to));
        }
    }

    Index num_keys_, key_pairs_, value_pairs_, value_panels_;
    std::uint32_t* keys_;    // [keys / columns][pairs of d][columns]
    std::uint32_t* values_;  // [e / columns][pairs of keys][columns]
};

}  // namespace nystromformer::detail
