// SPDX-License-Identifier: MIT
// SemanticIndex: the embeddings of a corpus that are most similar to a query, by exact search.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/shared.hpp>
#include <nystromformer/embeddings.hpp>
#include <nystromformer/options.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2 {

class ThreadPool;

/// The enumerator's name: "cosine".
std::string_view name(Similarity similarity);
/// The similarity of that name, or nothing.
std::optional<Similarity> similarity_named(std::string_view name);

/// A row of the corpus that is similar to a query, with the names of sentence-transformers.
struct SearchHit {
    Index corpus_id;  ///< the number of the row, from 0
    float score;      ///< larger is more similar
};

/// How SemanticIndex::search searches.
struct SearchOptions {
    Index top_k = 10;  ///< hits for each query at most, at least 1
    /// Only rows for which it returns true are found. Several threads may call it at once.
    std::function<bool(Index corpus_id)> filter = {};
    std::shared_ptr<ThreadPool> threads = nullptr;  ///< null: ThreadPool::shared()
};

/// Embeddings to search. Search is exact: every query is compared with every row. A score is the
/// same, bit for bit, for any number of queries, rows and threads. Immutable, cheap to copy, safe
/// to share between threads: append and erase return a new index, which shares most of the memory
/// of the old one.
/// Source: sentence_transformers/util/retrieval.py and similarity.py
class SemanticIndex {
public:
    /// An index of `corpus`. The number of a row is its corpus_id, which never changes.
    explicit SemanticIndex(const Embeddings& corpus, Similarity similarity = Similarity::cosine);

    /// With the rows of `more` after its own. InputError if the columns or the models differ. If
    /// `more` has no fingerprint, neither has the result. An index without rows and columns, of
    /// Embeddings{}, takes any.
    [[nodiscard]] SemanticIndex append(const Embeddings& more) const;
    /// Without these rows: they keep their numbers, but are never found. InputError for a number
    /// that no row has.
    [[nodiscard]] SemanticIndex erase(std::span<const Index> corpus_ids) const;
    [[nodiscard]] SemanticIndex erase(std::initializer_list<Index> corpus_ids) const {
        return erase(std::span<const Index>(corpus_ids.begin(), corpus_ids.size()));
    }

    /// Writes a safetensors file: "embeddings" (rows, cols) in F32, "erased" (rows) in U8, and the
    /// similarity and fingerprint as metadata. IoError.
    void save(const std::filesystem::path& path) const;
    /// Maps such a file: its rows stay on disk until a search reads them. The file must not change
    /// while the index is used. IoError, or FormatError for a file that `save` has not written.
    [[nodiscard]] static SemanticIndex load(const std::filesystem::path& path,
                                            const FileOptions& files = {});

    Index rows() const;  ///< erased ones count
    Index cols() const;
    Similarity similarity() const;
    /// Embeddings::fingerprint of the corpus.
    std::uint64_t fingerprint() const;
    bool is_erased(Index corpus_id) const;
    /// The numbers of a row; for cosine similarity divided by their length. InputError for a number
    /// that no row has.
    std::vector<float> row(Index corpus_id) const;

    /// For each of `queries` the rows most similar to it, best first; equally good rows keep their
    /// order. InputError if the columns differ, if another model made the queries, or for top_k
    /// below 1.
    [[nodiscard]] std::vector<std::vector<SearchHit>> search(
        const Embeddings& queries, const SearchOptions& options = {}) const;
    /// The same for one query. A vector does not say which model made it, so one of another model
    /// with as many columns is not noticed.
    [[nodiscard]] std::vector<SearchHit> search(std::span<const float> query,
                                                const SearchOptions& options = {}) const;
    [[nodiscard]] std::vector<SearchHit> search(std::initializer_list<float> query,
                                                const SearchOptions& options = {}) const {
        return search(std::span<const float>(query.begin(), query.size()), options);
    }
    /// The same on the threads of a pool.
    [[nodiscard]] std::vector<std::vector<SearchHit>> operator()(const Embeddings& queries,
                                                                 Index top_k,
                                                                 ThreadPool& threads) const;
    /// All scores: (queries, rows), also of erased rows. InputError as above.
    [[nodiscard]] Embeddings scores(const Embeddings& queries) const;
    [[nodiscard]] Embeddings scores(const Embeddings& queries, ThreadPool& threads) const;

private:
    struct Body;
    explicit SemanticIndex(Body&& body);
    detail::Shared<Body> body_;
};

/// The similarity of each row of `a` to each row of `b`: (a.rows, b.rows). InputError if the
/// columns differ.
Embeddings similarity(const Embeddings& a, const Embeddings& b, Similarity similarity);
Embeddings similarity(const Embeddings& a, const Embeddings& b, Similarity similarity,
                      ThreadPool& threads);

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/pipelines/sentence/semantic_search.hpp>
#endif
