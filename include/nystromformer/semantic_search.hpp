// SPDX-License-Identifier: MIT
// SemanticIndex: which embeddings of a corpus are most like a query, by exact search.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/embeddings.hpp>

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace nystromformer {

class ThreadPool;

/// How alike two vectors are, with the names of sentence-transformers; larger is more alike.
enum class Similarity {
    cosine,     ///< of the angle between them
    dot,        ///< their product
    euclidean,  ///< their distance, negative
    manhattan,  ///< the sum of their columns' distances, negative
};

std::string_view name(Similarity similarity);
/// The similarity of that name, or nothing.
std::optional<Similarity> similarity_named(std::string_view name);

/// A row of the corpus that is like a query, with the names of sentence-transformers.
struct SearchHit {
    Index corpus_id;
    float score;
};

/// Embeddings to search. Search is exact: every query is compared with every row. A score is the
/// same bits for any number of queries, rows and threads. Immutable, cheap to copy, safe to share
/// between threads. Source: sentence_transformers/util/retrieval.py and similarity.py
class SemanticIndex {
public:
    /// An index of `corpus`.
    explicit SemanticIndex(const Embeddings& corpus, Similarity similarity = Similarity::cosine);

    Index rows() const;
    Index cols() const;
    Similarity similarity() const;

    /// For each of `queries` the `top_k` rows most like it, the best first, of equally good ones
    /// the first. InputError if the columns differ or top_k is below 1.
    std::vector<std::vector<SearchHit>> operator()(const Embeddings& queries, Index top_k,
                                                   ThreadPool& threads) const;
    /// All scores: (queries, rows). InputError if the columns differ.
    Embeddings scores(const Embeddings& queries, ThreadPool& threads) const;

private:
    struct Body;
    std::shared_ptr<const Body> body_;
};

/// How alike each row of `a` is to each of `b`: (a.rows, b.rows). InputError if the columns differ.
Embeddings similarity(const Embeddings& a, const Embeddings& b, Similarity similarity,
                      ThreadPool& threads);

}  // namespace nystromformer

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/pipelines/sentence/semantic_search.hpp>
#endif
