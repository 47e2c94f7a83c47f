// SPDX-License-Identifier: MIT
// SemanticIndex's body: blocks of the corpus, and the best rows of each.
#pragma once

#include <nystromformer/core/embeddings.hpp>
#include <nystromformer/core/finite.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/pipelines/sentence/index_block.hpp>
#include <nystromformer/semantic_search.hpp>
#include <nystromformer/threads.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

struct SemanticIndex::Body {
    Similarity similarity;
    Index rows = 0, cols;
    std::uint64_t fingerprint;
    std::vector<std::shared_ptr<const detail::IndexBlock>> blocks;
    std::vector<Index> first_rows;  // of each block
    std::vector<bool> erased;       // (rows), or empty

    static Body of(const Embeddings& corpus, Similarity similarity) {
        Body body{similarity, 0, corpus.cols, corpus.fingerprint, {}, {}, {}};
        body.add_rows(body.normalized(detail::matrix_of(corpus)));
        return body;
    }

    void add(std::shared_ptr<const detail::IndexBlock> block) {
        first_rows.push_back(rows);
        rows += block->rows();
        if (!erased.empty()) erased.resize(static_cast<std::size_t>(rows));
        blocks.push_back(std::move(block));
    }
    /// Adds rows as they are compared, after filling up the last block.
    void add_rows(const Matrix<float>& more) {
        Index first = 0;
        if (!blocks.empty() && blocks.back()->rows() < detail::IndexBlock::max_rows) {
            const Matrix<float> last = blocks.back()->matrix();
            first = std::min<Index>(detail::IndexBlock::max_rows - last.rows(), more.rows());
            Matrix<float> both(last.rows() + first, cols);
            both.topRows(last.rows()) = last;
            both.bottomRows(first) = more.topRows(first);
            blocks.pop_back();
            first_rows.pop_back();
            rows -= last.rows();
            add(std::make_shared<const detail::IndexBlock>(std::move(both), similarity));
        }
        for (; first < more.rows(); first += detail::IndexBlock::max_rows) {
            const Index count = std::min(detail::IndexBlock::max_rows, more.rows() - first);
            add(std::make_shared<const detail::IndexBlock>(more.middleRows(first, count),
                                                           similarity));
        }
    }
    Matrix<float> normalized(Matrix<float> embeddings) const {
        if (similarity == Similarity::cosine) detail::normalize_rows(embeddings);
        return embeddings;
    }

    /// InputError if embeddings cannot be compared with the rows.
    void check(const Embeddings& embeddings, const char* name) const {
        if (embeddings.cols != cols) {
            throw InputError({"", name, std::to_string(cols) + " columns, as the corpus has",
                              std::to_string(embeddings.cols)});
        }
        const bool differ = fingerprint != 0 && embeddings.fingerprint != 0 &&
                            embeddings.fingerprint != fingerprint;
        if (differ)
            throw InputError({"", name, "embeddings of the model that made the corpus",
                              "those of another model"});
    }
    void check_row(Index row) const {
        if (row >= 0 && row < rows) return;
        throw InputError(
            {"", "corpus_id", "from 0 to " + std::to_string(rows - 1), std::to_string(row)});
    }
    bool is_erased(Index row) const {
        return !erased.empty() && erased[static_cast<std::size_t>(row)];
    }
    std::vector<float> row(Index row) const {
        check_row(row);
        const auto after = std::upper_bound(first_rows.begin(), first_rows.end(), row);
        const auto block = static_cast<std::size_t>(after - first_rows.begin() - 1);
        const Matrix<float> all = blocks[block]->matrix();
        const auto found = all.row(row - first_rows[block]);
        return {found.data(), found.data() + found.size()};
    }

    std::vector<std::vector<SearchHit>> search(const Embeddings& queries,
                                               const SearchOptions& options,
                                               ThreadPool& threads) const {
        if (options.top_k < 1)
            throw InputError({"", "top_k", "at least 1", std::to_string(options.top_k)});
        check(queries, "queries");
        std::vector<std::vector<SearchHit>> hits(static_cast<std::size_t>(queries.rows));
        for (Index first = 0; first < queries.rows; first += queries_at_once) {
            const Index count = std::min(queries_at_once, queries.rows - first);
            search_some(normalized(detail::matrix_of(queries).middleRows(first, count)), options,
                        threads, std::span(hits).subspan(static_cast<std::size_t>(first)));
        }
        return hits;
    }

    /// (queries, rows)
    Matrix<float> scores(const Embeddings& queries, ThreadPool& threads) const {
        check(queries, "queries");
        Matrix<float> result(queries.rows, rows);
        for_each_block(normalized(detail::matrix_of(queries)), threads,
                       [&](std::size_t block, const Matrix<float>& scores) {
                           result.middleCols(first_rows[block], scores.cols()) = scores;
                       });
        return result;
    }

private:
    static constexpr Index queries_at_once = 64;

    /// hits[i] := the best rows for query i.
    void search_some(const Matrix<float>& queries, const SearchOptions& options,
                     ThreadPool& threads, std::span<std::vector<SearchHit>> hits) const {
        const auto count = static_cast<std::size_t>(queries.rows());
        std::vector<std::vector<SearchHit>> of_block(blocks.size() * count);
        for_each_block(queries, threads, [&](std::size_t block, const Matrix<float>& scores) {
            for (std::size_t i = 0; i < count; ++i)
                of_block[block * count + i] =
                    best_of(scores.row(static_cast<Index>(i)), first_rows[block], options);
        });
        for (std::size_t i = 0; i < of_block.size(); ++i) {
            auto& all = hits[i % count];
            all.insert(all.end(), of_block[i].begin(), of_block[i].end());
            keep_best(all, options.top_k);
        }
    }

