// SPDX-License-Identifier: MIT
// NystromformerBody: embeddings and encoder, which all models share.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/float_mode.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/forward_options.hpp>
#include <nystromformer/model/check_input.hpp>
#include <nystromformer/model/embeddings.hpp>
#include <nystromformer/model/encoder.hpp>
#include <nystromformer/model/forward_plan.hpp>
#include <nystromformer/model/weight_loader.hpp>
#include <nystromformer/model_input.hpp>
#include <nystromformer/model_output.hpp>
#include <nystromformer/state_dict.hpp>
#include <nystromformer/threads.hpp>

#include <span>

namespace nystromformer::inline v0_2::detail {

/// The scope that holds the word embeddings' weight: some writers keep it only under the name of
/// the tied decoder.
inline WeightLoader word_scope(const WeightLoader& state) {
    const WeightLoader words = state["nystromformer"]["embeddings"]["word_embeddings"];
    const WeightLoader decoder = state["cls"]["predictions"]["decoder"];
    return !words.has("weight") && decoder.has("weight") ? decoder : words;
}

/// Source: transformers 4.57.6, modeling_nystromformer.py, class NystromformerModel
template <typename Scalar>
struct NystromformerBody {
    NystromformerEmbeddings<Scalar> embeddings;
    NystromformerEncoder<Scalar> encoder;

    /// `root` is the top of the checkpoint.
    static NystromformerBody load(const WeightLoader& root, const NystromformerConfig& config,
                                  WordLayout words = WordLayout::rows) {
        const WeightLoader state = root["nystromformer"];
        return {NystromformerEmbeddings<Scalar>::load(state, word_scope(root), config, words),
                NystromformerEncoder<Scalar>::load(state["encoder"], config)};
    }
    void save(const StateWriter& state) const {
        embeddings.save(state);
        encoder.save(state["encoder"]);
    }
    /// Into `output`, whose memory is used again; `wanted`: the rows of last_hidden_state, in their
    /// order, or none for all.
    void operator()(const ModelInput<Scalar>& input, const ForwardOptions& options,
                    const NystromformerConfig& config, ThreadPool& threads,
                    std::span<const Index> wanted, BaseModelOutput<Scalar>& output) const {
        check_input(input, config);
        const FlushDenormals flush;
        const ForwardPlan plan =
            resolve(options, config, input.offsets, input.attention_mask, threads);
        output.hidden_states.clear();
        output.attentions.clear();
        output.nystrom_factors.clear();
        output.inverse_residuals.clear();
        resize(output.last_hidden_state,
               wanted.empty() ? input.rows() : static_cast<Index>(wanted.size()),
               config.hidden_size);
        if (wanted.empty()) {
            const Rows<Scalar> x(output.last_hidden_state);
            embeddings(input, plan, x);
            encoder(x, plan, options, {}, output);
            return;
        }
        Scratch scratch;
        const Rows<Scalar> x = scratch.rows<Scalar>(input.rows(), config.hidden_size);
        embeddings(input, plan, x);
        // The last of all hidden states has every row.
        const bool needs_all = options.output_hidden_states || encoder.layer.empty();
        encoder(x, plan, options, needs_all ? std::span<const Index>() : wanted, output);
        if (needs_all) copy_rows<Scalar>(x, wanted, Rows<Scalar>(output.last_hidden_state));
    }
};

}  // namespace nystromformer::inline v0_2::detail
