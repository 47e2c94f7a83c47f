// SPDX-License-Identifier: MIT
// The losses that Hugging Face's heads compute from labels, as means, in double.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/matrix.hpp>
#include <nystromformer/model_input.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// One number a row, or InputError.
inline void check_count(const char* field, std::size_t found, Index expected) {
    if (static_cast<Index>(found) != expected) {
        throw InputError({"", field, std::to_string(expected) + " values", std::to_string(found)});
    }
}

/// torch.nn.CrossEntropyLoss: the mean over rows of log sum exp(row) - row[label], without the
/// rows labelled `ignored`; NaN if none is left, as in PyTorch.
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
        const double largest = static_cast<double>(logits.row(row).maxCoeff());
        double sum = 0;
        for (Index i = 0; i < logits.cols(); ++i)
            sum += std::exp(static_cast<double>(logits(row, i)) - largest);
        total += std::log(sum) + largest - static_cast<double>(logits(row, label));
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

/// The loss by problem_type; if the config has none: regression for one label, else by the kind of
/// labels.
template <typename Scalar>
double classification_loss(const Matrix<Scalar>& logits, const ModelInput<Scalar>& input,
                           const NystromformerConfig& config) {
    const bool classes = !input.labels.empty();
    if (classes && !input.float_labels.empty())
        throw InputError({"", "labels", "labels or float_labels", "both"});
    const std::string type = config.problem_type.value_or(config.num_labels == 1 ? "regression"
                                                          : classes ? "single_label_classification"
                                                                    : "multi_label_classification");
    if (type == "single_label_classification") return cross_entropy(logits, input.labels);
    if (type != "regression" && type != "multi_label_classification") {
        throw ConfigError({"", "/problem_type",
                           "regression, single_label_classification or multi_label_classification: "
                           "no other has a loss",
                           in_quotes(type)});
    }
    const std::vector<double> numbers =
        classes ? std::vector<double>(input.labels.begin(), input.labels.end())
                : input.float_labels;
    return type == "regression" ? mean_squared_error(logits, std::span(numbers))
                                : binary_cross_entropy(logits, std::span(numbers));
}

/// Cross entropy over the positions of each sequence; a position beyond its end is ignored and
/// a negative one is 0, as Hugging Face's clamp does.
template <typename Scalar>
double position_loss(const Matrix<Scalar>& logits, const ModelInput<Scalar>& input,
                     const std::vector<std::int64_t>& positions, const char* field) {
    check_count(field, positions.size(), input.num_sequences());
    double total = 0, count = 0;
    for (std::size_t i = 0; i < positions.size(); ++i) {
        const Index first = input.offsets[i], length = input.offsets[i + 1] - first;
        const std::int64_t position = std::clamp<std::int64_t>(positions[i], 0, length);
        if (position == length) continue;
        const Matrix<Scalar> row = logits.middleRows(first, length).transpose();  // (1, n)
        total += cross_entropy<Scalar>(row, std::span(&position, 1), field);
        count += 1;
    }
    return total / count;
}

}  // namespace nystromformer::inline v0_2::detail
