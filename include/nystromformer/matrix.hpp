// SPDX-License-Identifier: MIT
// Matrix and RowVector, Eigen's. Letters used for shapes everywhere: n positions, m landmarks, d
// head width.
#pragma once

#include <nystromformer/core/index.hpp>

#include <Eigen/Core>

namespace nystromformer::inline v0_2 {

/// Rows are positions, columns are features, as in a PyTorch tensor. DontAlign: Eigen otherwise
/// allocates and frees in a way that depends on -march, and a matrix that one source makes and
/// another frees would corrupt the heap if their flags differ.
template <typename Scalar>
using Matrix =
    Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor | Eigen::DontAlign>;

template <typename Scalar>
using RowVector = Eigen::Matrix<Scalar, 1, Eigen::Dynamic, Eigen::RowMajor | Eigen::DontAlign>;

}  // namespace nystromformer::inline v0_2
