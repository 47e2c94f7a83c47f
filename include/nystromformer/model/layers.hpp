// SPDX-License-Identifier: MIT
// The two layers that everything is made of: Linear and LayerNorm.
#pragma once

#include <nystromformer/checkpoint/state_dict.hpp>
#include <nystromformer/checkpoint/state_writer.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/thread_pool.hpp>
#include <nystromformer/kernels/activations.hpp>
#include <nystromformer/kernels/gemm.hpp>
#include <nystromformer/kernels/rows.hpp>

#include <algorithm>
#include <utility>

namespace nystromformer::detail {

/// torch.nn.Linear: x w' + b.
template <typename Scalar>
struct Linear {
    PackedMatrix<Scalar> weight;  // (out, in) and bias (out)

    static Linear load(const StateDict& state, Index in_features, Index out_features) {
        const auto weight = state.matrix<Scalar>("weight", out_features, in_features);
        return {PackedMatrix<Scalar>(weight, state.vector<Scalar>("bias", out_features))};
    }
    void save(const StateWriter& state) const {
        state.add("weight", weight.weight());
        state.add("bias", weight.bias());
    }
    Matrix<Scalar> operator()(const Matrix<Scalar>& x, ThreadPool& threads) const {
        return weight.multiply(x, threads);  // (rows, out)
    }
};

/// Calls body(first, last) for blocks of rows, in parallel.
template <typename Body>
void for_row_blocks(Index rows, ThreadPool& threads, const Body& body) {
    constexpr Index block = 16;
    threads.parallel_for((rows + block - 1) / block,
                         [&](Index i) { body(i * block, std::min(rows, (i + 1) * block)); });
}

/// torch.nn.LayerNorm over the features of each row.
template <typename Scalar>
struct LayerNorm {
    RowVector<Scalar> weight, bias;  // (features)
    double eps;

    static LayerNorm load(const StateDict& state, Index features, double eps) {
        return {state.vector<Scalar>("weight", features), state.vector<Scalar>("bias", features),
                eps};
    }
    void save(const StateWriter& state) const {
        state.add("weight", weight);
        state.add("bias", bias);
    }
    Matrix<Scalar> operator()(Matrix<Scalar> x, ThreadPool& threads) const {
        for_row_blocks(x.rows(), threads, [&](Index first, Index last) {
            for (Index row = first; row < last; ++row) {
                layer_norm_row(x.row(row).data(), weight.data(), bias.data(), x.cols(), eps);
            }
        });
        return x;  // (rows, features)
    }
};

/// The activation of every element.
template <typename Scalar>
Matrix<Scalar> activate(Activation activation, Matrix<Scalar> x, ThreadPool& threads) {
    for_row_blocks(x.rows(), threads, [&](Index first, Index last) {
        activate_row(activation, x.row(first).data(), (last - first) * x.cols());
    });
    return x;
}

}  // namespace nystromformer::detail
