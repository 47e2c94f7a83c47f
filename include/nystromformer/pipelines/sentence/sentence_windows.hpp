// SPDX-License-Identifier: MIT
// The windows of texts to embed: which text each is of, and how many of its tokens are a prompt's.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/pipelines/sentence/pooling.hpp>
#include <nystromformer/pipelines/window_places.hpp>
#include <nystromformer/tokenizer.hpp>

#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

struct SentenceWindows {
    std::vector<Encoding> encodings;
    std::vector<std::size_t> text_of;  // (windows)
    std::vector<Index> skipped;        // (windows), the prompt's tokens, which do not count

    /// Adds the windows of text `number`, `whole`, which share `stride` tokens. The first `prompt`
    /// tokens of the text do not count. InputError if that leaves the pooling nothing.
    void add(const Encoding& whole, std::vector<Encoding> windows, std::size_t number, Index prompt,
             Index stride, const Pooling& pooling) {
        const std::vector<Index> of_text =
            skipped_in(whole, windows, number, prompt, stride, pooling);
        skipped.insert(skipped.end(), of_text.begin(), of_text.end());
        text_of.resize(text_of.size() + windows.size(), number);
        std::move(windows.begin(), windows.end(), std::back_inserter(encodings));
    }

    /// `pooled` (windows, columns) to (texts, columns): the mean of each text's windows, each
    /// weighted by its tokens.
    Matrix<float> joined(Matrix<float> pooled, Index num_texts) const {
        if (pooled.rows() == num_texts) return pooled;
        Matrix<double> sums = Matrix<double>::Zero(num_texts, pooled.cols());
        std::vector<double> tokens(static_cast<std::size_t>(num_texts));
        for (std::size_t i = 0; i < encodings.size(); ++i) {
            const auto weight = static_cast<double>(encodings[i].size());
            sums.row(static_cast<Index>(text_of[i])) +=
                weight * pooled.row(static_cast<Index>(i)).cast<double>();
            tokens[text_of[i]] += weight;
        }
        for (Index i = 0; i < num_texts; ++i) sums.row(i) /= tokens[static_cast<std::size_t>(i)];
        return sums.cast<float>();
    }

private:
    /// The windows after the first show the end of a prompt again where they overlap.
    static std::vector<Index> skipped_in(const Encoding& whole, std::span<const Encoding> windows,
                                         std::size_t number, Index prompt, Index stride,
                                         const Pooling& pooling) {
        std::vector<Index> result(windows.size());
        if (prompt == 0) return result;
        const Index first = windows.front().size();
        if (windows.size() == 1) {
            pooling.check(first, prompt, number);
            result[0] = prompt;
            return result;
        }
        if (pooling.leaves_none(first, prompt)) {
            throw InputError({"", "", "a prompt of fewer tokens than the first window has",
                              std::to_string(prompt) + " of " + std::to_string(first), number});
        }
        const WindowPlaces places(whole, windows, stride);
        for (std::size_t i = 0; i < windows.size(); ++i) result[i] = places.rows_before(i, prompt);
        return result;
    }
};

}  // namespace nystromformer::inline v0_2::detail
