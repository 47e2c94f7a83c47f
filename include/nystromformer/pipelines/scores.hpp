// SPDX-License-Identifier: MIT
// Logits to scores, as the pipelines report them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace nystromformer::inline v0_2::detail {

// Scores are float32 as in Hugging Face: what is equal there, and kept in the order of the labels,
// is equal here.

inline std::vector<float> softmax(std::span<const float> logits) {
    const std::vector<double> exact(logits.begin(), logits.end());
    const double largest = *std::max_element(exact.begin(), exact.end());
    double total = 0;
    for (const double logit : exact) total += std::exp(logit - largest);
    std::vector<float> scores;
    for (const double logit : exact)
        scores.push_back(static_cast<float>(std::exp(logit - largest) / total));
    return scores;
}

inline std::vector<float> sigmoid(std::span<const float> logits) {
    std::vector<float> scores;
    for (const float logit : logits)
        scores.push_back(static_cast<float>(1 / (1 + std::exp(-static_cast<double>(logit)))));
    return scores;
}

inline std::size_t argmax(std::span<const float> scores) {
    return static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) -
                                    scores.begin());
}

}  // namespace nystromformer::inline v0_2::detail
