// SPDX-License-Identifier: MIT
// The expected.safetensors of a reference folder: texts, and what transformers says of them.
#pragma once

#include "support/catch.hpp"

#include <nystromformer/models.hpp>
#include <nystromformer/safetensors.hpp>
#include <nystromformer/tensor.hpp>

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

class Expected {
public:
    explicit Expected(const std::filesystem::path& folder)
        : file_(nystromformer::SafetensorsFile::open(folder / "expected.safetensors")) {}

    template <typename Scalar>
    nystromformer::ModelInput<Scalar> input() const {
        nystromformer::ModelInput<Scalar> input;
        input.input_ids = nystromformer::to_int64(*file_.find("input.input_ids"));
        input.token_type_ids = nystromformer::to_int64(*file_.find("input.token_type_ids"));
        input.offsets = nystromformer::to_int64(*file_.find("input.offsets"));
        return input;
    }
    /// The largest difference; the shapes have to be of one size.
    template <typename Scalar>
    double error(const std::string& name, const nystromformer::Matrix<Scalar>& found) const {
        const auto* tensor = file_.find("expected." + name);
        REQUIRE(tensor);
        REQUIRE(tensor->size() == found.size());
        std::vector<double> numbers(static_cast<std::size_t>(found.size()));
        nystromformer::convert(*tensor, numbers.data());
        double largest = 0;
        for (nystromformer::Index i = 0; i < found.size(); ++i) {
            const double difference = std::abs(static_cast<double>(found.data()[i]) -
                                               numbers[static_cast<std::size_t>(i)]);
            if (!(difference <= largest)) largest = difference;  // NaN is kept
        }
        return largest;
    }

private:
    nystromformer::SafetensorsFile file_;
};
