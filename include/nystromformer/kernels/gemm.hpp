// SPDX-License-Identifier: MIT
// Matrix product with weights packed once: y = x w' + bias, compiled for each instruction set,
// chosen at run time.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/core/thread_pool.hpp>
#include <nystromformer/kernels/activations.hpp>
#include <nystromformer/kernels/instruction_sets.hpp>

#include <algorithm>

namespace nystromformer::detail {

/// The rows that stay in the second-level cache while panels pass over them.
inline constexpr Index block_rows = 84;  // a multiple of 6 and of 14

/// c = start + a b for `rows` rows and one panel, by tiles of nearly equal height: a tile of one or
/// two rows would leave the arithmetic units waiting.
template <typename Scalar>
void multiply_rows(GemmTile<Scalar> tile, Index rows) {
    const KernelTable<Scalar>& kernel = kernels<Scalar>();
    const Index tiles = (rows + kernel.tile_rows - 1) / kernel.tile_rows;
    Index row = 0;
    for (Index i = 1; i <= tiles; ++i) {
        const Index height = rows * i / tiles - row;
        kernel.multiply(tile, static_cast<int>(height));
        tile.a += height * tile.a_stride;
        tile.start += height * tile.start_stride;
        tile.c += height * tile.c_stride;
        row += height;
    }
}

}  // namespace nystromformer::detail

namespace nystromformer {

/// Weights (out, in) with a bias (out), stored in column panels `[out / columns][in][columns]` as
/// the kernel of the active instruction set reads them.
template <typename Scalar>
class PackedMatrix {
public:
    PackedMatrix() = default;
    /// `weight` (out, in); an empty `bias` is zero.
    explicit PackedMatrix(const Matrix<Scalar>& weight, const RowVector<Scalar>& bias = {})
        : kernel_(detail::kernels<Scalar>()),
          rows_(weight.rows()),
          cols_(weight.cols()),
          panels_((rows_ + kernel_.tile_columns - 1) / kernel_.tile_columns),
          memory_(panels_ * kernel_.tile_columns * (cols_ + 1)) {
        std::fill_n(memory_.data(), panels_ * kernel_.tile_columns * (cols_ + 1), Scalar(0));
        for (Index first = 0; first < rows_; first += kernel_.tile_columns) {
            const Index rows = std::min(kernel_.tile_columns, rows_ - first);
            Scalar* panel = memory_.data() + first * cols_;
            for (Index row = 0; row < rows; ++row) {
                const Scalar* from = weight.row(first + row).data();
                for (Index col = 0; col < cols_; ++col) {
                    panel[col * kernel_.tile_columns + row] = from[col];
                }
            }
        }
        std::copy_n(bias.data(), bias.size(), memory_.data() + bias_place());
    }

    Index rows() const { return rows_; }
    Index cols() const { return cols_; }

    /// One row of the weights, written to `out` (in).
    void copy_row(Index row, Scalar* out) const {
        const Scalar* from = memory_.data() + place(row, 0);
        for (Index col = 0; col < cols_; ++col) out[col] = from[col * kernel_.tile_columns];
    }
    /// True when every weight equals the one of `weight`.
    bool holds(const Matrix<Scalar>& weight) const {
        if (weight.rows() != rows_ || weight.cols() != cols_) return false;
        RowVector<Scalar> row(cols_);
        for (Index i = 0; i < rows_; ++i) {
            copy_row(i, row.data());
            if (row != weight.row(i)) return false;
        }
        return true;
    }
    Matrix<Scalar> weight() const {
        Matrix<Scalar> result(rows_, cols_);
        for (Index row = 0; row < rows_; ++row) copy_row(row, result.row(row).data());
        return result;
    }
    RowVector<Scalar> bias() const {
        return Eigen::Map<const RowVector<Scalar>>(memory_.data() + bias_place(), rows_);
    }

    /// out := activation(x w' + bias): (n, in) -> (n, out). A row's result is the same bits for any
    /// n and any number of threads.
    void multiply(detail::ConstRows<Scalar> x, detail::Rows<Scalar> out, ThreadPool& threads,
                  Activation activation = Activation::linear) const {
        const Index row_blocks = blocks(x.rows, detail::block_rows);
        const Index groups = blocks(panels_, group_panels);
        threads.parallel_for(
            row_blocks * groups,
            [&](Index task) {
                const Index block = task / groups;
                const Index first = x.rows * block / row_blocks;
                const Index rows = x.rows * (block + 1) / row_blocks - first;
                multiply_group(x.middle_rows(first, rows), out.middle_rows(first, rows),
                               task % groups, activation);
            },
            x.rows * rows_ * cols_);
    }
    /// The same as a new matrix.
    Matrix<Scalar> multiply(const Matrix<Scalar>& x, ThreadPool& threads) const {
        Matrix<Scalar> result(x.rows(), rows_);
        multiply(x, result, threads);
        return result;
    }

private:
    static constexpr Index group_panels = 8;

    static Index blocks(Index count, Index size) { return (count + size - 1) / size; }

    Index place(Index row, Index col) const {
        return (row / kernel_.tile_columns) * cols_ * kernel_.tile_columns +
               col * kernel_.tile_columns + row % kernel_.tile_columns;
    }
    Index bias_place() const { return panels_ * kernel_.tile_columns * cols_; }

    /// A few panels for a block of rows, then the activation while they are in the cache.
    void multiply_group(detail::ConstRows<Scalar> x, detail::Rows<Scalar> out, Index group,
                        Activation activation) const {
        const Index last = std::min(panels_, (group + 1) * group_panels);
        for (Index panel = group * group_panels; panel < last; ++panel) {
            multiply_panel(x, out, panel);
        }
        if (activation == Activation::linear) return;
        const Index column = group * group_panels * kernel_.tile_columns;
        const Index columns = std::min(rows_, last * kernel_.tile_columns) - column;
        for (Index row = 0; row < out.rows; ++row) {
            detail::activate_row(activation, out.row(row) + column, columns);
        }
    }

    void multiply_panel(detail::ConstRows<Scalar> x, detail::Rows<Scalar> out, Index panel) const {
        constexpr Index most_columns = detail::Scratch::widest_panel;
        const Index column = panel * kernel_.tile_columns;
        const Index columns = std::min<Index>(kernel_.tile_columns, rows_ - column);
        Scalar edge[detail::block_rows * most_columns];  // where the last panel is not full
        const bool full = columns == kernel_.tile_columns;
        detail::multiply_rows<Scalar>(
            {x.data, memory_.data() + column * cols_, memory_.data() + bias_place() + column,
             full ? out.data + column : edge, x.stride, kernel_.tile_columns, 0,
             full ? out.stride : most_columns, cols_},
            x.rows);
        for (Index i = 0; !full && i < x.rows; ++i) {
            std::copy_n(edge + i * most_columns, columns, out.row(i) + column);
        }
    }

    detail::KernelTable<Scalar> kernel_{};
    Index rows_ = 0;
    Index cols_ = 0;
    Index panels_ = 0;
    detail::AlignedBuffer<Scalar> memory_;
};

}  // namespace nystromformer
