// SPDX-License-Identifier: MIT
// Weights packed once, in float or double: y = x w' + bias.
#pragma once

#include <nystromformer/kernels/blocking.hpp>
#include <nystromformer/kernels/panels.hpp>

#include <algorithm>

namespace nystromformer::inline v0_2 {

/// Weights (out, in) with a bias (out), stored in column panels `[out / columns][in][columns]` as
/// the kernels of the active backend read them.
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
        detail::for_each_panel(num_rows, num_cols, width(), weight, threads,
                               [&](Index i, detail::ConstRows<Scalar> rows) {
                                   detail::pack_rows<Scalar>(rows, Scalar(1),
                                                             memory_.data() + i * width() * cols_);
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
        detail::multiply_blocks({width(), kernels().rows_at_once, cols_}, out, threads, activation,
                                [&](Index panel, Index first, const detail::Rows<Scalar>& to) {
                                    multiply_panel(panel, x.middle_rows(first, to.rows), to);
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

    static const detail::FloatKernels<Scalar>& kernels() { return detail::float_kernels<Scalar>(); }
    static Index width() { return kernels().columns; }

    /// One panel by blocks of the depth, while the next block is brought to the cache.
    void multiply_panel(Index panel, detail::ConstRows<Scalar> x,
                        const detail::Rows<Scalar>& to) const {
        constexpr Index block_depth = 384;  // a block stays in the first-level cache
        for (Index col = 0; col < cols_; col += block_depth) {
            const Index depth = std::min(block_depth, cols_ - col);
            const Scalar* block = memory_.data() + (panel * cols_ + col) * width();
            const bool last = panel + 1 == panels_ && col + depth == cols_;
            kernels().multiply(
                {.a = x.data + col,
                 .a_stride = x.stride,
                 .panel = block,
                 .start = col == 0 ? memory_.data() + bias_place() + panel * width() : to.data,
                 .start_stride = col == 0 ? 0 : to.stride,
                 .c = to.data,
                 .c_stride = to.stride,
                 .rows = to.rows,
                 .depth = depth,
                 .next = last ? nullptr : block + depth * width()});
        }
    }
    Index place(Index row, Index col) const {
        return row / width() * cols_ * width() + col * width() + row % width();
    }
    Index bias_place() const { return panels_ * width() * cols_; }

    Index rows_ = 0;
    Index cols_ = 0;
    Index panels_ = 0;
    detail::AlignedBuffer<Scalar> memory_;
};

}  // namespace nystromformer::inline v0_2
