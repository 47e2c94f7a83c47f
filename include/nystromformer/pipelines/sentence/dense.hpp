// SPDX-License-Identifier: MIT
// What sentence-transformers put after the pooling: Dense, LayerNorm and Normalize.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/kernels/activations.hpp>
#include <nystromformer/kernels/weights/packed_matrix.hpp>
#include <nystromformer/model/layers.hpp>
#include <nystromformer/model/weight_loader.hpp>
#include <nystromformer/pipelines/sentence/pooling.hpp>
#include <nystromformer/pipelines/sentence/semantic_search.hpp>
#include <nystromformer/threads.hpp>

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace nystromformer::detail {

/// UnsupportedError where a module's config.json says that it works on something else than the
/// vector of a text.
inline void check_module_names(const SentenceJson& json) {
    for (const char* key : {"module_input_name", "module_output_name"}) {
        if (!json.holds(key) || json.at(key).string() == "sentence_embedding") continue;
        throw UnsupportedError({json.file(), json.at(key).path(), "\"sentence_embedding\"",
                                in_quotes(json.at(key).string())});
    }
}

/// The activation of a Dense module, a class of torch.nn by its path. Any other class would be
/// code of the folder's own: UnsupportedError.
inline Activation dense_activation(const SentenceJson& json) {
    constexpr std::array<std::pair<std::string_view, Activation>, 7> classes{{
        {"Identity", Activation::linear},
        {"Tanh", Activation::tanh},
        {"ReLU", Activation::relu},
        {"GELU", Activation::gelu},
        {"SiLU", Activation::silu},
        {"Sigmoid", Activation::sigmoid},
        {"Mish", Activation::mish},
    }};
    if (!json.has("activation_function")) return Activation::tanh;
    const auto value = json.at("activation_function");
    const std::string_view path = value.string();
    const std::string_view class_name = path.substr(path.rfind('.') + 1);
    std::string known;
    for (const auto& [name, activation] : classes) {
        if (name == class_name && path.starts_with("torch.nn.")) return activation;
        known.append(known.empty() ? "" : ", ").append(name);
    }
    throw UnsupportedError(
        {value.file(), value.path(), "one of torch.nn's " + known, in_quotes(path)});
}

/// The weights of a module; `options` have a pool.
inline WeightLoader weights(const std::filesystem::path& folder, const LoadOptions& options) {
    return WeightLoader(Checkpoint::open(folder, file_options(options)), options, options.threads)
        .in_fp32();
}

/// Source: sentence_transformers/base/modules/dense.py
struct Dense {
    PackedMatrix<float> linear;    // (out, in) with its bias
    PackedMatrix<float> residual;  // (out, in); used with use_residual where out is not in
    Activation activation = Activation::tanh;
    bool use_residual = false;

    /// Reads a module's config.json, which takes vectors of `in_features`, and the weights beside
    /// it. Throws ConfigError, UnsupportedError, and what Checkpoint::open and WeightLoader do.
    static Dense load(const SentenceJson& json, const std::filesystem::path& folder,
                      Index in_features, const LoadOptions& options) {
        constexpr Index most = Index{1} << 24;
        check_module_names(json);
        const auto in = json.at("in_features");
        if (in.integer(1, most) != in_features)
            in.fail(std::to_string(in_features) + ", what the module before it gives");
        const Index out_features = json.at("out_features").integer(1, most);
        const bool has_bias = !json.holds("bias") || json.at("bias").boolean();
        Dense dense;
        dense.activation = dense_activation(json);
        dense.use_residual = json.holds("use_residual") && json.at("use_residual").boolean();
        const WeightLoader state = weights(folder, options);
        const auto packed = [&](const char* name, bool with_bias) {
            const WeightLoader scope = state[name];
            return PackedMatrix<float>(
                out_features, in_features,
                scope.weight_rows<float>("weight", out_features, in_features),
                with_bias ? scope.vector<float>("bias", out_features) : RowVector<float>(),
                state.threads());
        };
        dense.linear = packed("linear", has_bias);
        if (dense.use_residual && out_features != in_features)
            dense.residual = packed("residual", false);
        return dense;
    }
    Index out_features() const { return linear.rows(); }

    /// (texts, in) to (texts, out)
    Matrix<float> operator()(const Matrix<float>& x, ThreadPool& threads) const {
        Matrix<float> out(x.rows(), linear.rows());
        linear.multiply(x, out, threads, activation);
        if (!use_residual) return out;
        if (residual.rows() == 0) return out + x;
        return out + residual.multiply(x, threads);
    }
};

/// Source: sentence_transformers/sentence_transformer/modules/layer_norm.py
struct SentenceLayerNorm {
    LayerNorm<float> norm;

    static SentenceLayerNorm load(const SentenceJson& json, const std::filesystem::path& folder,
                                  Index in_features, const LoadOptions& options) {
        const auto dimension = json.at("dimension");
        if (dimension.integer(1, Index{1} << 24) != in_features)
            dimension.fail(std::to_string(in_features) + ", what the module before it gives");
        constexpr double eps = 1e-5;  // torch.nn.LayerNorm's default
        return {LayerNorm<float>::load(weights(folder, options)["norm"], in_features, eps)};
    }
    Matrix<float> operator()(Matrix<float> x, ThreadPool&) const { return norm(std::move(x)); }
};

/// Source: sentence_transformers/base/modules/normalize.py
struct Normalize {
    Matrix<float> operator()(Matrix<float> x, ThreadPool&) const {
        normalize_rows(x);
        return x;
    }
};

}  // namespace nystromformer::detail
