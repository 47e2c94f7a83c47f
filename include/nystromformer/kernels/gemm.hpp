// SPDX-License-Identifier: MIT
// Matrix product with weights packed once: y = x w' + bias, compiled for each instruction set,
// chosen at run time.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/thread_pool.hpp>
#include <nystromformer/kernels/isa.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

namespace nystromformer::detail {

/// One tile: some rows of a (row k-contiguous), one panel of packed weights, and where the result
/// goes.
template <typename Scalar>
struct GemmTile {
    const Scalar* a;      // (rows, depth), rows a_stride apart
    const Scalar* panel;  // (depth, columns of a panel)
    const Scalar* bias;   // (columns of a panel)
    Scalar* c;            // (rows, columns of a panel), rows c_stride apart
    Index a_stride, c_stride, depth;
};

}  // namespace nystromformer::detail

#if defined(__clang__)
#define NYSTROMFORMER_UNROLL _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define NYSTROMFORMER_UNROLL _Pragma("GCC unroll 16")
#endif

#define NYSTROMFORMER_VECTOR_BYTES 16
#define NYSTROMFORMER_TILE_ROWS 6
namespace nystromformer::detail::portable {
#include <nystromformer/kernels/gemm_tile.inc>
}
#undef NYSTROMFORMER_VECTOR_BYTES
#undef NYSTROMFORMER_TILE_ROWS

#if NYSTROMFORMER_X86
#define NYSTROMFORMER_VECTOR_BYTES 32
#define NYSTROMFORMER_TILE_ROWS 6
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
namespace nystromformer::detail::avx2 {
#include <nystromformer/kernels/gemm_tile.inc>
}
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef NYSTROMFORMER_VECTOR_BYTES
#undef NYSTROMFORMER_TILE_ROWS

#define NYSTROMFORMER_VECTOR_BYTES 64
#define NYSTROMFORMER_TILE_ROWS 14
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma"))), \
                             apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,fma")
#endif
namespace nystromformer::detail::avx512 {
#include <nystromformer/kernels/gemm_tile.inc>
}
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef NYSTROMFORMER_VECTOR_BYTES
#undef NYSTROMFORMER_TILE_ROWS
#endif
#undef NYSTROMFORMER_UNROLL

namespace nystromformer::detail {

/// The tile kernel of the active instruction set.
template <typename Scalar>
struct GemmKernel {
    int rows;     // of a full tile
    int columns;  // of a panel
    void (*multiply)(const GemmTile<Scalar>&, int rows);

    static GemmKernel of(Isa isa) {
#if NYSTROMFORMER_X86
        if (isa == Isa::avx512) return make<avx512::TileShape<Scalar>>(avx512::multiply<Scalar>);
        if (isa == Isa::avx2) return make<avx2::TileShape<Scalar>>(avx2::multiply<Scalar>);
#endif
        (void)isa;
        return make<portable::TileShape<Scalar>>(portable::multiply<Scalar>);
    }

private:
    template <typename Shape>
    static GemmKernel make(void (*multiply)(const GemmTile<Scalar>&, int)) {
        return {Shape::rows, Shape::columns, multiply};
    }
};

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
        : kernel_(detail::GemmKernel<Scalar>::of(active_isa())),
          rows_(weight.rows()),
          cols_(weight.cols()),
          panels_((rows_ + kernel_.columns - 1) / kernel_.columns),
          memory_(panels_ * kernel_.columns * (cols_ + 1)) {
        for (Index row = 0; row < rows_; ++row) {
            for (Index col = 0; col < cols_; ++col)
                memory_.data()[place(row, col)] = weight(row, col);
        }
        std::copy_n(bias.data(), bias.size(), memory_.data() + bias_place());
    }

    Index rows() const { return rows_; }
    Index cols() const { return cols_; }

    /// One row of the weights, written to `out` (in).
    void copy_row(Index row, Scalar* out) const {
        const Scalar* from = memory_.data() + place(row, 0);
        for (Index col = 0; col < cols_; ++col) out[col] = from[col * kernel_.columns];
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
        const Index row_blocks = (x.rows() + block_rows - 1) / block_rows;
        const Index panel_blocks = (panels_ + block_panels - 1) / block_panels;
        threads.parallel_for(row_blocks * panel_blocks, [&](Index task) {
            multiply_block(x, result, task / panel_blocks, task % panel_blocks);
        });
        return result;
    }

private:
    // A block of rows stays in the second-level cache while a few panels pass over it.
    static constexpr Index block_rows = 84;  // a multiple of 6 and of 14
    static constexpr Index block_panels = 8;

    Index place(Index row, Index col) const {
        return (row / kernel_.columns) * cols_ * kernel_.columns + col * kernel_.columns +
               row % kernel_.columns;
    }
    Index bias_place() const { return panels_ * kernel_.columns * cols_; }

    void multiply_block(const Matrix<Scalar>& x, Matrix<Scalar>& result, Index row_block,
                        Index panel_block) const {
        const Index last_panel = std::min(panels_, (panel_block + 1) * block_panels);
        const Index last_row = std::min<Index>(x.rows(), (row_block + 1) * block_rows);
        for (Index panel = panel_block * block_panels; panel < last_panel; ++panel) {
            for (Index row = row_block * block_rows; row < last_row; row += kernel_.rows) {
                multiply_tile(x, result, panel, row, std::min<Index>(kernel_.rows, last_row - row));
            }
        }
    }

    void multiply_tile(const Matrix<Scalar>& x, Matrix<Scalar>& result, Index panel, Index row,
                       Index rows) const {
        constexpr Index most_columns = 32, most_rows = 14;
        const Index column = panel * kernel_.columns;
        const Index columns = std::min<Index>(kernel_.columns, rows_ - column);
        Scalar edge[most_rows * most_columns];  // where the last panel is not full
        const bool full = columns == kernel_.columns;
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

    detail::GemmKernel<Scalar> kernel_{};
    Index rows_ = 0;
    Index cols_ = 0;
    Index panels_ = 0;
    detail::AlignedBuffer<Scalar> memory_;
};

}  // namespace nystromformer
