// SPDX-License-Identifier: MIT
// The two layers that everything is made of: Linear and LayerNorm.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/kernels/activations.hpp>
#include <nystromformer/kernels/blocking.hpp>
#include <nystromformer/kernels/weights/linear_weights.hpp>
#include <nystromformer/model/weight_loader.hpp>
#include <nystromformer/state_dict.hpp>
#include <nystromformer/threads.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace nystromformer::inline v0_2::detail {

/// torch.nn.Linear: x w' + b.
template <typename Scalar>
struct Linear {
    LinearWeights<Scalar> weight;  // (out, in) and bias (out)

    static Linear load(const WeightLoader& state, Index in_features, Index out_features) {
        const auto rows = state.weight_rows<Scalar>("weight", out_features, in_features);
        return {LinearWeights<Scalar>(out_features, in_features, rows,
                                      state.vector<Scalar>("bias", out_features), state.precision(),
                                      state.threads())};
    }
    void save(const StateWriter& state) const {
        state.add("weight", weight.exact().weight());
        state.add("bias", weight.exact().bias());
    }
    /// out (rows, out_features) := activation(x w' + b)
    void operator()(ConstRows<Scalar> x, Rows<Scalar> out, ThreadPool& threads,
                    Activation activation = Activation::linear) const {
        weight.multiply(x, out, threads, activation);
    }
    Matrix<Scalar> operator()(const Matrix<Scalar>& x, ThreadPool& threads,
                              Activation activation = Activation::linear) const {
        Matrix<Scalar> out(x.rows(), weight.rows());
        weight.multiply(x, out, threads, activation);
        return out;  // (rows, out)
    }
};

/// Calls body(first, count) for blocks of rows, in parallel: equally many for every thread, but
/// none of only a few rows. If that leaves one block, its body can use the threads for its columns.
template <typename Body>
void for_row_blocks(Index rows, ThreadPool& threads, const Body& body) {
    constexpr Index min_rows = 12;
    const Index all = threads.num_threads();
    const Index min_blocks = blocks_of(rows, task_rows);
    const Index even = blocks_of(min_blocks, all) * all;
    const Index blocks = std::max(min_blocks, std::min(even, rows / min_rows));
    threads.parallel_for(blocks, [&](Index i) {
        const Index first = rows * i / blocks;
        body(first, rows * (i + 1) / blocks - first);
    });
}

/// to := some rows of `from`.
template <typename Scalar>
void copy_rows(ConstRows<Scalar> from, std::span<const Index> rows, Rows<Scalar> to) {
    for (std::size_t i = 0; i < rows.size(); ++i)
        std::copy_n(from.row(rows[i]), from.cols, to.row(static_cast<Index>(i)));
}

/// torch.nn.LayerNorm over the features of each row.
template <typename Scalar>
struct LayerNorm {
    RowVector<Scalar> weight, bias;  // (features)
    double eps;

    static LayerNorm load(const WeightLoader& state, Index features, double eps) {
        return {state.vector<Scalar>("weight", features), state.vector<Scalar>("bias", features),
                eps};
    }
    void save(const StateWriter& state) const {
        state.add("weight", weight);
        state.add("bias", bias);
    }
    /// out := the layer norm of x + residual, row by row; `out` may be either of them, and a
    /// residual without rows is none.
    void operator()(ConstRows<Scalar> x, ConstRows<Scalar> residual, Rows<Scalar> out) const {
        for (Index row = 0; row < x.rows; ++row) {
            float_kernels<Scalar>().layer_norm(
                {x.row(row), residual.rows == 0 ? nullptr : residual.row(row), weight.data(),
                 bias.data(), out.row(row), x.cols, static_cast<Scalar>(eps)});
        }
    }
    Matrix<Scalar> operator()(Matrix<Scalar> x) const {
        (*this)(x, Rows<Scalar>(), Rows<Scalar>(x));
        return x;  // (rows, features)
    }
};

}  // namespace nystromformer::inline v0_2::detail