    /// Calls visit(block, scores) with (queries, rows of the block), on several threads.
    template <typename Visit>
    void for_each_block(const Matrix<float>& queries, ThreadPool& threads,
                        const Visit& visit) const {
        threads.parallel_for(
            static_cast<Index>(blocks.size()),
            [&](Index i) {
                const auto block = static_cast<std::size_t>(i);
                visit(block, blocks[block]->scores(queries, threads));
            },
            queries.rows() * rows * cols);
    }

    /// NaN is less than every number.
    static bool is_better(const SearchHit& a, const SearchHit& b) {
        constexpr float lowest = -std::numeric_limits<float>::infinity();
        const float left = detail::is_nan(a.score) ? lowest : a.score;
        const float right = detail::is_nan(b.score) ? lowest : b.score;
        return left != right ? left > right : a.corpus_id < b.corpus_id;
    }
    static void keep_best(std::vector<SearchHit>& hits, Index top_k) {
        const auto kept = std::min(static_cast<Index>(hits.size()), top_k);
        std::partial_sort(hits.begin(), hits.begin() + kept, hits.end(), is_better);
        hits.resize(static_cast<std::size_t>(kept));
    }
    template <typename Scores>
    std::vector<SearchHit> best_of(const Scores& scores, Index first_row,
                                   const SearchOptions& options) const {
        std::vector<SearchHit> hits;
        for (Index j = 0; j < scores.size(); ++j) {
            const Index row = first_row + j;
            if (is_erased(row) || (options.filter && !options.filter(row))) continue;
            hits.push_back({row, scores(j)});
        }
        keep_best(hits, options.top_k);
        return hits;
    }
};

NYSTROMFORMER_INLINE std::string_view name(Similarity similarity) {
    return detail::similarity_names[similarity];
}
NYSTROMFORMER_INLINE std::optional<Similarity> similarity_named(std::string_view name) {
    return detail::similarity_names.find(name);
}

NYSTROMFORMER_INLINE SemanticIndex::SemanticIndex(Body&& body)
    : body_(std::make_shared<const Body>(std::move(body))) {}
NYSTROMFORMER_INLINE SemanticIndex::SemanticIndex(const Embeddings& corpus, Similarity similarity)
    : SemanticIndex(Body::of(corpus, similarity)) {}
NYSTROMFORMER_INLINE SemanticIndex SemanticIndex::append(const Embeddings& more) const {
    Body body = *body_;
    if (body.rows == 0 && body.cols == 0) body.cols = more.cols;
    body.check(more, "more");
    // Nobody knows which model made rows without a fingerprint.
    if (body.rows == 0) body.fingerprint = more.fingerprint;
    if (more.rows > 0 && more.fingerprint == 0) body.fingerprint = 0;
    body.add_rows(body.normalized(detail::matrix_of(more)));
    return SemanticIndex(std::move(body));
}
NYSTROMFORMER_INLINE SemanticIndex SemanticIndex::erase(std::span<const Index> corpus_ids) const {
    Body body = *body_;
    body.erased.resize(static_cast<std::size_t>(body.rows));
    for (const Index row : corpus_ids) {
        body.check_row(row);
        body.erased[static_cast<std::size_t>(row)] = true;
    }
    return SemanticIndex(std::move(body));
}
NYSTROMFORMER_INLINE Index SemanticIndex::rows() const { return body_->rows; }
NYSTROMFORMER_INLINE Index SemanticIndex::cols() const { return body_->cols; }
NYSTROMFORMER_INLINE Similarity SemanticIndex::similarity() const { return body_->similarity; }
NYSTROMFORMER_INLINE std::uint64_t SemanticIndex::fingerprint() const { return body_->fingerprint; }
NYSTROMFORMER_INLINE bool SemanticIndex::is_erased(Index corpus_id) const {
    body_->check_row(corpus_id);
    return body_->is_erased(corpus_id);
}
NYSTROMFORMER_INLINE std::vector<float> SemanticIndex::row(Index corpus_id) const {
    return body_->row(corpus_id);
}
NYSTROMFORMER_INLINE std::vector<std::vector<SearchHit>> SemanticIndex::search(
    const Embeddings& queries, const SearchOptions& options) const {
    const auto threads = options.threads ? options.threads : ThreadPool::shared();
    return body_->search(queries, options, *threads);
}
NYSTROMFORMER_INLINE std::vector<std::vector<SearchHit>> SemanticIndex::operator()(
    const Embeddings& queries, Index top_k, ThreadPool& threads) const {
    return body_->search(queries, {.top_k = top_k}, threads);
}
NYSTROMFORMER_INLINE std::vector<SearchHit> SemanticIndex::search(
    std::span<const float> query, const SearchOptions& options) const {
    const auto size = static_cast<Index>(query.size());
    return search(Embeddings{1, size, {query.begin(), query.end()}}, options).front();
}
NYSTROMFORMER_INLINE Embeddings SemanticIndex::scores(const Embeddings& queries) const {
    return scores(queries, *ThreadPool::shared());
}
NYSTROMFORMER_INLINE Embeddings SemanticIndex::scores(const Embeddings& queries,
                                                      ThreadPool& threads) const {
    return detail::embeddings_of(body_->scores(queries, threads));
}
NYSTROMFORMER_INLINE Embeddings similarity(const Embeddings& a, const Embeddings& b,
                                           Similarity similarity) {
    return nystromformer::similarity(a, b, similarity, *ThreadPool::shared());
}
NYSTROMFORMER_INLINE Embeddings similarity(const Embeddings& a, const Embeddings& b,
                                           Similarity similarity, ThreadPool& threads) {
    return SemanticIndex(b, similarity).scores(a, threads);
}

}  // namespace nystromformer::inline v0_2

#include <nystromformer/pipelines/sentence/index_file.hpp>
