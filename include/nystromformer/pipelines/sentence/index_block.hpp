// SPDX-License-Identifier: MIT
// A block of a SemanticIndex: some rows, in the form in which they are compared with queries.
#pragma once

#include <nystromformer/core/embeddings.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/embeddings.hpp>
#include <nystromformer/kernels/weights/packed_matrix.hpp>
#include <nystromformer/pipelines/sentence/similarity_names.hpp>
#include <nystromformer/safetensors.hpp>
#include <nystromformer/threads.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <utility>

namespace nystromformer::inline v0_2::detail {

/// Every row := the row over its length, as torch.nn.functional.normalize; zeros stay.
inline void normalize_rows(Matrix<float>& x) {
    for (Index i = 0; i < x.rows(); ++i) {
        double squares = 0;
        for (Index col = 0; col < x.cols(); ++col)
            squares += static_cast<double>(x(i, col)) * static_cast<double>(x(i, col));
        const double length = std::max(std::sqrt(squares), 1e-12);
        for (Index col = 0; col < x.cols(); ++col)
            x(i, col) = static_cast<float>(static_cast<double>(x(i, col)) / length);
    }
}

/// Rows that are compared together.
class IndexBlock {
public:
    static constexpr Index max_rows = 2048;

    /// Of rows as they are compared: for cosine each of length 1.
    IndexBlock(Matrix<float> rows, Similarity similarity)
        : similarity_(similarity), rows_(rows.rows()), cols_(rows.cols()) {
        if (has_product()) {
            packed_.emplace(rows);
        } else {
            kept_ = std::move(rows);
        }
    }
    /// The same in a mapped file, packed anew for each search.
    IndexBlock(std::span<const float> mapped, Index cols, Similarity similarity,
               SafetensorsFile file)
        : similarity_(similarity),
          rows_(cols == 0 ? 0 : static_cast<Index>(mapped.size()) / cols),
          cols_(cols),
          mapped_(mapped),
          file_(std::move(file)) {}

    Index rows() const { return rows_; }

    Matrix<float> matrix() const {
        if (file_) return ConstEmbeddingsMap(mapped_.data(), rows_, cols_);
        return packed_ ? packed_->weight() : kept_;
    }

    /// (queries, rows), each query as the rows are.
    Matrix<float> scores(const Matrix<float>& queries, ThreadPool& threads) const {
        if (packed_) return packed_->multiply(queries, threads);
        if (!file_) return distances(queries, kept_);
        const Matrix<float> rows = matrix();
        return has_product() ? PackedMatrix<float>(rows).multiply(queries, threads)
                             : distances(queries, rows);
    }

private:
    bool has_product() const {
        return cols_ > 0 && (similarity_ == Similarity::cosine || similarity_ == Similarity::dot);
    }

    Matrix<float> distances(const Matrix<float>& queries, const Matrix<float>& rows) const {
        Matrix<float> scores = Matrix<float>::Zero(queries.rows(), rows.rows());
        for (Index i = 0; i < queries.rows() && cols_ > 0; ++i) {
            for (Index j = 0; j < rows.rows(); ++j) {
                scores(i, j) = similarity_ == Similarity::manhattan
                                   ? -(queries.row(i) - rows.row(j)).lpNorm<1>()
                                   : -(queries.row(i) - rows.row(j)).norm();
            }
        }
        return scores;
    }

    Similarity similarity_;
    Index rows_, cols_;
    std::optional<PackedMatrix<float>> packed_;  // for cosine and dot
    Matrix<float> kept_;                         // for the distances
    std::span<const float> mapped_;
    std::optional<SafetensorsFile> file_;
};

}  // namespace nystromformer::inline v0_2::detail
