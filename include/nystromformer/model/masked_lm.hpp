// SPDX-License-Identifier: MIT
// The head of NystromformerForMaskedLM.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/float_mode.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/kernels/activations.hpp>
#include <nystromformer/kernels/weights/packed_matrix.hpp>
#include <nystromformer/model/classification.hpp>
#include <nystromformer/model/family.hpp>
#include <nystromformer/model/head_kind.hpp>
#include <nystromformer/model/layers.hpp>
#include <nystromformer/model/model_body.hpp>
#include <nystromformer/model/weight_loader.hpp>
#include <nystromformer/state_dict.hpp>
#include <nystromformer/threads.hpp>

#include <memory>
#include <utility>

namespace nystromformer::inline v0_2::detail {

/// Source: transformers 4.57.6, modeling_nystromformer.py, classes
/// NystromformerPredictionHeadTransform and NystromformerLMPredictionHead
template <typename Scalar>
struct NystromformerLMPredictionHead {
    Linear<Scalar> dense;
    Activation activation;
    LayerNorm<Scalar> layer_norm;
    // (vocab, width of the embeddings), shared with them if tied
    std::shared_ptr<const PackedMatrix<Scalar>> decoder;
    RowVector<Scalar> bias;  // (vocab)

    /// `state` is cls.predictions; `words` are the word embeddings, the decoder's weight if it has
    /// none of its own.
    static NystromformerLMPredictionHead load(const WeightLoader& state,
                                              const NystromformerConfig& config,
                                              std::shared_ptr<const PackedMatrix<Scalar>> words) {
        const Index width = config.embedding_width();
        const WeightLoader transform = state["transform"];
        return {Linear<Scalar>::load(transform["dense"], config.hidden_size, width),
                head_activation(&Family::masked_lm, config),
                LayerNorm<Scalar>::load(transform["LayerNorm"], width, config.layer_norm_eps),
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
            layer_norm(dense(hidden_states, threads, activation));  // (rows, width)
        Matrix<Scalar> logits = decoder->multiply(transformed, threads);
        logits.rowwise() += bias;
        return logits;  // (rows, vocab)
    }

private:
    // transformers ties by default, but keeps a decoder of its own if the file holds other values
    // for it.
    static std::shared_ptr<const PackedMatrix<Scalar>> load_decoder(
        const WeightLoader& state, const NystromformerConfig& config,
        std::shared_ptr<const PackedMatrix<Scalar>> words) {
        if (!state.has("weight") && config.tie_word_embeddings) return words;
        auto own = state.matrix<Scalar>("weight", config.vocab_size, config.embedding_width());
        if (words->holds(own)) return words;
        return std::make_shared<const PackedMatrix<Scalar>>(own);
    }
    static RowVector<Scalar> load_bias(const WeightLoader& state,
                                       const NystromformerConfig& config) {
        if (!state.has("decoder.bias") && config.tie_word_embeddings && state.has("bias"))
            return state.vector<Scalar>("bias", config.vocab_size);
        state.ignore("bias");
        // transformers makes a bias that the file lacks, of zeros.
        if (!state.has("decoder.bias")) return RowVector<Scalar>::Zero(config.vocab_size);
        return state.vector<Scalar>("decoder.bias", config.vocab_size);
    }
};

/// Source: transformers 4.57.6, modeling_nystromformer.py, class NystromformerOnlyMLMHead
template <typename Scalar>
struct MaskedLMHead {
    static constexpr WordLayout word_layout = WordLayout::packed;
    static constexpr HeadKind kind = HeadKind::masked_lm;

    NystromformerLMPredictionHead<Scalar> predictions;

    static MaskedLMHead load(const WeightLoader& root, const NystromformerConfig& config,
                             const NystromformerBody<Scalar>& body) {
        return {NystromformerLMPredictionHead<Scalar>::load(
            root["cls"]["predictions"], config, body.embeddings.word_embeddings.packed())};
    }
    void save(const StateWriter& root, const NystromformerBody<Scalar>& body) const {
        predictions.save(root["cls"]["predictions"], *body.embeddings.word_embeddings.packed());
    }
    /// (rows, hidden) to (rows, vocab)
    Matrix<Scalar> operator()(const Matrix<Scalar>& hidden_states, ThreadPool& threads) const {
        return predictions(hidden_states, threads);
    }
};

}  // namespace nystromformer::inline v0_2::detail
