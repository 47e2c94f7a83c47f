// SPDX-License-Identifier: MIT
// Matrix aliases. Letters used for shapes everywhere: n positions, m landmarks, d head width.
#pragma once

#include <Eigen/Core>

#include <cstdint>

namespace nystromformer {

/// Sizes and positions; 64 bits on every supported platform.
using Index = std::int64_t;

/// Rows are positions, columns are features, as in a PyTorch tensor.
template <typename Scalar>
using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <typename Scalar>
using RowVector = Eigen::Matrix<Scalar, 1, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace nystromformer
