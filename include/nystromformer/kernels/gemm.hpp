// SPDX-License-Identifier: MIT
// Matrix product with weights packed once: y = x w' + bias, compiled for each instruction set,
// chosen at run time.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/kernels/activations.hpp>
#include <nystromformer/kernels/instruction_sets.hpp>
#include <nystromformer/threads.hpp>

#include <algorithm>
#include <functional>

namespace nystromformer {

/// Weights while they are packed: a call with (first, count, to) writes the rows
/// [first, first + count) of a (out, in) matrix to `to`, in row-major order. Called from several
/// threads.
template <typename Scalar>
using WeightRows = std::function<void(Index first, Index count, Scalar* to)>;

namespace detail {

/// The rows that stay in the second-level cache while panels pass over them.
inline constexpr Index block_rows = 84;  // a multiple of 6 and of 14

/// The rows of a panel that stay in the first-level cache while tiles pass over them.
inline constexpr Index block_depth = 384;

inline Index blocks_of(Index count, Index size) { return (count + size - 1) / size; }

/// Calls body(first, count) for tiles of nearly equal height: a tile of one or two rows would leave
/// the arithmetic units waiting.
template <typename Body>
void for_each_tile(Index rows, Index tile_rows, const Body& body) {
    const Index tiles = blocks_of(rows, tile_rows);
    if (tiles == 0) return;
    const Index height = rows / tiles, taller = rows % tiles;
    Index first = 0;
    for (Index i = 0; i < tiles; ++i) {
        const Index count = i < taller ? height + 1 : height;
        body(first, count);
        first += count;
    }
}

/// Calls body(tile, height) for the tiles of `all`, a product of `rows` rows and one panel.
template <typename Tile, typename Body>
void for_each_tile_of(const Tile& all, Index rows, Index tile_rows, const Body& body) {
    for_each_tile(rows, tile_rows, [&](Index first, Index height) {
        Tile tile = all;
        tile.a += first * all.a_stride;
        if (tile.start != nullptr) tile.start += first * all.start_stride;
        tile.c += first * all.c_stride;
        body(tile, static_cast<int>(height));
    });
}

/// c = start + a b for `rows` rows and one panel, while the panel at `next` is brought to the
/// cache, where there is one.
template <typename Scalar>
void multiply_rows(const GemmTile<Scalar>& all, Index rows, const Scalar* next = nullptr) {
    const KernelTable<Scalar>& kernel = kernels<Scalar>();
    const Index next_step =
        blocks_of(kernel.tile_columns * Index{sizeof(Scalar)}, blocks_of(rows, kernel.tile_rows));
    const char* part = reinterpret_cast<const char*>(next);
    for_each_tile_of(all, rows, kernel.tile_rows, [&](GemmTile<Scalar>& tile, int height) {
        if (next != nullptr) {
            tile.next = part;
            tile.next_step = next_step;
            part += next_step * all.depth;
        }
        kernel.multiply(tile, height);
    });
}

/// One panel (x.cols, columns of a panel) := the rows of factor x, at most as many as it has
/// columns, the other columns 0.
template <typename Scalar>
void pack_rows(ConstRows<Scalar> x, Scalar factor, Scalar* panel) {
    const Index width = kernels<Scalar>().tile_columns;
    if (x.rows == width) return kernels<Scalar>().pack(x.data, x.stride, x.cols, factor, panel);
    std::fill_n(panel, x.cols * width, Scalar(0));
    for (Index row = 0; row < x.rows; ++row)
        for (Index col = 0; col < x.cols; ++col)
            panel[col * width + row] = factor * x.row(row)[col];
}

/// Calls pack(panel, rows) for every panel of weights (num_rows, num_cols), in parallel: `rows` are
/// those that become its columns.
template <typename Scalar, typename Pack>
void for_each_panel(Index num_rows, Index num_cols, const WeightRows<Scalar>& weight,
                    ThreadPool& threads, const Pack& pack) {
    const Index width = kernels<Scalar>().tile_columns;
    threads.parallel_for(blocks_of(num_rows, width), [&](Index panel) {
        Scratch scratch;
        const Index first = panel * width, count = std::min(width, num_rows - first);
        Scalar* rows = scratch.array<Scalar>(count * num_cols);
        weight(first, count, rows);
        pack(panel, Rows<const Scalar>(rows, count, num_cols, num_cols));
    });
}

/// Calls body(row) for every row, a block of rows a task. `work` is that of parallel_for.
template <typename Body>
void for_rows(Index rows, ThreadPool& threads, Index work, const Body& body) {
    const auto block_body = [&](Index block) {
        const Index last = std::min(rows, (block + 1) * block_rows);
        for (Index row = block * block_rows; row < last; ++row) body(row);
    };
    threads.parallel_for(blocks_of(rows, block_rows), block_body, work);
}

/// out (n, columns) := activation(a product), by blocks of rows and groups of panels, the
/// activation while a group is in the cache. multiply_panel(panel, first, to) writes one whole
/// panel of the rows [first, first + to.rows) to `to`. `depth` is that of the product.
template <typename Scalar, typename MultiplyPanel>
void multiply_blocks(Index depth, Rows<Scalar> out, ThreadPool& threads, Activation activation,
                     const MultiplyPanel& multiply_panel) {
    constexpr Index group_panels = 8, most_columns = Scratch::widest_panel;
    const Index width = kernels<Scalar>().tile_columns, panels = blocks_of(out.cols, width);
    const Index row_blocks = blocks_of(out.rows, block_rows);
    const Index groups = blocks_of(panels, group_panels);
    const auto multiply_group = [&](Index task) {
        const Index block = task / groups, group = task % groups;
        const Index first = out.rows * block / row_blocks;
        const Index rows = out.rows * (block + 1) / row_blocks - first;
        const Index last = std::min(panels, (group + 1) * group_panels);
        for (Index panel = group * group_panels; panel < last; ++panel) {
            const Index columns = std::min(width, out.cols - panel * width);
            const Rows<Scalar> to =
                out.middle_rows(first, rows).middle_cols(panel * width, columns);
            if (columns == width) {
                multiply_panel(panel, first, to);
                continue;
            }
            Scalar edge[block_rows * most_columns];  // the last panel is not full
            const Rows<Scalar> whole(edge, rows, width, most_columns);
            multiply_panel(panel, first, whole);
            for (Index i = 0; i < rows; ++i) std::copy_n(whole.row(i), columns, to.row(i));
        }
        if (activation == Activation::linear) return;
        const Index column = group * group_panels * width;
        const Index columns = std::min(out.cols, last * width) - column;
        for (Index row = first; row < first + rows; ++row)
            activate_row(activation, out.row(row) + column, columns);
    };
    threads.parallel_for(row_blocks * groups, multiply_group, out.rows * out.cols * depth);
}

}  // namespace detail

/// Weights (out, in) with a bias (out), stored in column panels `[out / columns][in][columns]` as
/// the kernel of the active instruction set reads them.
template <typename Scalar>
class PackedMatrix {
public:
    PackedMatrix() = default;
    /// `weight` (num_rows, num_cols), num_cols at least 1; an empty `bias` is zero.
    PackedMatrix(Index num_rows, Index num_cols, const WeightRows<Scalar>& weight,
                 const RowVector<Scalar>& bias, ThreadPool& threads)
        : rows_(num_rows),
          cols_(num_cols),
          panels_(detail::blocks_of(rows_, width())),
          memory_(panels_ * width() * (cols_ + 1)) {
        detail::for_each_panel(
            num_rows, num_cols, weight, threads, [&](Index i, detail::ConstRows<Scalar> rows) {
                detail::pack_rows<Scalar>(rows, Scalar(1), memory_.data() + i * width() * cols_);
            });
        std::fill_n(memory_.data() + bias_place(), panels_ * width(), Scalar(0));
        std::copy_n(bias.data(), bias.size(), memory_.data() + bias_place());
    }
    explicit PackedMatrix(const Matrix<Scalar>& weight, const RowVector<Scalar>& bias = {})
        : PackedMatrix(weight, bias, ThreadPool(1)) {}

