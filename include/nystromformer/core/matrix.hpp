// SPDX-License-Identifier: MIT
// Rows: a view of some rows and columns of a matrix, for kernels and components.
#pragma once

#include <nystromformer/core/finite.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/matrix.hpp>

#include <type_traits>

namespace nystromformer::inline v0_2::detail {

/// `matrix` with room for rows x cols numbers, not initialised. Eigen frees before it takes
/// memory, and its destructor frees the same again if there was none to take.
template <typename Scalar>
void resize(Matrix<Scalar>& matrix, Index rows, Index cols) {
    if (matrix.size() != rows * cols) matrix = Matrix<Scalar>();
    matrix.resize(rows, cols);
}

/// Rows of numbers that live elsewhere: a matrix, or some rows and columns of one. `Scalar` is
/// const if they are only read.
template <typename Scalar>
struct Rows {
    using Value = std::remove_const_t<Scalar>;
    using MatrixType =
        std::conditional_t<std::is_const_v<Scalar>, const Matrix<Value>, Matrix<Value>>;

    Scalar* data = nullptr;
    Index rows = 0, cols = 0;
    Index stride = 0;  // from one row to the next

    Rows() = default;
    Rows(Scalar* first, Index num_rows, Index num_cols, Index row_stride)
        : data(first), rows(num_rows), cols(num_cols), stride(row_stride) {}
    Rows(MatrixType& matrix) : Rows(matrix.data(), matrix.rows(), matrix.cols(), matrix.cols()) {}
    operator Rows<const Value>() const { return {data, rows, cols, stride}; }

    Scalar* row(Index i) const { return data + i * stride; }
    Rows middle_rows(Index first, Index count) const { return {row(first), count, cols, stride}; }
    Rows middle_cols(Index first, Index count) const { return {data + first, rows, count, stride}; }

    /// The same numbers for Eigen's expressions.
    auto map() const {
        return Eigen::Map<MatrixType, Eigen::Unaligned, Eigen::OuterStride<>>(
            data, rows, cols, Eigen::OuterStride<>(stride));
    }
};

/// A parameter of this type takes a matrix or rows of either kind; the function's other parameters
/// say what `Scalar` is.
template <typename Scalar>
using ConstRows = std::type_identity_t<Rows<const Scalar>>;

}  // namespace nystromformer::inline v0_2::detail
