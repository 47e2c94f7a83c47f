// SPDX-License-Identifier: MIT
// Matrix and RowVector, Eigen's, and their rows as plain numbers. Letters used for shapes
// everywhere: n positions, m landmarks, d head width.
#pragma once

#include <nystromformer/core/index.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <span>

namespace nystromformer::inline v0_2 {

/// Rows are positions, columns are features, as in a PyTorch tensor. Sources compiled with
/// different -march may share them. Hence DontAlign: otherwise Eigen allocates and frees in a way
/// that depends on -march, and a matrix that one source makes and another frees would corrupt the
/// heap. Other Eigen types have no such promise: convert them, or take rows (row_of).
template <typename Scalar>
using Matrix =
    Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor | Eigen::DontAlign>;

/// A single row, with the same promise.
template <typename Scalar>
using RowVector = Eigen::Matrix<Scalar, 1, Eigen::Dynamic, Eigen::RowMajor | Eigen::DontAlign>;

static_assert(sizeof(Eigen::Index) == sizeof(std::ptrdiff_t),
              "EIGEN_DEFAULT_DENSE_INDEX_TYPE must be std::ptrdiff_t, as in the compiled library");

/// The numbers of row i, from 0 and not checked. They live as long as the matrix.
template <typename Derived>
std::span<const typename Derived::Scalar> row_of(const Eigen::PlainObjectBase<Derived>& matrix,
                                                 Index i) {
    static_assert(Derived::IsRowMajor, "rows are contiguous in a row-major matrix");
    return {matrix.data() + i * matrix.cols(), static_cast<std::size_t>(matrix.cols())};
}
template <typename Derived>
void row_of(const Eigen::PlainObjectBase<Derived>&& temporary, Index i) = delete;

}  // namespace nystromformer::inline v0_2
