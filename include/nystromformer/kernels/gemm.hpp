// SPDX-License-Identifier: MIT
// Matrix product with weights packed once: y = x w' + bias, compiled for each instruction set,
// chosen at run time.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/thread_pool.hpp>
#include <nystromformer/kernels/instruction_sets.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

namespace nystromformer::detail {

/// Memory that starts on a cache line, filled with zeros.
template <typename Scalar>
class AlignedBuffer {
public:
    AlignedBuffer() = default;
    explicit AlignedBuffer(Index size)
        : memory_(static_cast<Scalar*>(
              ::operator new(static_cast<std::size_t>(size) * sizeof(Scalar), alignment))) {
        std::fill_n(memory_.get(), size, Scalar(0));
    }
    Scalar* data() { return memory_.get(); }
    const Scalar* data() const { return memory_.get(); }

private:
    static constexpr std::align_val_t alignment{64};
    struct Delete {
        void operator()(Scalar* memory) const { ::operator delete(memory, alignment); }
    };
    std::unique_ptr<Scalar[], Delete> memory_;
};

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

    /// x w' + bias: (n, in) -> (n, out). A row's result is the same bits for any n and any number
    /// of threads.
    Matrix<Scalar> multiply(const Matrix<Scalar>& x, ThreadPool& threads) const {
        Matrix<Scalar> result(x.rows(), rows_);
        const Index panel_blocks = blocks(panels_, block_panels);
        threads.parallel_for(blocks(x.rows(), block_rows) * panel_blocks, [&](Index task) {
            multiply_block(x, result, task / panel_blocks, task % panel_blocks);
        });
        return result;
    }
    /// The same on the calling thread.
    Matrix<Scalar> multiply(const Matrix<Scalar>& x) const {
        Matrix<Scalar> result(x.rows(), rows_);
        for (Index row = 0; row < blocks(x.rows(), block_rows); ++row) {
            for (Index panel = 0; panel < blocks(panels_, block_panels); ++panel) {
                multiply_block(x, result, row, panel);
            }
        }
        return result;
    }

private:
    // A block of rows stays in the second-level cache while a few panels pass over it.
    static constexpr Index block_rows = 84;  // a multiple of 6 and of 14
    static constexpr Index block_panels = 8;

    static Index blocks(Index count, Index size) { return (count + size - 1) / size; }

    Index place(Index row, Index col) const {
        return (row / kernel_.tile_columns) * cols_ * kernel_.tile_columns +
               col * kernel_.tile_columns + row % kernel_.tile_columns;
    }
    Index bias_place() const { return panels_ * kernel_.tile_columns * cols_; }

    void multiply_block(const Matrix<Scalar>& x, Matrix<Scalar>& result, Index row_block,
                        Index panel_block) const {
        const Index last_panel = std::min(panels_, (panel_block + 1) * block_panels);
        const Index last_row = std::min<Index>(x.rows(), (row_block + 1) * block_rows);
        for (Index panel = panel_block * block_panels; panel < last_panel; ++panel) {
            for (Index row = row_block * block_rows; row < last_row; row += kernel_.tile_rows) {
                multiply_tile(x, result, panel, row,
                              std::min<Index>(kernel_.tile_rows, last_row - row));
            }
        }
    }

    void multiply_tile(const Matrix<Scalar>& x, Matrix<Scalar>& result, Index panel, Index row,
                       Index rows) const {
        constexpr Index most_columns = 32, most_rows = 14;
        const Index column = panel * kernel_.tile_columns;
        const Index columns = std::min<Index>(kernel_.tile_columns, rows_ - column);
        Scalar edge[most_rows * most_columns];  // where the last panel is not full
        const bool full = columns == kernel_.tile_columns;
        const detail::GemmTile<Scalar> tile{x.data() + row * cols_,
                                            memory_.data() + column * cols_,
                                            memory_.data() + bias_place() + column,
                                            full ? result.data() + row * rows_ + column : edge,
                                            cols_,
                                            full ? rows_ : most_columns,
                                            cols_};
        kernel_.multiply(tile, static_cast<int>(rows));
        for (Index i = 0; !full && i < rows; ++i) {
            std::copy_n(edge + i * most_columns, columns,
                        result.data() + (row + i) * rows_ + column);
        }
    }

    detail::KernelTable<Scalar> kernel_{};
    Index rows_ = 0;
    Index cols_ = 0;
    Index panels_ = 0;
    detail::AlignedBuffer<Scalar> memory_;
};

namespace detail {

/// a b' for a (n, d) and b (m, d).
template <typename Scalar>
Matrix<Scalar> product_transposed(const Matrix<Scalar>& a, const Matrix<Scalar>& b) {
    return PackedMatrix<Scalar>(b).multiply(a);  // (n, m)
}

/// a b for a (n, d) and b (d, m).
template <typename Scalar>
Matrix<Scalar> product(const Matrix<Scalar>& a, const Matrix<Scalar>& b) {
    return product_transposed<Scalar>(a, b.transpose());  // (n, m)
}

}  // namespace detail
}  // namespace nystromformer
