// SPDX-License-Identifier: MIT
// SemanticIndex's body: the corpus in packed blocks, and the best rows of each.
#pragma once

#include <nystromformer/core/embeddings.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/kernels/weights/packed_matrix.hpp>
#include <nystromformer/pipelines/sentence/similarity_names.hpp>
#include <nystromformer/semantic_search.hpp>
#include <nystromformer/threads.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer {

namespace detail {

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

}  // namespace detail

struct SemanticIndex::Body {
    Similarity similarity;
    Index rows, cols;

    /// `corpus` (texts, columns)
    Body(const detail::ConstEmbeddingsMap& corpus, Similarity measure)
        : similarity(measure), rows(corpus.rows()), cols(corpus.cols()) {
        for (Index first = 0; first < rows; first += rows_of_block) {
            Matrix<float> block = corpus.middleRows(first, std::min(rows_of_block, rows - first));
            if (measure == Similarity::cosine) detail::normalize_rows(block);
            if (has_product() && cols > 0) {
                packed_.emplace_back(block);
            } else {
                blocks_.push_back(std::move(block));
            }
        }
    }

    /// For each of `queries` (queries, columns) the `top_k` rows most like it, the best first, of
    /// equal ones the first. InputError where the columns differ or top_k is below 1.
    std::vector<std::vector<SearchHit>> operator()(const detail::ConstEmbeddingsMap& queries,
                                                   Index top_k, ThreadPool& threads) const {
        if (top_k < 1) throw InputError({"", "top_k", "at least 1", std::to_string(top_k)});
        std::vector<std::vector<SearchHit>> hits(static_cast<std::size_t>(queries.rows()));
        for (Index first = 0; first < queries.rows(); first += queries_at_once) {
            const Index count = std::min(queries_at_once, queries.rows() - first);
            const Matrix<float> some = prepared(queries.middleRows(first, count));
            std::vector<std::vector<SearchHit>> of_block(
                static_cast<std::size_t>(num_blocks() * count));
            for_each_block(some, threads, [&](Index block, const Matrix<float>& scores) {
                for (Index i = 0; i < count; ++i) {
                    of_block[static_cast<std::size_t>(i * num_blocks() + block)] =
                        best_of(scores.row(i), block * rows_of_block, top_k);
                }
            });
            for (Index i = 0; i < count * num_blocks(); ++i) {
                auto& all = hits[static_cast<std::size_t>(first + i / num_blocks())];
                const auto& more = of_block[static_cast<std::size_t>(i)];
                all.insert(all.end(), more.begin(), more.end());
                keep_best(all, top_k);
            }
        }
        return hits;
    }

    /// All scores: (queries, texts). InputError where the columns differ.
    Matrix<float> scores(const Matrix<float>& queries, ThreadPool& threads) const {
        Matrix<float> result(queries.rows(), rows);
        for_each_block(prepared(queries), threads, [&](Index block, const Matrix<float>& scores) {
            result.middleCols(block * rows_of_block, scores.cols()) = scores;
        });
        return result;
    }

    static constexpr Index rows_of_block = 2048, queries_at_once = 64;

    bool has_product() const {
        return similarity == Similarity::cosine || similarity == Similarity::dot;
    }
    Index num_blocks() const { return (rows + rows_of_block - 1) / rows_of_block; }

    Matrix<float> prepared(Matrix<float> queries) const {
        if (queries.cols() != cols) {
            throw InputError({"", "queries", std::to_string(cols) + " columns, as the corpus has",
                              std::to_string(queries.cols())});
        }
        if (similarity == Similarity::cosine) detail::normalize_rows(queries);
        return queries;
    }

    /// Calls body(block, scores) with (queries, rows of the block), on several threads.
    template <typename Body>
    void for_each_block(const Matrix<float>& queries, ThreadPool& threads, const Body& body) const {
        threads.parallel_for(
            num_blocks(),
            [&](Index block) {
                const auto i = static_cast<std::size_t>(block);
                body(block, i < packed_.size() ? packed_[i].multiply(queries, threads)
                                               : distances(queries, blocks_[i]));
            },
            queries.rows() * rows * cols);
    }

    Matrix<float> distances(const Matrix<float>& queries, const Matrix<float>& block) const {
        Matrix<float> scores(queries.rows(), block.rows());
        for (Index i = 0; i < queries.rows(); ++i) {
            for (Index j = 0; j < block.rows(); ++j) {
                scores(i, j) = similarity == Similarity::manhattan
                                   ? -(queries.row(i) - block.row(j)).lpNorm<1>()
                                   : -(queries.row(i) - block.row(j)).norm();
            }
        }
        return scores;
    }

    /// NaN is less than every number.
    static bool is_better(const SearchHit& a, const SearchHit& b) {
        constexpr float least = -std::numeric_limits<float>::infinity();
        const float left = detail::is_nan(a.score) ? least : a.score;
        const float right = detail::is_nan(b.score) ? least : b.score;
        return left != right ? left > right : a.corpus_id < b.corpus_id;
    }
    static void keep_best(std::vector<SearchHit>& hits, Index top_k) {
        const auto kept = std::min(static_cast<Index>(hits.size()), top_k);
        std::partial_sort(hits.begin(), hits.begin() + kept, hits.end(), is_better);
        hits.resize(static_cast<std::size_t>(kept));
    }
    template <typename Scores>
    static std::vector<SearchHit> best_of(const Scores& scores, Index first_id, Index top_k) {
        std::vector<SearchHit> hits;
        for (Index j = 0; j < scores.size(); ++j) hits.push_back({first_id + j, scores(j)});
        keep_best(hits, top_k);
        return hits;
    }

    std::vector<PackedMatrix<float>> packed_;  // blocks of the corpus for cosine and dot
    std::vector<Matrix<float>> blocks_;        // and for the distances
};

NYSTROMFORMER_INLINE std::string_view name(Similarity similarity) {
    return detail::similarity_names[similarity];
}
NYSTROMFORMER_INLINE std::optional<Similarity> similarity_named(std::string_view name) {
    return detail::similarity_names.find(name);
}

NYSTROMFORMER_INLINE SemanticIndex::SemanticIndex(const Embeddings& corpus, Similarity similarity)
    : body_(std::make_shared<const Body>(detail::matrix_of(corpus), similarity)) {}
NYSTROMFORMER_INLINE Index SemanticIndex::rows() const { return body_->rows; }
NYSTROMFORMER_INLINE Index SemanticIndex::cols() const { return body_->cols; }
NYSTROMFORMER_INLINE Similarity SemanticIndex::similarity() const { return body_->similarity; }
NYSTROMFORMER_INLINE std::vector<std::vector<SearchHit>> SemanticIndex::operator()(
    const Embeddings& queries, Index top_k, ThreadPool& threads) const {
    return (*body_)(detail::matrix_of(queries), top_k, threads);
}
NYSTROMFORMER_INLINE Embeddings SemanticIndex::scores(const Embeddings& queries,
                                                      ThreadPool& threads) const {
    return detail::embeddings_of(body_->scores(detail::matrix_of(queries), threads));
}
NYSTROMFORMER_INLINE Embeddings similarity(const Embeddings& a, const Embeddings& b,
                                           Similarity similarity, ThreadPool& threads) {
    return SemanticIndex(b, similarity).scores(a, threads);
}

}  // namespace nystromformer