    Index rows() const { return rows_; }
    Index cols() const { return cols_; }

    /// One row of the weights, written to `out` (in).
    void copy_row(Index row, Scalar* out) const {
        const Scalar* from = memory_.data() + place(row, 0);
        const Index columns = width();
        for (Index col = 0; col < cols_; ++col) out[col] = from[col * columns];
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
        detail::multiply_blocks(
            cols_, out, threads, activation,
            [&](Index i, Index first, const detail::Rows<Scalar>& to) {
                const Scalar* bias = memory_.data() + bias_place() + i * width();
                for (Index col = 0; col < cols_; col += detail::block_depth) {
                    const Index depth = std::min(detail::block_depth, cols_ - col);
                    const Scalar* panel = memory_.data() + (i * cols_ + col) * width();
                    const bool last = i + 1 == panels_ && col + depth == cols_;
                    const Scalar* start = col == 0 ? bias : to.data;
                    detail::multiply_rows<Scalar>(
                        {x.row(first) + col, panel, start, to.data, x.stride,
                         col == 0 ? 0 : to.stride, to.stride, depth},
                        to.rows, last ? nullptr : panel + depth * width());
                }
            });
    }
    /// The same as a new matrix.
    Matrix<Scalar> multiply(const Matrix<Scalar>& x, ThreadPool& threads) const {
        Matrix<Scalar> result(x.rows(), rows_);
        multiply(x, result, threads);
        return result;
    }

private:
    PackedMatrix(const Matrix<Scalar>& weight, const RowVector<Scalar>& bias, ThreadPool&& one)
        : PackedMatrix(
              weight.rows(), weight.cols(),
              [&weight](Index first, Index count, Scalar* to) {
                  std::copy_n(weight.row(first).data(), count * weight.cols(), to);
              },
              bias, one) {}

    static Index width() { return detail::kernels<Scalar>().tile_columns; }
    Index place(Index row, Index col) const {
        return row / width() * cols_ * width() + col * width() + row % width();
    }
    Index bias_place() const { return panels_ * width() * cols_; }

    Index rows_ = 0;
    Index cols_ = 0;
    Index panels_ = 0;
    detail::AlignedBuffer<Scalar> memory_;
};

}  // namespace nystromformer
