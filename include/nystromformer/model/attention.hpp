// SPDX-License-Identifier: MIT
// NystromformerOutput and NystromformerAttention.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/model/attention_report.hpp>
#include <nystromformer/model/forward_plan.hpp>
#include <nystromformer/model/layers.hpp>
#include <nystromformer/model/self_attention.hpp>
#include <nystromformer/model/weight_loader.hpp>
#include <nystromformer/state_dict.hpp>
#include <nystromformer/threads.hpp>

#include <span>

namespace nystromformer::inline v0_2::detail {

/// The end of an attention or a feed-forward: LayerNorm(dense(x) + residual).
/// Source: transformers 4.57.6, modeling_nystromformer.py, classes NystromformerSelfOutput and
/// NystromformerOutput
template <typename Scalar>
struct NystromformerOutput {
    Linear<Scalar> dense;
    LayerNorm<Scalar> layer_norm;

    static NystromformerOutput load(const WeightLoader& state, Index in_features,
                                    const NystromformerConfig& config) {
        return {
            Linear<Scalar>::load(state["dense"], in_features, config.hidden_size),
            LayerNorm<Scalar>::load(state["LayerNorm"], config.hidden_size, config.layer_norm_eps)};
    }
    void save(const StateWriter& state) const {
        dense.save(state["dense"]);
        layer_norm.save(state["LayerNorm"]);
    }
    /// residual (rows, hidden) := LayerNorm(dense(x) + residual)
    void operator()(ConstRows<Scalar> x, Rows<Scalar> residual, ThreadPool& threads) const {
        Scratch scratch;
        const Rows<Scalar> projected = scratch.rows<Scalar>(residual.rows, residual.cols);
        dense(x, projected, threads);
        layer_norm(projected, residual, residual);
    }
};

/// Source: transformers 4.57.6, modeling_nystromformer.py, class NystromformerAttention
template <typename Scalar>
struct NystromformerAttention {
    NystromformerSelfAttention<Scalar> self;
    NystromformerOutput<Scalar> output;

    static NystromformerAttention load(const WeightLoader& state,
                                       const NystromformerConfig& config) {
        return {NystromformerSelfAttention<Scalar>::load(state["self"], config),
                NystromformerOutput<Scalar>::load(state["output"], config.hidden_size, config)};
    }
    void save(const StateWriter& state) const {
        self.save(state["self"]);
        output.save(state["output"]);
    }
    /// x (rows, hidden) := output(self(x), x)
    void operator()(Rows<Scalar> x, const ForwardPlan& plan,
                    const AttentionReport<Scalar>& report = {}) const {
        Scratch scratch;
        const Rows<Scalar> context = self(x, plan, report, {}, scratch);  // (rows, hidden)
        add_context(context, x, plan.threads);
    }
    /// attended (wanted, hidden) := the `wanted` rows of the same
    void operator()(ConstRows<Scalar> x, const ForwardPlan& plan,
                    const AttentionReport<Scalar>& report, std::span<const Index> wanted,
                    Rows<Scalar> attended) const {
        Scratch scratch;
        const Rows<Scalar> context = self(x, plan, report, wanted, scratch);  // (rows, hidden)
        const Rows<Scalar> chosen = scratch.rows<Scalar>(attended.rows, attended.cols);
        copy_rows<Scalar>(context, wanted, chosen);
        copy_rows<Scalar>(x, wanted, attended);
        add_context(chosen, attended, plan.threads);
    }

private:
    void add_context(ConstRows<Scalar> context, Rows<Scalar> x, ThreadPool& threads) const {
        for_row_blocks(x.rows, threads, [&](Index first, Index count) {
            output(context.middle_rows(first, count), x.middle_rows(first, count), threads);
        });
    }
};

}  // namespace nystromformer::inline v0_2::detail
