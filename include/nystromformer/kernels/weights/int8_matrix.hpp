// SPDX-License-Identifier: MIT
// Weights and activations in 8 bits, with a scale for every block of an output channel and of a
// row.
#pragma once

#include <nystromformer/core/memory.hpp>
#include <nystromformer/kernels/blocking.hpp>
#include <nystromformer/threads.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace nystromformer::inline v0_2 {

/// Weights (out, in) as whole numbers from -127 to 127 times a scale for each 256 of `in`, in
/// column panels of four `[out / columns][in / 4][columns][4]`, with a bias (out) in float.
/// Products of whole numbers are exact, on every instruction set.
class Int8Matrix {
public:
    Int8Matrix(Index num_rows, Index num_cols, const WeightRows<float>& weight,
               const RowVector<float>& bias, ThreadPool& threads)
        : rows_(num_rows),
          cols_(num_cols),
          fours_(detail::blocks_of(num_cols, 4 * kernels().step) * kernels().step),
          panels_(detail::blocks_of(num_rows, width()) * panel_size()),
          column_sums_(detail::blocks_of(num_rows, width()) * blocks() * width()),
          scales_(detail::blocks_of(num_rows, width()) * blocks() * width()),
          bias_(RowVector<float>::Zero(detail::blocks_of(num_rows, width()) * width())) {
        bias_.head(bias.size()) = bias;
        detail::for_each_panel(
            num_rows, num_cols, width(), weight, threads,
            [this](Index i, detail::ConstRows<float> rows) { pack_panel(i, rows); });
    }

    Index rows() const { return rows_; }
    Index cols() const { return cols_; }

    /// out := activation(x w' + bias): (n, in) -> (n, out). Of each 256 numbers of a row of x the
    /// largest is kept and the others are rounded to 255 steps of their range. What depends on
    /// infinity or NaN is not finite.
    void multiply(detail::ConstRows<float> x, detail::Rows<float> out, ThreadPool& threads,
                  Activation activation = Activation::linear) const {
        detail::Scratch scratch;
        const Quantized rows = quantize(x, threads, scratch);
        detail::multiply_blocks({width(), kernels().rows_at_once, cols_}, out, threads, activation,
                                [&](Index i, Index first, const detail::Rows<float>& to) {
                                    multiply_panel(i, rows, first, to);
                                });
    }

private:
    struct Quantized {
        std::byte* data;
        detail::Int8Block* row_blocks;  // (rows, blocks)
        Index stride;                   // bytes of a row
    };

    static const detail::ByteKernels& kernels() { return detail::byte_kernels(); }
    static Index width() { return kernels().columns; }
    Index panel_size() const { return fours_ * 4 * width(); }
    Index blocks() const { return detail::blocks_of(cols_, detail::int8_block); }

    Quantized quantize(detail::ConstRows<float> x, ThreadPool& threads,
                       detail::Scratch& scratch) const {
        constexpr Index effort = 8;                        // of one number, in multiplications
        const Index size = fours_ * 16 / kernels().group;  // an odd number of cache lines apart
        const Index stride = (detail::blocks_of(size, 64) | 1) * 64;
        const Quantized result{scratch.array<std::byte>(x.rows * stride),
                               scratch.array<detail::Int8Block>(x.rows * blocks()), stride};
        detail::for_rows(x.rows, threads, x.rows * cols_ * effort, [&](Index row) {
            std::byte* to = result.data + row * stride;
            if (kernels().step > 1) std::fill(to + cols_, to + size, std::byte{0});
            kernels().quantize_row(x.row(row), cols_, to, result.row_blocks + row * blocks());
        });
        return result;
    }

    /// Panel i for the rows [first, first + to.rows), while the next panel is brought to the cache.
    void multiply_panel(Index i, const Quantized& rows, Index first,
                        const detail::Rows<float>& to) const {
        detail::Scratch scratch;
        const Index at = i * blocks() * width();
        const bool last = (i + 1) * width() >= rows_;
        kernels().multiply({.a = rows.data + first * rows.stride,
                            .a_stride = rows.stride,
                            .a_blocks = rows.row_blocks + first * blocks(),
                            .panel = panel_for(i, scratch),
                            .column_scales = scales_.data() + at,
                            .column_sums = column_sums_.data() + at,
                            .bias = bias_.data() + i * width(),
                            .c = to.data,
                            .c_stride = to.stride,
                            .rows = to.rows,
                            .depth = fours_ * 4 / kernels().group,
                            .blocks = blocks(),
                            .next = last ? nullptr : panels_.data() + (i + 1) * panel_size(),
                            .next_bytes = panel_size()});
    }

    /// The panel in the form that the kernel reads: as it is, or widened to 16 bits.
    const void* panel_for(Index i, detail::Scratch& scratch) const {
        const std::int8_t* panel = panels_.data() + i * panel_size();
        if (kernels().widen == nullptr) return panel;
        auto* widened = scratch.array<short>(panel_size());
        kernels().widen(panel, fours_, widened);
        return widened;
    }

    void pack_panel(Index i, detail::ConstRows<float> rows) {
        std::int8_t* to = panels_.data() + i * panel_size();
        std::fill_n(to, panel_size(), std::int8_t{0});
        std::fill_n(column_sums_.data() + i * blocks() * width(), blocks() * width(), 0.0f);
        std::fill_n(scales_.data() + i * blocks() * width(), blocks() * width(), 0.0f);
        for (Index row = 0; row < rows.rows; ++row) {
            for (Index block = 0; block < blocks(); ++block)
                pack_block(rows.row(row), i * width() + row, block, to + row * 4);
        }
    }

    /// One block of one output channel: four numbers, then those of the panel's other channels, ...
    void pack_block(const float* channel, Index row, Index block, std::int8_t* to) {
        const Index first = block * detail::int8_block;
        const Index last = std::min(cols_, first + detail::int8_block);
        float largest = 0;
        bool finite = true;
        for (Index col = first; col < last; ++col) {
            largest = std::max(largest, std::abs(channel[col]));
            finite = finite && detail::is_finite(channel[col]);
        }
        const Index at = (row / width() * blocks() + block) * width() + row % width();
        scales_.data()[at] = finite ? largest / 127 : std::numeric_limits<float>::quiet_NaN();
        if (!(largest > 0) || !finite) return;
        int sum = 0;
        for (Index col = first; col < last; ++col) {
            // In double: 127 / largest could overflow.
            const double steps =
                std::clamp(127.0 * static_cast<double>(channel[col]) / static_cast<double>(largest),
                           -127.0, 127.0);
            const auto rounded = static_cast<std::int8_t>(steps + (steps < 0 ? -0.5 : 0.5));
            to[col / 4 * width() * 4 + col % 4] = rounded;
            sum += rounded;
        }
        column_sums_.data()[at] = scales_.data()[at] * static_cast<float>(sum);
    }

    Index rows_, cols_, fours_;
    detail::AlignedBuffer<std::int8_t> panels_;
    detail::AlignedBuffer<float> column_sums_;  // [panels][blocks][columns of a panel], scaled
    detail::AlignedBuffer<float> scales_;       // [panels][blocks][columns of a panel]
    RowVector<float> bias_;
};

}  // namespace nystromformer::inline v0_2
