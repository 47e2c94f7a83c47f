// SPDX-License-Identifier: MIT
// How alike embeddings are, and which rows of a matrix are most like a query.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/kernels/gemm.hpp>
#include <nystromformer/threads.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer {

/// How alike two vectors are, with the names of sentence-transformers; larger is more alike.
enum class Similarity {
    cosine,     ///< of the angle between them
    dot,        ///< their product
    euclidean,  ///< their distance, negative
    manhattan,  ///< the sum of their columns' distances, negative
};

namespace detail {
inline constexpr std::array<std::string_view, 4> named_similarities{"cosine", "dot", "euclidean",
                                                                    "manhattan"};
inline constexpr const char* similarity_names = "cosine, dot, euclidean or manhattan";

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

/// The similarity that sentence-transformers calls so, or nothing.
inline std::optional<Similarity> similarity_named(std::string_view name) {
    for (std::size_t i = 0; i < detail::named_similarities.size(); ++i)
        if (detail::named_similarities[i] == name) return static_cast<Similarity>(i);
    return std::nullopt;
}
inline std::string_view name(Similarity similarity) {
    return detail::named_similarities[static_cast<std::size_t>(similarity)];
}

/// A row of the corpus that is like a query, with the names of sentence-transformers.
struct SearchHit {
    Index corpus_id;
    float score;
};

/// Embeddings to be searched. A score is the same bits for any number of queries, rows and threads.
/// Const and safe to share between threads.
/// Source: sentence_transformers/util/retrieval.py and similarity.py
class SemanticIndex {
public:
    /// `corpus` (texts, columns)
    explicit SemanticIndex(const Matrix<float>& corpus, Similarity similarity = Similarity::cosine)
        : similarity_(similarity), rows_(corpus.rows()), cols_(corpus.cols()) {
        for (Index first = 0; first < rows_; first += block_rows) {
            Matrix<float> block = corpus.middleRows(first, std::min(block_rows, rows_ - first));
            if (similarity == Similarity::cosine) detail::normalize_rows(block);
            if (has_product() && cols_ > 0) {
                packed_.emplace_back(block);
            } else {
                blocks_.push_back(std::move(block));
            }
        }
    }

    Index rows() const { return rows_; }
    Index cols() const { return cols_; }
    Similarity similarity() const { return similarity_; }

    /// For each of `queries` (queries, columns) the `top_k` rows most like it, the best first, of
    /// equal ones the first. InputError where the columns differ or top_k is below 1.
    std::vector<std::vector<SearchHit>> operator()(const Matrix<float>& queries, Index top_k,
                                                   ThreadPool& threads) const {
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
                        best_of(scores.row(i), block * block_rows, top_k);
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
        Matrix<float> result(queries.rows(), rows_);
        for_each_block(prepared(queries), threads, [&](Index block, const Matrix<float>& scores) {
            result.middleCols(block * block_rows, scores.cols()) = scores;
        });
        return result;
    }

private:
    static constexpr Index block_rows = 2048, queries_at_once = 64;

    bool has_product() const {
        return similarity_ == Similarity::cosine || similarity_ == Similarity::dot;
    }
    Index num_blocks() const { return (rows_ + block_rows - 1) / block_rows; }

    Matrix<float> prepared(Matrix<float> queries) const {
        if (queries.cols() != cols_) {
            throw InputError({"", "queries", std::to_string(cols_) + " columns, as the corpus has",
                              std::to_string(queries.cols())});
        }
        if (similarity_ == Similarity::cosine) detail::normalize_rows(queries);
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
            queries.rows() * rows_ * cols_);
    }

    Matrix<float> distances(const Matrix<float>& queries, const Matrix<float>& block) const {
        Matrix<float> scores(queries.rows(), block.rows());
        for (Index i = 0; i < queries.rows(); ++i) {
            for (Index j = 0; j < block.rows(); ++j) {
                scores(i, j) = similarity_ == Similarity::manhattan
                                   ? -(queries.row(i) - block.row(j)).lpNorm<1>()
                                   : -(queries.row(i) - block.row(j)).norm();
            }
        }
        return scores;
    }

    /// NaN is less than every number.
    static bool is_better(const SearchHit& a, const SearchHit& b) {
        constexpr float least = -std::numeric_limits<float>::infinity();
        const float left = std::isnan(a.score) ? least : a.score;
        const float right = std::isnan(b.score) ? least : b.score;
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

    Similarity similarity_;
    Index rows_, cols_;
    std::vector<PackedMatrix<float>> packed_;  // blocks of the corpus for cosine and dot
    std::vector<Matrix<float>> blocks_;        // and for the distances
};

/// How alike each row of `a` (m, columns) is to each of `b` (n, columns): (m, n). InputError where
/// the columns differ.
inline Matrix<float> similarity(const Matrix<float>& a, const Matrix<float>& b,
                                Similarity similarity, ThreadPool& threads) {
    return SemanticIndex(b, similarity).scores(a, threads);
}

}  // namespace nystromformer
