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

/// x itself beyond 20, as in PyTorch.
template <typename Scalar>
Scalar softplus(Scalar x) {
    return x > 20 ? x : std::log1p(std::exp(x));
}

template <typename Scalar>
Scalar erf_gelu(Scalar x) {
    return x * Scalar(0.5) * (1 + std::erf(x * (std::numbers::sqrt2_v<Scalar> / 2)));
}

/// A minimum and a maximum that keep NaN.
template <typename Scalar>
Scalar clamped(Scalar x, int low, int high) {
    return x < Scalar(low) ? Scalar(low) : x > Scalar(high) ? Scalar(high) : x;
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
    // sqrt(2 / pi)
    constexpr Scalar tanh_scale =
        std::numbers::sqrt2_v<Scalar> * std::numbers::inv_sqrtpi_v<Scalar>;
    switch (activation) {
        case Activation::gelu:
            return map_row(row, size, [](Scalar x) { return erf_gelu(x); });
        case Activation::gelu_10:
            return map_row(row, size, [](Scalar x) { return clamped(erf_gelu(x), -10, 10); });
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
        case Activation::relu2:
            return map_row(row, size, [](Scalar x) { return x < 0 ? Scalar(0) : x * x; });
        case Activation::relu6:
            return map_row(row, size, [](Scalar x) { return clamped(x, 0, 6); });
        case Activation::leaky_relu:
            return map_row(row, size, [](Scalar x) { return x < 0 ? Scalar(0.01) * x : x; });
        case Activation::hardswish:
            return map_row(row, size, [](Scalar x) { return x * clamped(x + 3, 0, 6) / 6; });
        case Activation::silu:
            return map_row(row, size, [](Scalar x) { return x * sigmoid(x); });
        case Activation::tanh:
            return map_row(row, size, [](Scalar x) { return std::tanh(x); });
        case Activation::sigmoid:
            return map_row(row, size, [](Scalar x) { return sigmoid(x); });
        case Activation::mish:
            return map_row(row, size, [](Scalar x) { return x * std::tanh(softplus(x)); });
        case Activation::sqrtsoftplus:
            return map_row(row, size, [](Scalar x) { return std::sqrt(softplus(x)); });
        case Activation::laplace:
            return map_row(row, size, [](Scalar x) {
                constexpr Scalar mu = Scalar(0.707107), sigma = Scalar(0.282095);
                return half * (1 + std::erf((x - mu) / (sigma * std::numbers::sqrt2_v<Scalar>)));
            });
        case Activation::linear:
            return;
    }
}

}  // namespace nystromformer::inline v0_2::detail
