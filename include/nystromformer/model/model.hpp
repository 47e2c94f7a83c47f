// SPDX-License-Identifier: MIT
// NystromformerModel: embeddings and encoder.
#pragma once

#include <nystromformer/model/embeddings.hpp>
#include <nystromformer/model/encoder.hpp>
#include <nystromformer/model/pretrained.hpp>

#include <utility>

namespace nystromformer {

namespace detail {

/// The encoder that all heads share, without what PreTrainedModel adds.
template <typename Scalar>
struct NystromformerBody {
    NystromformerEmbeddings<Scalar> embeddings;
    NystromformerEncoder<Scalar> encoder;

    /// `root` is the top of the checkpoint.
    static NystromformerBody load(const StateDict& root, const NystromformerConfig& config) {
        const StateDict state = encoder_scope(root);
        return {
            NystromformerEmbeddings<Scalar>::load(state["embeddings"], word_scope(root), config),
            NystromformerEncoder<Scalar>::load(state["encoder"], config)};
    }
    void save(const StateWriter& state) const {
        embeddings.save(state["embeddings"]);
        encoder.save(state["encoder"]);
    }
    BaseModelOutput<Scalar> operator()(const ModelInput<Scalar>& input,
                                       const ForwardOptions& options,
                                       const NystromformerConfig& config,
                                       ThreadPool& threads) const {
        check_input(input, config);
        const Forward forward =
            resolve(options, config, input.offsets, input.attention_mask, threads);
        return encoder(embeddings(input, forward), forward, options);
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
        return body_(input, options, this->config(), this->threads());
    }

private:
    detail::NystromformerBody<Scalar> body_;
};

}  // namespace nystromformer
