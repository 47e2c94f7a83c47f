// SPDX-License-Identifier: MIT
// NystromformerLayer and NystromformerEncoder.
#pragma once

#include <nystromformer/core/memory.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/attention.hpp>
#include <nystromformer/model/outputs.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::detail {

/// Source: modeling_nystromformer.py, class NystromformerIntermediate
template <typename Scalar>
struct NystromformerIntermediate {
    Linear<Scalar> dense;
    Activation activation;

    static NystromformerIntermediate load(const StateDict& state,
                                          const NystromformerConfig& config) {
        return {Linear<Scalar>::load(state["dense"], config.hidden_size, config.intermediate_size,
                                     state["dense"].precision()),
                config.activation()};
    }
    void save(const StateWriter& state) const { dense.save(state["dense"]); }
    /// out: (rows, intermediate)
    void operator()(ConstRows<Scalar> hidden_states, Rows<Scalar> out, ThreadPool& threads) const {
        dense(hidden_states, out, threads, activation);
    }
};

/// Source: modeling_nystromformer.py, class NystromformerLayer
template <typename Scalar>
struct NystromformerLayer {
    NystromformerAttention<Scalar> attention;
    NystromformerIntermediate<Scalar> intermediate;
    NystromformerOutput<Scalar> output;

    static NystromformerLayer load(const StateDict& state, const NystromformerConfig& config) {
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
    /// hidden_states (rows, hidden) become the layer's output.
    void operator()(Rows<Scalar> hidden_states, const Forward& forward,
                    const AttentionReport<Scalar>& report = {}) const {
        Scratch scratch;
        const Rows<Scalar> context =
            attention.self(hidden_states, forward, report, scratch);  // (rows, hidden)
        feed_forward(context, hidden_states, forward.threads);
    }
    /// out := the layer's output for forward.wanted_rows alone.
    void operator()(ConstRows<Scalar> hidden_states, const Forward& forward,
                    const AttentionReport<Scalar>& report, Rows<Scalar> out) const {
        Scratch scratch;
        const Rows<Scalar> context =
            attention.self(hidden_states, forward, report, scratch);  // (rows, hidden)
        const Rows<Scalar> wanted = scratch.rows<Scalar>(out.rows, out.cols);
        copy_rows<Scalar>(context, forward.wanted_rows, wanted);
        copy_rows<Scalar>(hidden_states, forward.wanted_rows, out);
        feed_forward(wanted, out, forward.threads);
    }

private:
    /// From the context of the attention and the layer's input, which becomes its output: for one
    /// block of rows after another, so that the wide intermediate rows stay in the cache.
    void feed_forward(ConstRows<Scalar> context, Rows<Scalar> hidden_states,
                      ThreadPool& threads) const {
        for_row_blocks(hidden_states.rows, threads, [&](Index first, Index count) {
            Scratch scratch;
            const Rows<Scalar> block = hidden_states.middle_rows(first, count);
            const Rows<Scalar> attended = scratch.rows<Scalar>(count, block.cols);
            const Rows<Scalar> wide = scratch.rows<Scalar>(count, intermediate.dense.weight.rows());
            attention.output(context.middle_rows(first, count), block, attended, threads);
            intermediate(attended, wide, threads);
            output(wide, attended, block, threads);
        });
    }
};

/// Source: modeling_nystromformer.py, class NystromformerEncoder
template <typename Scalar>
struct NystromformerEncoder {
    std::vector<NystromformerLayer<Scalar>> layer;

    static NystromformerEncoder load(const StateDict& state, const NystromformerConfig& config) {
        NystromformerEncoder encoder;
        for (Index i = 0; i < config.num_hidden_layers; ++i) {
            encoder.layer.push_back(NystromformerLayer<Scalar>::load(state["layer"][i], config));
        }
        return encoder;
    }
    void save(const StateWriter& state) const {
        for (std::size_t i = 0; i < layer.size(); ++i)
            layer[i].save(state["layer"][static_cast<Index>(i)]);
    }

    /// hidden_states (rows, hidden) become the last layer's output, or serve as its input where
    /// only some rows are wanted: those go to output.last_hidden_state (wanted, hidden).
    void operator()(Rows<Scalar> hidden_states, const Forward& forward,
                    const ForwardOptions& options, BaseModelOutput<Scalar>& output) const {
        if (options.check_finite) check_states(hidden_states, forward, {}, "embeddings");
        for (const auto& layer_module : layer) {
            const Index number = &layer_module - layer.data();
            if (options.output_hidden_states)
                output.hidden_states.emplace_back(hidden_states.map());
            const auto report = start_report(output, forward, options,
                                             layer_module.attention.self.num_heads, number);
            if (&layer_module == &layer.back() && !forward.wanted_rows.empty()) {
                layer_module(hidden_states, forward, report,
                             Rows<Scalar>(output.last_hidden_state));
                if (options.check_finite) {
                    check_states(output.last_hidden_state, forward, forward.wanted_rows,
                                 "layer " + std::to_string(number));
                }
            } else {
                Forward all_rows = forward;
                all_rows.wanted_rows = {};
                layer_module(hidden_states, all_rows, report);
                if (options.check_finite)
                    check_states(hidden_states, forward, {}, "layer " + std::to_string(number));
            }
        }
        if (options.output_hidden_states) output.hidden_states.emplace_back(hidden_states.map());
    }

private:
    static AttentionReport<Scalar> start_report(BaseModelOutput<Scalar>& output,
                                                const Forward& forward,
                                                const ForwardOptions& options, Index num_heads,
                                                Index layer_number) {
        const auto size = static_cast<std::size_t>(forward.num_sequences() * num_heads);
        AttentionReport<Scalar> report;
        if (options.output_attentions) report.attentions = &output.attentions.emplace_back(size);
        if (options.output_inverse_residuals) {
            report.residuals = &output.inverse_residuals.emplace_back(size);
        }
        report.check_finite = options.check_finite;
        report.layer = layer_number;
        return report;
    }

    /// NumericError for a state that is NaN or infinite; `rows` says which rows of the input these
    /// are, where they are not all.
    static void check_states(ConstRows<Scalar> states, const Forward& forward,
                             std::span<const Index> rows, const std::string& what) {
        for (Index i = 0; i < states.rows; ++i) {
            const Scalar* end = states.row(i) + states.cols;
            const Scalar* found = std::find_if_not(states.row(i), end, is_finite<Scalar>);
            if (found == end) continue;
            const Index row = rows.empty() ? i : rows[static_cast<std::size_t>(i)];
            const Index sequence = forward.sequence_of(row);
            throw NumericError({"",
                                what + " sequence " + std::to_string(sequence) + " row " +
                                    std::to_string(row - forward.first_row(sequence)),
                                "finite states (check_finite)", std::to_string(*found)});
        }
    }
};

}  // namespace nystromformer::detail
