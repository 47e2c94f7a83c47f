// SPDX-License-Identifier: MIT
// The activations that `hidden_act` can name, with the formulas of transformers/activations.py.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/kernels/instruction_sets.hpp>

#include <array>
#include <cmath>
#include <numbers>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace nystromformer {

enum class Activation {
    gelu,        ///< x/2 (1 + erf(x / sqrt 2))
    gelu_new,    ///< tanh form; also gelu_pytorch_tanh
    gelu_fast,   ///< the tanh form with 0.7978845608
    quick_gelu,  ///< x sigmoid(1.702 x)
    relu,
    silu,  ///< x sigmoid(x); also swish
    tanh,
    sigmoid,
    mish,  ///< x tanh(softplus(x))
    linear,
};

namespace detail {

struct NamedActivation {
    std::string_view name;
    Activation activation;
};

inline constexpr std::array<NamedActivation, 12> named_activations{{
    {"gelu", Activation::gelu},
    {"gelu_new", Activation::gelu_new},
    {"gelu_pytorch_tanh", Activation::gelu_new},
    {"gelu_fast", Activation::gelu_fast},
    {"quick_gelu", Activation::quick_gelu},
    {"relu", Activation::relu},
    {"silu", Activation::silu},
    {"swish", Activation::silu},
    {"tanh", Activation::tanh},
    {"sigmoid", Activation::sigmoid},
    {"mish", Activation::mish},
    {"linear", Activation::linear},
}};

}  // namespace detail

/// The activation that `hidden_act` names, or nothing.
inline std::optional<Activation> find_activation(std::string_view name) {
    for (const auto& entry : detail::named_activations) {
        if (entry.name == name) return entry.activation;
    }
    return std::nullopt;
}

namespace detail {

inline std::string activation_names() {
    std::string names;
    for (const auto& entry : named_activations) {
        if (!names.empty()) names += ", ";
        names += entry.name;
    }
    return names;
}

template <typename Scalar>
Scalar sigmoid(Scalar x) {
    return 1 / (1 + std::exp(-x));
}

template <typename Scalar, typename Function>
void map_row(Scalar* row, Index size, Function function) {
    for (Index i = 0; i < size; ++i) row[i] = function(row[i]);
}

/// The vector kernel for an activation in float, where there is one.
inline std::optional<FloatFunction> float_function(Activation activation) {
    switch (activation) {
        case Activation::gelu:
            return FloatFunction::gelu;
        case Activation::gelu_new:
            return FloatFunction::gelu_new;
        case Activation::gelu_fast:
            return FloatFunction::gelu_fast;
        case Activation::quick_gelu:
            return FloatFunction::quick_gelu;
        case Activation::relu:
            return FloatFunction::relu;
        case Activation::silu:
            return FloatFunction::silu;
        case Activation::tanh:
            return FloatFunction::tanh;
        case Activation::sigmoid:
            return FloatFunction::sigmoid;
        default:
            return std::nullopt;
    }
}

/// Applies the activation to `size` numbers in place.
template <typename Scalar>
void activate_row(Activation activation, Scalar* row, Index size) {
    if constexpr (std::is_same_v<Scalar, float>) {
        if (const auto function = float_function(activation)) {
            return kernels<float>().map(*function, row, size);
        }
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

}  // namespace detail
}  // namespace nystromformer
