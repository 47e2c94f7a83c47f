// SPDX-License-Identifier: MIT
// The activations of a Dense module: the classes of torch.nn that need no arguments.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/kernels/activations.hpp>
#include <nystromformer/model/weight_loader.hpp>
#include <nystromformer/pipelines/scores.hpp>
#include <nystromformer/pipelines/sentence/pooling.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// What a class computes, of a number or of a row. Source: torch/nn/modules/activation.py
struct DenseFunction {
    std::string_view name;
    Activation kernel = Activation::linear;  // computed with the product
    double (*of_number)(double) = nullptr;   // of each number after it
    void (*of_row)(RowVector<float>&) = nullptr;
};

inline void softmax_row(RowVector<float>& row) {
    const std::vector<float> scores = softmax(row_of(row, 0));
    std::copy(scores.begin(), scores.end(), row.data());
}

inline constexpr std::array<DenseFunction, 34> dense_functions{{
    {"Identity"},
    {"Tanh", Activation::tanh, [](double x) { return std::tanh(x); }},
    {"ReLU", Activation::relu, [](double x) { return x < 0 ? 0 : x; }},
    {"GELU", Activation::gelu, [](double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2))); }},
    {"SiLU", Activation::silu, [](double x) { return x / (1 + std::exp(-x)); }},
    {"Sigmoid", Activation::sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }},
    {"Mish", Activation::mish,
     [](double x) { return x * std::tanh(x > 20 ? x : std::log1p(std::exp(x))); }},
    {"ReLU6", Activation::relu6, [](double x) { return std::clamp(x, 0.0, 6.0); }},
    {"LeakyReLU", Activation::leaky_relu, [](double x) { return x >= 0 ? x : 0.01 * x; }},
    {"RReLU", Activation::linear,
     [](double x) { return x >= 0 ? x : (1.0 / 8 + 1.0 / 3) / 2 * x; }},
    {"ELU", Activation::linear, [](double x) { return x > 0 ? x : std::expm1(x); }},
    {"CELU", Activation::linear, [](double x) { return x > 0 ? x : std::expm1(x); }},
    {"SELU", Activation::linear,
     [](double x) {
         constexpr double scale = 1.0507009873554804934, alpha = 1.6732632423543772848;
         return scale * (x > 0 ? x : alpha * std::expm1(x));
     }},
    {"Hardtanh", Activation::linear, [](double x) { return std::clamp(x, -1.0, 1.0); }},
    {"Hardsigmoid", Activation::linear, [](double x) { return std::clamp(x + 3, 0.0, 6.0) / 6; }},
    {"Hardswish", Activation::hardswish,
     [](double x) { return x * std::clamp(x + 3, 0.0, 6.0) / 6; }},
    {"Hardshrink", Activation::linear, [](double x) { return x >= -0.5 && x <= 0.5 ? 0 : x; }},
    {"Softshrink", Activation::linear,
     [](double x) { return x > 0.5    ? x - 0.5
                           : x < -0.5 ? x + 0.5
                                      : 0 * x; }},
    {"Tanhshrink", Activation::linear, [](double x) { return x - std::tanh(x); }},
    {"Softsign", Activation::linear, [](double x) { return x / (1 + std::abs(x)); }},
    {"Softplus", Activation::linear, [](double x) { return x > 20 ? x : std::log1p(std::exp(x)); }},
    {"LogSigmoid", Activation::linear,
     [](double x) { return std::min(x, 0.0) - std::log1p(std::exp(-std::abs(x))); }},
    {"PReLU"},  // its slope is a weight
    {"GLU"},    // gives half of the columns
    {"Softmax", Activation::linear, nullptr, softmax_row},
    {"Softmin", Activation::linear, nullptr,
     [](RowVector<float>& row) {
         row = -row;
         softmax_row(row);
     }},
    {"LogSoftmax", Activation::linear, nullptr,
     [](RowVector<float>& row) {
         const auto largest = static_cast<double>(row.maxCoeff());
         const double total = (row.cast<double>().array() - largest).exp().sum();
         row.array() -= static_cast<float>(largest + std::log(total));
     }},
    // They do nothing outside training, or to a row.
    {"Dropout"},
    {"Dropout1d"},
    {"Dropout2d"},
    {"Dropout3d"},
    {"AlphaDropout"},
    {"FeatureAlphaDropout"},
    {"Flatten"},
}};

/// The function of the class that `path`, a value of a JSON file, names. Any class but those above
/// would be code of the folder's own, or needs arguments: UnsupportedError.
inline const DenseFunction& dense_function(const SentenceJson& path) {
    const std::string_view text = path.string();
    const std::string_view name = text.substr(text.rfind('.') + 1);
    const auto found = std::find_if(dense_functions.begin(), dense_functions.end(),
                                    [&](const auto& known) { return known.name == name; });
    if (found != dense_functions.end() && text.starts_with("torch.nn.")) return *found;
    std::string names;
    for (const DenseFunction& known : dense_functions)
        names.append(names.empty() ? "" : ", ").append(known.name);
    throw UnsupportedError(
        {path.file(), path.path(), "one of torch.nn's " + names, in_quotes(text)});
}

/// `function` of each number or row of `x`, which no kernel has applied.
inline Matrix<float> applied(const DenseFunction& function, Matrix<float> x) {
    if (const auto of_number = function.of_number) {
        x = Matrix<float>(x.unaryExpr([of_number](float value) {
            return static_cast<float>(of_number(static_cast<double>(value)));
        }));
    }
    for (Index i = 0; function.of_row != nullptr && i < x.rows(); ++i) {
        RowVector<float> row = x.row(i);
        function.of_row(row);
        x.row(i) = row;
    }
    return x;
}

struct DenseActivation {
    const DenseFunction* function = &dense_functions[1];  // Tanh
    float slope = 0;                                      // of PReLU

    /// As a module's config.json says; Tanh if it says nothing.
    static DenseActivation load(const SentenceJson& json, const WeightLoader& module) {
        DenseActivation result;
        if (!json.has("activation_function")) return result;
        result.function = &dense_function(json.at("activation_function"));
        if (result.function->name == "PReLU")
            result.slope = module["activation_function"].vector<float>("weight", 1)(0);
        return result;
    }

    bool halves() const { return function->name == "GLU"; }

    /// (texts, columns), to which the kernel has been applied, to the same or half of the columns.
    Matrix<float> operator()(Matrix<float> x) const {
        if (halves()) {
            const Index half = x.cols() / 2;
            const auto gate = (1 + (-x.rightCols(half).array()).exp()).inverse();
            return (x.leftCols(half).array() * gate).matrix();
        }
        if (function->name == "PReLU") {
            return x.unaryExpr([this](float value) { return value >= 0 ? value : slope * value; });
        }
        if (function->kernel != Activation::linear) return x;
        return applied(*function, std::move(x));
    }
};

}  // namespace nystromformer::inline v0_2::detail
