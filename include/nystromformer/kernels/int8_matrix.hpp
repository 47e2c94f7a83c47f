// SPDX-License-Identifier: MIT
// Weights in 8 bits, a scale an output channel, for activations in 8 bits, a scale for every block
// of a row.
#pragma once

#include <nystromformer/core/memory.hpp>
#include <nystromformer/core/thread_pool.hpp>
#include <nystromformer/kernels/gemm.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace nystromformer {

/// Weights (out, in) as whole numbers from -127 to 127 times a scale for each of `out`, in column
/// panels of four `[out / columns][in / 4][columns][4]`, with a bias (out) in float. Products of
/// whole numbers are exact, on every instruction set.
class Int8Matrix {
public:
    Int8Matrix(Index num_rows, Index num_cols, const WeightRows<float>& weight,
               const RowVector<float>& bias, ThreadPool& threads)
        : rows_(num_rows),
          cols_(num_cols),
          fours_(detail::blocks_of(num_cols, 4)),
          panels_(detail::blocks_of(num_rows, width()) * panel_size()),
          column_sums_(detail::blocks_of(num_rows, width()) * blocks() * width()),
          scales_(RowVector<float>::Zero(detail::blocks_of(num_rows, width()) * width())),
          bias_(RowVector<float>::Zero(scales_.size())) {
        bias_.head(bias.size()) = bias;
        threads.parallel_for(detail::blocks_of(rows_, width()),
                             [&](Index i) { pack_panel(i, weight); });
    }

    Index rows() const { return rows_; }
    Index cols() const { return cols_; }

    /// out := activation(x w' + bias): (n, in) -> (n, out). Each 128 numbers of a row of x are
    /// rounded to 255 steps of their own range; a row that holds infinity or NaN becomes NaN.
    void multiply(detail::ConstRows<float> x, detail::Rows<float> out, ThreadPool& threads,
                  Activation activation = Activation::linear) const {
        detail::Scratch scratch;
        const Quantized rows = quantize(x, threads, scratch);
        detail::multiply_blocks(
            cols_, out, threads, activation,
            [&](Index i, Index first, const detail::Rows<float>& to) {
                detail::Scratch panel_scratch;
                const void* panel = panel_for(i, panel_scratch);
                detail::for_each_tile(to.rows, kernel().tile_rows, [&](Index row, Index height) {
                    kernel().multiply_int8(
                        {rows.row(first + row), panel, column_sums_.data() + i * blocks() * width(),
                         scales_.data() + i * width(), bias_.data() + i * width(), to.row(row),
                         rows.stride, to.stride, fours_ * 4 / kernel().int8_group, blocks()},
                        static_cast<int>(height));
                });
            });
    }

private:
    struct Quantized {
        std::byte* data;
        float* scales;         // (rows, blocks)
        int* zeros;            // (rows, blocks)
        Index stride, blocks;  // bytes and blocks of a row

        detail::Int8Row row(Index i) const {
            return {data + i * stride, scales + i * blocks, zeros + i * blocks};
        }
    };

    static const detail::KernelTable<float>& kernel() { return detail::kernels<float>(); }
    static Index width() { return kernel().tile_columns; }
    Index panel_size() const { return fours_ * 4 * width(); }
    Index blocks() const { return detail::blocks_of(cols_, detail::int8_block); }

    Quantized quantize(detail::ConstRows<float> x, ThreadPool& threads,
                       detail::Scratch& scratch) const {
        constexpr Index effort = 8;  // of one number, in multiplications
        const Index stride = fours_ * 16 / kernel().int8_group + 64;  // not one set of the cache
        const Quantized result{scratch.array<std::byte>(x.rows * stride),
                               scratch.array<float>(x.rows * blocks()),
                               scratch.array<int>(x.rows * blocks()), stride, blocks()};
        threads.parallel_for(
            detail::blocks_of(x.rows, detail::block_rows),
            [&](Index block) {
                const Index first = block * detail::block_rows;
                const Index last = std::min(x.rows, first + detail::block_rows);
                for (Index row = first; row < last; ++row)
                    kernel().quantize_row(x.row(row), cols_, result.row(row));
            },
            x.rows * cols_ * effort);
        return result;
    }

    /// The panel in the form that the kernel reads: as it is, or widened to 16 bits.
    const void* panel_for(Index i, detail::Scratch& scratch) const {
        const std::int8_t* panel = panels_.data() + i * panel_size();
        if (kernel().int8_group == 4) return panel;
        auto* widened = scratch.array<short>(panel_size());
        kernel().widen_bytes(panel, fours_, widened);
        return widened;
    }

    void pack_panel(Index i, const WeightRows<float>& weight) {
        detail::Scratch scratch;
        const Index rows = std::min(width(), rows_ - i * width());
        auto* from = scratch.array<float>(rows * cols_);
        weight(i * width(), rows, from);
        std::int8_t* to = panels_.data() + i * panel_size();
        std::fill_n(to, panel_size(), std::int8_t{0});
        std::fill_n(column_sums_.data() + i * blocks() * width(), blocks() * width(), 0);
        for (Index row = 0; row < rows; ++row)
            pack_channel(from + row * cols_, i * width() + row, to + row * 4);
    }

    /// One output channel: four numbers, then those of the other channels of the panel, ...
    void pack_channel(const float* from, Index channel, std::int8_t* to) {
        float most = 0, lost = 0;  // `lost` is NaN where a weight is infinite or NaN
        for (Index col = 0; col < cols_; ++col) {
            most = std::max(most, std::abs(from[col]));
            lost += from[col] - from[col];
        }
        scales_[channel] = most / 127 + lost;
        if (!(most > 0) || !std::isfinite(scales_[channel])) return;
        std::int32_t* sums = column_sums_.data() + channel / width() * blocks() * width();
        for (Index col = 0; col < cols_; ++col) {
            // In double: 127 / most could overflow.
            const double steps = std::clamp(127.0 * from[col] / most, -127.0, 127.0);
            const auto rounded = static_cast<std::int8_t>(std::lround(steps));
            to[col / 4 * width() * 4 + col % 4] = rounded;
            sums[col / detail::int8_block * width() + channel % width()] += rounded;
        }
    }

    Index rows_, cols_, fours_;
    detail::AlignedBuffer<std::int8_t> panels_;
    detail::AlignedBuffer<std::int32_t> column_sums_;  // [panels][blocks][columns of a panel]
    RowVector<float> scales_, bias_;
};

}  // namespace nystromformer
