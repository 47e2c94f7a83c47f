// SPDX-License-Identifier: MIT
// Weights in bf16: half the memory of float. Products are those of float with the rounded weights,
// or of bf16 numbers if the CPU is faster at them.
#pragma once

#include <nystromformer/core/memory.hpp>
#include <nystromformer/kernels/bfloat_rows.hpp>
#include <nystromformer/kernels/blocking.hpp>
#include <nystromformer/threads.hpp>

#include <cstdint>

namespace nystromformer::inline v0_2 {

/// Weights (out, in) rounded to bf16, in column panels of pairs `[out / columns][in /
/// 2][columns][2]`, with a bias (out) in float.
class BfloatMatrix {
public:
    /// If `products_of_bfloats`, activations are rounded to bf16 too.
    BfloatMatrix(Index num_rows, Index num_cols, const WeightRows<float>& weight,
                 const RowVector<float>& bias, ThreadPool& threads, bool products_of_bfloats)
        : rows_(num_rows),
          cols_(num_cols),
          pairs_(detail::bfloat_pairs(num_cols)),
          products_of_bfloats_(products_of_bfloats),
          panels_(detail::blocks_of(num_rows, width()) * panel_size()),
          bias_(RowVector<float>::Zero(detail::blocks_of(num_rows, width()) * width())) {
        bias_.head(bias.size()) = bias;
        detail::for_each_panel(num_rows, num_cols, width(), weight, threads,
                               [this](Index i, detail::ConstRows<float> rows) {
                                   detail::pack_bfloats(rows, pairs_,
                                                        panels_.data() + i * panel_size());
                               });
    }

    Index rows() const { return rows_; }
    Index cols() const { return cols_; }

    /// out := activation(x w' + bias): (n, in) -> (n, out)
    void multiply(detail::ConstRows<float> x, detail::Rows<float> out, ThreadPool& threads,
                  Activation activation = Activation::linear) const {
        if (products_of_bfloats_) return multiply_rounded(x, out, threads, activation);
        detail::multiply_blocks({width(), floats().rows_at_once, cols_}, out, threads, activation,
                                [&](Index i, Index first, const detail::Rows<float>& to) {
                                    detail::Scratch scratch;
                                    auto* panel = scratch.array<float>(panel_size());
                                    kernels().widen(panel_of(i), pairs_, panel);
                                    floats().multiply({.a = x.row(first),
                                                       .a_stride = x.stride,
                                                       .panel = panel,
                                                       .start = bias_.data() + i * width(),
                                                       .c = to.data,
                                                       .c_stride = to.stride,
                                                       .rows = to.rows,
                                                       .depth = cols_});
                                });
    }

private:
    static const detail::FloatKernels<float>& floats() { return detail::float_kernels<float>(); }
    static const detail::BfloatKernels& kernels() { return detail::bfloat_kernels(); }
    static Index width() { return kernels().columns; }
    Index panel_size() const { return pairs_ * 2 * width(); }
    const std::uint16_t* panel_of(Index i) const { return panels_.data() + i * panel_size(); }
    const std::uint16_t* panel_after(Index i) const {
        return (i + 1) * width() < rows_ ? panel_of(i + 1) : nullptr;
    }

    void multiply_rounded(detail::ConstRows<float> x, detail::Rows<float> out, ThreadPool& threads,
                          Activation activation) const {
        detail::Scratch scratch;
        const detail::BfloatRows rounded(x.rows, pairs_, scratch);
        detail::for_rows(x.rows, threads, x.rows * cols_,
                         [&](Index row) { rounded.round(row, x.row(row), cols_); });
        detail::multiply_blocks({width(), kernels().rows_at_once, cols_}, out, threads, activation,
                                [&](Index i, Index first, const detail::Rows<float>& to) {
                                    kernels().multiply({.a = rounded.row(first),
                                                        .a_stride = rounded.stride(),
                                                        .panel = panel_of(i),
                                                        .start = bias_.data() + i * width(),
                                                        .c = to.data,
                                                        .c_stride = to.stride,
                                                        .rows = to.rows,
                                                        .depth = pairs_,
                                                        .next = panel_after(i)});
                                });
    }

    Index rows_, cols_, pairs_;
    bool products_of_bfloats_;
    detail::AlignedBuffer<std::uint16_t> panels_;
    RowVector<float> bias_;
};

}  // namespace nystromformer::inline v0_2
