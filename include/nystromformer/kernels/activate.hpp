// SPDX-License-Identifier: MIT
// Activations of a row: their formulas, and for floats the vector kernels.
#pragma once

#include <nystromformer/kernels/backend.hpp>

#include <cmath>
#include <numbers>
#include <type_traits>

namespace nystromformer::inline v0_2::detail {

template <typename Scalar>
Scalar sigmoid(Scalar x) {
    return 1 / (1 + std::exp(-x));
}

template <typename Scalar, typename Function>
void map_row(Scalar* row, Index size, Function function) {
    for (Index i = 0; i < size; ++i) row[i] = function(row[i]);
}

/// Applies the activation to `size` numbers in place.
template <typename Scalar>
void activate_row(Activation activation, Scalar* row, Index size) {
    if constexpr (std::is_same_v<Scalar, float>) {
        if (row_kernels().activate(activation, row, size)) return;
    }
    constexpr Scalar half = Scalar(0.5), cubic = Scalar(0.044715);
    constexpr Scalar sqrt_half = std::numbers::sqrt2_v<Scalar> / 2;
    // sqrt(2 / pi)
    constexpr Scalar tanh_scale =
        std::numbers::sqrt2_v<Scalar> * std::numbers::inv_sqrtpi_v<Scalar>;
    switch (activation) {
        case Activation::gelu:
            return map_row(row, size,
                           [](Scalar x) { return x * half * (1 + std::erf(x * sqrt_half)); });
        case Activation::gelu_new:
            return map_row(row, size, [](Scalar x) {
                return half * x * (1 + std::tanh(tanh_scale * (x + cubic * x * x * x)));
            });
        case Activation::gelu_fast:
            return map_row(row, size, [](Scalar x) {
                return half * x * (1 + std::tanh(x * Scalar(0.7978845608) * (1 + cubic * x * x)));
            });
        case Activation::quick_gelu:
            return map_row(row, size, [](Scalar x) { return x * sigmoid(Scalar(1.702) * x); });
        case Activation::relu:
            // max(x, 0) that keeps NaN
            return map_row(row, size, [](Scalar x) { return x < 0 ? Scalar(0) : x; });
        case Activation::silu:
            return map_row(row, size, [](Scalar x) { return x * sigmoid(x); });
        case Activation::tanh:
            return map_row(row, size, [](Scalar x) { return std::tanh(x); });
        case Activation::sigmoid:
            return map_row(row, size, [](Scalar x) { return sigmoid(x); });
        case Activation::mish:
            // softplus is x itself beyond 20, as in PyTorch
            return map_row(row, size, [](Scalar x) {
                return x * std::tanh(x > 20 ? x : std::log1p(std::exp(x)));
            });
        case Activation::linear:
            return;
    }
}

}  // namespace nystromformer::inline v0_2::detail
