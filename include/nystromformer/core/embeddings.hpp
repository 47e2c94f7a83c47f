// SPDX-License-Identifier: MIT
// Embeddings to matrices and back.
#pragma once

#include <nystromformer/embeddings.hpp>
#include <nystromformer/matrix.hpp>

#include <cstddef>

namespace nystromformer::inline v0_2::detail {

using ConstEmbeddingsMap = Eigen::Map<const Matrix<float>>;

/// InputError where the sizes contradict each other.
inline ConstEmbeddingsMap matrix_of(const Embeddings& embeddings) {
    embeddings.check();
    return {embeddings.values.data(), static_cast<Eigen::Index>(embeddings.rows),
            static_cast<Eigen::Index>(embeddings.cols)};
}

inline Embeddings embeddings_of(const Matrix<float>& matrix) {
    return {matrix.rows(), matrix.cols(), {matrix.data(), matrix.data() + matrix.size()}};
}

}  // namespace nystromformer::inline v0_2::detail
