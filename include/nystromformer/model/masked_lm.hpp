// SPDX-License-Identifier: MIT
// NystromformerForMaskedLM and its head.
#pragma once

#include <nystromformer/core/float_mode.hpp>
#include <nystromformer/model/loss.hpp>
#include <nystromformer/model/model.hpp>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace nystromformer {

namespace detail {

/// Source: modeling_nystromformer.py, classes NystromformerPredictionHeadTransform and
/// NystromformerLMPredictionHead
template <typename Scalar>
struct NystromformerLMPredictionHead {
    Linear<Scalar> dense;
    Activation activation;
    LayerNorm<Scalar> layer_norm;
    std::shared_ptr<const PackedMatrix<Scalar>>
        decoder;             // (vocab, hidden), shared with the embeddings if tied
    RowVector<Scalar> bias;  // (vocab)

    /// `state` is cls.predictions; `words` are the word embeddings, used where the decoder's weight
    /// is absent.
    static NystromformerLMPredictionHead load(const StateDict& state,
                                              const NystromformerConfig& config,
                                              std::shared_ptr<const PackedMatrix<Scalar>> words) {
        const Index hidden = config.hidden_size;
        const StateDict transform = state["transform"];
        return {Linear<Scalar>::load(transform["dense"], hidden, hidden), config.activation(),
                LayerNorm<Scalar>::load(transform["LayerNorm"], hidden, config.layer_norm_eps),
                load_decoder(state["decoder"], config, std::move(words)), load_bias(state, config)};
    }
    void save(const StateWriter& state, const PackedMatrix<Scalar>& words) const {
        dense.save(state["transform"]["dense"]);
        layer_norm.save(state["transform"]["LayerNorm"]);
        state.add("bias", bias);
        if (decoder.get() == &words) return;
        state["decoder"].add("weight", decoder->weight());
        state["decoder"].add("bias", bias);
    }

    Matrix<Scalar> operator()(const Matrix<Scalar>& hidden_states, ThreadPool& threads) const {
        const FlushDenormals flush;
        const Matrix<Scalar> transformed =
            layer_norm(dense(hidden_states, threads, activation));  // (rows, hidden)
        Matrix<Scalar> logits = decoder->multiply(transformed, threads);
        logits.rowwise() += bias;
        return logits;  // (rows, vocab)
    }

private:
    // transformers ties by default, and keeps a decoder of its own where the file holds other
    // values for it.
    static std::shared_ptr<const PackedMatrix<Scalar>> load_decoder(
        const StateDict& state, const NystromformerConfig& config,
        std::shared_ptr<const PackedMatrix<Scalar>> words) {
        if (!state.has("weight") && config.tie_word_embeddings) return words;
        auto own = state.matrix<Scalar>("weight", config.vocab_size, config.hidden_size);
        if (words->holds(own)) return words;
        return std::make_shared<const PackedMatrix<Scalar>>(own);
    }
    static RowVector<Scalar> load_bias(const StateDict& state, const NystromformerConfig& config) {
        if (!state.has("decoder.bias")) return state.vector<Scalar>("bias", config.vocab_size);
        state.ignore("bias");
        return state.vector<Scalar>("decoder.bias", config.vocab_size);
    }
};

}  // namespace detail

/// Source: modeling_nystromformer.py, class NystromformerForMaskedLM
template <typename Scalar = float>
class NystromformerForMaskedLM : public PreTrainedModel<NystromformerForMaskedLM<Scalar>> {
public:
    static constexpr const char* architecture = "NystromformerForMaskedLM";

    static NystromformerForMaskedLM load(const StateDict& state,
                                         const NystromformerConfig& config) {
        NystromformerForMaskedLM model;
        model.nystromformer_ =
            detail::NystromformerBody<Scalar>::load(state, config, detail::WordLayout::packed);
        model.predictions_ = detail::NystromformerLMPredictionHead<Scalar>::load(
            state["cls"]["predictions"], config,
            model.nystromformer_.embeddings.word_embeddings.packed());
        return model;
    }
    void save(const StateWriter& state) const {
        nystromformer_.save(state["nystromformer"]);
        predictions_.save(state["cls"]["predictions"],
                          *nystromformer_.embeddings.word_embeddings.packed());
    }

    /// Logits over the vocabulary for every row, and the cross entropy of `labels` where they are
    /// given.
    MaskedLMOutput<Scalar> operator()(const ModelInput<Scalar>& input,
                                      const ForwardOptions& options = {}) const {
        detail::check_labels(input, {.integers = true});
        auto output = nystromformer_(input, options, this->config(), this->threads());
        MaskedLMOutput<Scalar> result{
            std::move(output), {}, predictions_(output.last_hidden_state, this->threads())};
        if (!input.labels.empty())
            result.loss = detail::cross_entropy<Scalar>(result.logits, input.labels);
        return result;
    }

    /// Logits only for the `rows` of the stacked input: (rows.size(), vocab), in their order. The
    /// last layer is computed for those alone.
    Matrix<Scalar> logits_at(const ModelInput<Scalar>& input, const std::vector<Index>& rows,
                             const ForwardOptions& options = {}) const {
        detail::check_offsets(input.offsets);
        detail::check_wanted(rows, input.rows());
        if (rows.empty()) return Matrix<Scalar>(0, this->config().vocab_size);
        const auto output = nystromformer_(input, options, this->config(), this->threads(), rows);
        return predictions_(output.last_hidden_state, this->threads());
    }

    /// The same some rows at a time, so that their memory does not grow with rows times vocabulary:
    /// body(first, logits) gets those of rows[first] and on.
    template <typename Body>
    void for_each_logits(const ModelInput<Scalar>& input, const std::vector<Index>& rows,
                         const ForwardOptions& options, Body&& body) const {
        detail::check_offsets(input.offsets);
        detail::check_wanted(rows, input.rows());
        if (rows.empty()) return;
        const auto output = nystromformer_(input, options, this->config(), this->threads(), rows);
        const auto& states = output.last_hidden_state;
        const Index block = std::max<Index>(1, max_logits / this->config().vocab_size);
        for (Index first = 0; first < states.rows(); first += block) {
            const Index count = std::min(block, states.rows() - first);
            body(first, predictions_(states.middleRows(first, count), this->threads()));
        }
    }

private:
    static constexpr Index max_logits = Index{1} << 22;  // at once, in for_each_logits

    detail::NystromformerBody<Scalar> nystromformer_;
    detail::NystromformerLMPredictionHead<Scalar> predictions_;
};

}  // namespace nystromformer
