// SPDX-License-Identifier: MIT
// The losses that Hugging Face's heads compute from labels, as means, in double.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nystromformer::detail {

/// One number a row, or InputError.
inline void check_count(const char* field, std::size_t found, Index expected) {
    if (static_cast<Index>(found) != expected) {
        throw InputError({"", field, std::to_string(expected) + " values", std::to_string(found)});
    }
}

/// torch.nn.CrossEntropyLoss: the mean over rows of log sum exp(row) - row[label], rows with
/// `ignored` left out; NaN where none is left, as in PyTorch.
template <typename Scalar>
double cross_entropy(const Matrix<Scalar>& logits, std::span<const std::int64_t> labels,
                     const char* field = "labels", std::int64_t ignored = -100) {
    check_count(field, labels.size(), logits.rows());
    double total = 0;
    double count = 0;
    for (Index row = 0; row < logits.rows(); ++row) {
        const std::int64_t label = labels[static_cast<std::size_t>(row)];
        if (label == ignored) continue;
        if (label < 0 || label >= logits.cols()) {
            throw InputError(
                {"", std::string(field) + '[' + std::to_string(row) + ']',
                 "0 to " + std::to_string(logits.cols() - 1) + ", or " + std::to_string(ignored),
                 std::to_string(label)});
        }
        const double most = static_cast<double>(logits.row(row).maxCoeff());
        double sum = 0;
        for (Index i = 0; i < logits.cols(); ++i)
            sum += std::exp(static_cast<double>(logits(row, i)) - most);
        total += std::log(sum) + most - static_cast<double>(logits(row, label));
        count += 1;
    }
    return total / count;
}

/// torch.nn.MSELoss over all elements.
template <typename Scalar>
double mean_squared_error(const Matrix<Scalar>& logits, std::span<const double> labels) {
    check_count("float_labels", labels.size(), logits.size());
    double total = 0;
    for (Index i = 0; i < logits.size(); ++i) {
        const double difference =
            static_cast<double>(logits.data()[i]) - labels[static_cast<std::size_t>(i)];
        total += difference * difference;
    }
    return total / static_cast<double>(logits.size());
}

/// torch.nn.BCEWithLogitsLoss over all elements: max(x, 0) - x y + log(1 + exp(-|x|)).
template <typename Scalar>
double binary_cross_entropy(const Matrix<Scalar>& logits, std::span<const double> labels) {
    check_count("float_labels", labels.size(), logits.size());
    double total = 0;
    for (Index i = 0; i < logits.size(); ++i) {
        const double x = static_cast<double>(logits.data()[i]);
        total += std::max(x, 0.0) - x * labels[static_cast<std::size_t>(i)] +
                 std::log1p(std::exp(-std::abs(x)));
    }
    return total / static_cast<double>(logits.size());
}

}  // namespace nystromformer::detail
