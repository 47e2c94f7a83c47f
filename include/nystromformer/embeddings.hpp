// SPDX-License-Identifier: MIT
// Embeddings: vectors of equal length, as the embedding pipelines return them.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/error.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nystromformer::inline v0_2 {

/// `rows` vectors of `cols` numbers, one after another: texts and their embeddings, or tokens and
/// their hidden states.
struct Embeddings {
    Index rows = 0, cols = 0;
    std::vector<float> values = {};  ///< (rows, cols)
    /// Identifies the model that made the embeddings; 0: not known. Models of one checkpoint with
    /// the same modules have the same fingerprint, in every precision.
    std::uint64_t fingerprint = 0;

    /// InputError if the sizes contradict each other. Every function that takes Embeddings calls
    /// it.
    void check() const {
        const auto size = static_cast<Index>(values.size());
        const bool fits = rows >= 0 && (cols > 0 ? size % cols == 0 && size / cols == rows
                                                 : cols == 0 && size == 0);
        if (fits) return;
        throw InputError({"", "values",
                          std::to_string(rows) + " x " + std::to_string(cols) + " numbers",
                          std::to_string(size)});
    }
    /// The numbers of row i. InputError if there is none. Not of a temporary, whose numbers would
    /// be gone at once.
    std::span<const float> row(Index i) const& {
        check();
        if (i < 0 || i >= rows) {
            throw InputError(
                {"", "row", "from 0 to below " + std::to_string(rows), std::to_string(i)});
        }
        return std::span(values).subspan(static_cast<std::size_t>(i * cols),
                                         static_cast<std::size_t>(cols));
    }
    std::span<const float> row(Index i) const&& = delete;
    /// One number. The indices are not checked.
    [[nodiscard]] float operator()(Index row, Index col) const {
        return values[static_cast<std::size_t>(row * cols + col)];
    }
    bool operator==(const Embeddings&) const = default;
};

/// How the hidden states of a text's tokens become one vector, with the names of
/// sentence-transformers.
enum class PoolingMode {
    cls,                   ///< the state of the first token
    max,                   ///< the largest value of each column
    mean,                  ///< the mean of the states
    mean_sqrt_len_tokens,  ///< their sum, divided by the square root of their number
    weightedmean,          ///< their mean, each weighted by its position from 1
    lasttoken,             ///< the state of the last token
};

/// How similar two vectors are, with the names of sentence-transformers; larger is more similar.
enum class Similarity {
    cosine,     ///< the cosine of the angle between them
    dot,        ///< their dot product
    euclidean,  ///< their Euclidean distance, negated
    manhattan,  ///< the sum of the absolute differences of their columns, negated
};

}  // namespace nystromformer::inline v0_2
