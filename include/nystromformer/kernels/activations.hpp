// SPDX-License-Identifier: MIT
// The activations that `hidden_act` can name, with the formulas of transformers/activations.py.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace nystromformer::inline v0_2 {

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

}  // namespace detail
}  // namespace nystromformer::inline v0_2
