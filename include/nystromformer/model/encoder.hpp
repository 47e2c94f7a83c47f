// SPDX-License-Identifier: MIT
// NystromformerLayer and NystromformerEncoder: attention, then feed-forward, layer after layer.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/forward_options.hpp>
#include <nystromformer/kernels/activations.hpp>
#include <nystromformer/model/attention.hpp>
#include <nystromformer/model/attention_report.hpp>
#include <nystromformer/model/forward_plan.hpp>
#include <nystromformer/model/layers.hpp>
#include <nystromformer/model/weight_loader.hpp>
#include <nystromformer/model_output.hpp>
#include <nystromformer/state_dict.hpp>
#include <nystromformer/threads.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Source: transformers 4.57.6, modeling_nystromformer.py, class NystromformerIntermediate
template <typename Scalar>
struct NystromformerIntermediate {
    Linear<Scalar> dense;
    Activation activation;

    static NystromformerIntermediate load(const WeightLoader& state,
                                          const NystromformerConfig& config) {
        return {Linear<Scalar>::load(state["dense"], config.hidden_size, config.intermediate_size),
                config.activation()};
    }
    void save(const StateWriter& state) const { dense.save(state["dense"]); }
    /// activation(dense(x)): (rows, intermediate), in `scratch`
    Rows<Scalar> operator()(ConstRows<Scalar> x, ThreadPool& threads, Scratch& scratch) const {
        const Rows<Scalar> out = scratch.rows<Scalar>(x.rows, dense.weight.rows());
        dense(x, out, threads, activation);
        return out;
    }
};

/// Source: transformers 4.57.6, modeling_nystromformer.py, class NystromformerLayer
template <typename Scalar>
struct NystromformerLayer {
    NystromformerAttention<Scalar> attention;
    NystromformerIntermediate<Scalar> intermediate;
    NystromformerOutput<Scalar> output;

    static NystromformerLayer load(const WeightLoader& state, const NystromformerConfig& config) {
        return {
            NystromformerAttention<Scalar>::load(state["attention"], config),
            NystromformerIntermediate<Scalar>::load(state["intermediate"], config),
            NystromformerOutput<Scalar>::load(state["output"], config.intermediate_size, config)};
    }
    void save(const StateWriter& state) const {
        attention.save(state["attention"]);
        intermediate.save(state["intermediate"]);
        output.save(state["output"]);
    }
    /// x (rows, hidden) becomes the layer's output.
    void operator()(Rows<Scalar> x, const ForwardPlan& plan,
                    const AttentionReport<Scalar>& report = {}) const {
        attention(x, plan, report);
        feed_forward(x, plan.threads);
    }
    /// out (wanted, hidden) := the layer's output for the `wanted` rows alone.
    void operator()(ConstRows<Scalar> x, const ForwardPlan& plan,
                    const AttentionReport<Scalar>& report, std::span<const Index> wanted,
                    Rows<Scalar> out) const {
        attention(x, plan, report, wanted, out);
        feed_forward(out, plan.threads);
    }

private:
    /// attended := output(intermediate(attended), attended), block by block, so that the wide
    /// intermediate rows stay in the cache.
    void feed_forward(Rows<Scalar> attended, ThreadPool& threads) const {
        for_row_blocks(attended.rows, threads, [&](Index first, Index count) {
            Scratch scratch;
            const Rows<Scalar> block = attended.middle_rows(first, count);
            output(intermediate(block, threads, scratch), block, threads);
        });
    }
};

/// Source: transformers 4.57.6, modeling_nystromformer.py, class NystromformerEncoder
template <typename Scalar>
struct NystromformerEncoder {
    std::vector<NystromformerLayer<Scalar>> layer;

    static NystromformerEncoder load(const WeightLoader& state, const NystromformerConfig& config) {
        NystromformerEncoder encoder;
        for (Index i = 0; i < config.num_hidden_layers; ++i)
            encoder.layer.push_back(NystromformerLayer<Scalar>::load(state["layer"][i], config));
        return encoder;
    }
    void save(const StateWriter& state) const {
        for (std::size_t i = 0; i < layer.size(); ++i)
            layer[i].save(state["layer"][static_cast<Index>(i)]);
    }

    /// x (rows, hidden) becomes the last layer's output, or its input if only some rows are
    /// `wanted`: those go to output.last_hidden_state (wanted, hidden).
    void operator()(Rows<Scalar> x, const ForwardPlan& plan, const ForwardOptions& options,
                    std::span<const Index> wanted, BaseModelOutput<Scalar>& output) const {
        if (options.check_finite) check_states<Scalar>(x, plan, {}, "embeddings");
        for (const auto& layer_module : layer) {
            const Index number = &layer_module - layer.data();
            if (options.output_hidden_states) output.hidden_states.emplace_back(x.map());
            const auto report = AttentionReport<Scalar>::start(
                output, options, plan.num_sequences() * layer_module.attention.self.num_heads,
                number);
            const bool only_wanted = &layer_module == &layer.back() && !wanted.empty();
            if (only_wanted) {
                layer_module(x, plan, report, wanted, Rows<Scalar>(output.last_hidden_state));
            } else {
                layer_module(x, plan, report);
            }
            if (!options.check_finite) continue;
            const std::string what = "layer " + std::to_string(number);
            if (only_wanted) {
                check_states<Scalar>(output.last_hidden_state, plan, wanted, what);
            } else {
                check_states<Scalar>(x, plan, {}, what);
            }
        }
        if (options.output_hidden_states) output.hidden_states.emplace_back(x.map());
    }
};

}  // namespace nystromformer::inline v0_2::detail
