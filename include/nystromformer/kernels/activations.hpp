// SPDX-License-Identifier: MIT
// The activations that `hidden_act` can name, with the formulas of transformers/activations.py.
// Two of its names are refused: prelu and xielu have weights of their own.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace nystromformer::inline v0_2 {

enum class Activation {
    gelu,        ///< x/2 (1 + erf(x / sqrt 2)); also gelu_python
    gelu_new,    ///< tanh form; also gelu_pytorch_tanh, gelu_python_tanh and gelu_accurate
    gelu_fast,   ///< the tanh form with 0.7978845608
    gelu_10,     ///< gelu, kept between -10 and 10
    quick_gelu,  ///< x sigmoid(1.702 x)
    relu,
    relu2,       ///< max(x, 0)^2
    relu6,       ///< x, kept between 0 and 6
    leaky_relu,  ///< 0.01 x below 0
    silu,        ///< x sigmoid(x); also swish
    hardswish,   ///< x relu6(x + 3) / 6
    tanh,
    sigmoid,
    mish,          ///< x tanh(softplus(x))
    sqrtsoftplus,  ///< sqrt(softplus(x))
    laplace,       ///< (1 + erf((x - 0.707107) / (0.282095 sqrt 2))) / 2
    linear,
};

namespace detail {

struct NamedActivation {
    std::string_view name;
    Activation activation;
};

inline constexpr std::array<NamedActivation, 22> named_activations{{
    {"gelu", Activation::gelu},
    {"gelu_python", Activation::gelu},
    {"gelu_new", Activation::gelu_new},
    {"gelu_pytorch_tanh", Activation::gelu_new},
    {"gelu_python_tanh", Activation::gelu_new},
    {"gelu_accurate", Activation::gelu_new},
    {"gelu_fast", Activation::gelu_fast},
    {"gelu_10", Activation::gelu_10},
    {"quick_gelu", Activation::quick_gelu},
    {"relu", Activation::relu},
    {"relu2", Activation::relu2},
    {"relu6", Activation::relu6},
    {"leaky_relu", Activation::leaky_relu},
    {"silu", Activation::silu},
    {"swish", Activation::silu},
    {"hardswish", Activation::hardswish},
    {"tanh", Activation::tanh},
    {"sigmoid", Activation::sigmoid},
    {"mish", Activation::mish},
    {"sqrtsoftplus", Activation::sqrtsoftplus},
    {"laplace", Activation::laplace},
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

}  // namespace detail
}  // namespace nystromformer::inline v0_2
