// SPDX-License-Identifier: MIT
// What sentence-transformers put after the pooling: Dense, LayerNorm and Normalize.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/kernels/weights/packed_matrix.hpp>
#include <nystromformer/model/layers.hpp>
#include <nystromformer/model/weight_loader.hpp>
#include <nystromformer/pipelines/sentence/dense_activation.hpp>
#include <nystromformer/pipelines/sentence/pooling.hpp>
#include <nystromformer/pipelines/sentence/semantic_search.hpp>
#include <nystromformer/threads.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// UnsupportedError if a module's config.json says that it works on something else than the
/// vector of a text.
inline void check_module_names(const SentenceJson& json) {
    for (const char* key : {"module_input_name", "module_output_name"}) {
        if (!json.holds(key) || json.at(key).string() == "sentence_embedding") continue;
        throw UnsupportedError({json.file(), json.at(key).path(), "\"sentence_embedding\"",
                                in_quotes(json.at(key).string())});
    }
}

/// The weights of a module; `options` have a pool.
inline WeightLoader weights(const std::filesystem::path& folder, const LoadOptions& options) {
    return WeightLoader(Checkpoint::open(folder, file_options(options)), options, options.threads)
        .in_fp32();
}

/// TensorError for a tensor that a module does not use: load_state_dict refuses it, too.
/// Source: sentence_transformers/base/modules/module.py, load_torch_weights
inline void check_all_used(const WeightLoader& weights, const std::filesystem::path& folder) {
    const std::vector<std::string> unused = weights.unused();
    if (unused.empty()) return;
    throw TensorError({path_to_utf8(folder), "tensor " + in_quotes(unused.front()),
                       "only tensors that the module's config.json asks for", "this one"});
}

/// Source: sentence_transformers/base/modules/dense.py
struct Dense {
    PackedMatrix<float> linear;    // (out, in) with its bias
    PackedMatrix<float> residual;  // (out, in); used with use_residual if out is not in
    DenseActivation activation;
    bool use_residual = false;

    /// Reads a module's config.json, which takes vectors of `in_features`, and the weights next to
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
        dense.use_residual = json.holds("use_residual") && json.at("use_residual").boolean();
        const WeightLoader state = weights(folder, options);
        dense.activation = DenseActivation::load(json, state);
        if (dense.activation.halves() && (out_features % 2 != 0 || dense.use_residual))
            json.at("out_features").fail("an even number and no use_residual, for GLU");
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
        check_all_used(state, folder);
        return dense;
    }
    Index out_features() const { return activation.halves() ? linear.rows() / 2 : linear.rows(); }

    /// (texts, in) to (texts, out)
    Matrix<float> operator()(const Matrix<float>& x, ThreadPool& threads) const {
        Matrix<float> out(x.rows(), linear.rows());
        linear.multiply(x, out, threads, activation.function->kernel);
        out = activation(std::move(out));
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
        const WeightLoader state = weights(folder, options);
        SentenceLayerNorm result{LayerNorm<float>::load(state["norm"], in_features, eps)};
        check_all_used(state, folder);
        return result;
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

}  // namespace nystromformer::inline v0_2::detail
