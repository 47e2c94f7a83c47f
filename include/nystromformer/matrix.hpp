// SPDX-License-Identifier: MIT
// Matrix and RowVector, Eigen's. Letters used for shapes everywhere: n positions, m landmarks, d
// head width.
#pragma once

#include <nystromformer/core/index.hpp>

#include <Eigen/Core>

namespace nystromformer {

/// Rows are positions, columns are features, as in a PyTorch tensor.
template <typename Scalar>
using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <typename Scalar>
using RowVector = Eigen::Matrix<Scalar, 1, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace nystromformer
