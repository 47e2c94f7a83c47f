// SPDX-License-Identifier: MIT
// NystromformerModel: embeddings and encoder.
#pragma once

#include <nystromformer/core/float_mode.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/model/embeddings.hpp>
#include <nystromformer/model/encoder.hpp>
#include <nystromformer/model/pretrained.hpp>

#include <span>
#include <utility>

namespace nystromformer {

namespace detail {

/// The encoder that all heads share, without what PreTrainedModel adds.
template <typename Scalar>
struct NystromformerBody {
    NystromformerEmbeddings<Scalar> embeddings;
    NystromformerEncoder<Scalar> encoder;

    /// `root` is the top of the checkpoint; `words` is packed for a masked-LM head.
    static NystromformerBody load(const StateDict& root, const NystromformerConfig& config,
                                  WordLayout words = WordLayout::rows) {
        const StateDict state = encoder_scope(root);
        return {NystromformerEmbeddings<Scalar>::load(state["embeddings"], word_scope(root), config,
                                                      words),
                NystromformerEncoder<Scalar>::load(state["encoder"], config)};
    }
    void save(const StateWriter& state) const {
        embeddings.save(state["embeddings"]);
        encoder.save(state["encoder"]);
    }
    /// Into `output`, whose memory is used again; `rows`: those of last_hidden_state that are
    /// wanted, in their order, or none for all.
    void operator()(const ModelInput<Scalar>& input, const ForwardOptions& options,
                    const NystromformerConfig& config, ThreadPool& threads,
                    BaseModelOutput<Scalar>& output, std::span<const Index> rows = {}) const {
        check_input(input, config);
        const FlushDenormals flush;
        Forward forward = resolve(options, config, input.offsets, input.attention_mask, threads);
        output.hidden_states.clear();
        output.attentions.clear();
        output.inverse_residuals.clear();
        Scratch scratch;
        const Index all = input.rows(), wanted = static_cast<Index>(rows.size());
        resize(output.last_hidden_state, rows.empty() ? all : wanted, config.hidden_size);
        const Rows<Scalar> hidden_states = rows.empty()
                                               ? Rows<Scalar>(output.last_hidden_state)
                                               : scratch.rows<Scalar>(all, config.hidden_size);
        // The last of all hidden states has every row.
        if (!options.output_hidden_states) forward.wanted_rows = rows;
        embeddings(input, forward, hidden_states);
        encoder(hidden_states, forward, options, output);
        if (!rows.empty() && (options.output_hidden_states || encoder.layer.empty()))
            copy_rows<Scalar>(hidden_states, rows, Rows<Scalar>(output.last_hidden_state));
    }
    BaseModelOutput<Scalar> operator()(const ModelInput<Scalar>& input,
                                       const ForwardOptions& options,
                                       const NystromformerConfig& config, ThreadPool& threads,
                                       std::span<const Index> rows = {}) const {
        BaseModelOutput<Scalar> output;
        (*this)(input, options, config, threads, output, rows);
        return output;
    }
};

}  // namespace detail

/// The bare encoder. Source: modeling_nystromformer.py, class NystromformerModel
template <typename Scalar = float>
class NystromformerModel : public PreTrainedModel<NystromformerModel<Scalar>> {
public:
    static constexpr const char* architecture = "NystromformerModel";

    static NystromformerModel load(const StateDict& state, const NystromformerConfig& config) {
        NystromformerModel model;
        model.body_ = detail::NystromformerBody<Scalar>::load(state, config);
        return model;
    }
    void save(const StateWriter& state) const { body_.save(state); }

    /// (rows) ids to (rows, hidden) states. InputError where the input does not fit the model.
    BaseModelOutput<Scalar> operator()(const ModelInput<Scalar>& input,
                                       const ForwardOptions& options = {}) const {
        detail::check_labels(input, {});
        return body_(input, options, this->config(), this->threads());
    }
    /// The same into `output`, whose memory is used again: a second call of the same lengths
    /// allocates nothing, unless it is to report hidden states, attentions or residuals.
    void operator()(const ModelInput<Scalar>& input, const ForwardOptions& options,
                    BaseModelOutput<Scalar>& output) const {
        detail::check_labels(input, {});
        body_(input, options, this->config(), this->threads(), output);
    }
    /// last_hidden_state at `rows` of the stacked input alone, in their order: (rows, hidden). The
    /// last layer computes what they need. InputError for a row that is none of the input's.
    BaseModelOutput<Scalar> states_at(const ModelInput<Scalar>& input, std::span<const Index> rows,
                                      const ForwardOptions& options = {}) const {
        detail::check_offsets(input.offsets);
        detail::check_wanted(rows, input.rows());
        return body_(input, options, this->config(), this->threads(), rows);
    }

private:
    detail::NystromformerBody<Scalar> body_;
};

}  // namespace nystromformer
