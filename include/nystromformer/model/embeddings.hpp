// SPDX-License-Identifier: MIT
// NystromformerEmbeddings: word + token type + position, then layer norm.
#pragma once

#include <nystromformer/model/input.hpp>
#include <nystromformer/model/layers.hpp>
#include <nystromformer/model/options.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace nystromformer::detail {

/// Source: modeling_nystromformer.py, class NystromformerEmbeddings
template <typename Scalar>
struct NystromformerEmbeddings {
    // Packed as the masked-LM decoder reads it, so that tied weights are kept once.
    std::shared_ptr<const PackedMatrix<Scalar>> word_embeddings;  // (vocab, hidden)
    Matrix<Scalar> position_embeddings;                           // (max_positions + 2, hidden)
    Matrix<Scalar> token_type_embeddings;                         // (types, hidden)
    LayerNorm<Scalar> layer_norm;

    /// `words` is the scope of the word embeddings' weight: `state["word_embeddings"]`, or the tied
    /// decoder.
    static NystromformerEmbeddings load(const StateDict& state, const StateDict& words,
                                        const NystromformerConfig& config) {
        const Index hidden = config.hidden_size;
        state.ignore("position_ids");  // buffers that old files hold
        state.ignore("token_type_ids");
        return {
            std::make_shared<const PackedMatrix<Scalar>>(
                words.matrix<Scalar>("weight", config.vocab_size, hidden)),
            state["position_embeddings"].matrix<Scalar>("weight",
                                                        config.max_position_embeddings + 2, hidden),
            state["token_type_embeddings"].matrix<Scalar>("weight", config.type_vocab_size, hidden),
            LayerNorm<Scalar>::load(state["LayerNorm"], hidden, config.layer_norm_eps)};
    }
    void save(const StateWriter& state) const {
        state["word_embeddings"].add("weight", word_embeddings->weight());
        state["position_embeddings"].add("weight", position_embeddings);
        state["token_type_embeddings"].add("weight", token_type_embeddings);
        layer_norm.save(state["LayerNorm"]);
    }

    /// (rows, hidden)
    Matrix<Scalar> operator()(const ModelInput<Scalar>& input, const Forward& forward) const {
        Matrix<Scalar> embeddings(input.rows(), layer_norm.weight.size());
        for_row_blocks(input.rows(), forward.threads, [&](Index first, Index count) {
            Index sequence = forward.sequence_of(first);
            for (Index row = first; row < first + count; ++row) {
                if (row == forward.first_row(sequence + 1)) ++sequence;
                add_up(input, row, row - forward.first_row(sequence), embeddings);
            }
            const Rows<Scalar> block = Rows<Scalar>(embeddings).middle_rows(first, count);
            layer_norm(block, Rows<Scalar>(), block);
        });
        return embeddings;
    }

private:
    /// The sum of the three embeddings of `row`, the i-th of its sequence.
    void add_up(const ModelInput<Scalar>& input, Index row, Index i,
                Matrix<Scalar>& embeddings) const {
        const auto at = static_cast<std::size_t>(row);
        if (input.inputs_embeds.size() == 0) {
            word_embeddings->copy_row(input.input_ids[at], embeddings.row(row).data());
        } else {
            embeddings.row(row) = input.inputs_embeds.row(row);
        }
        const Index type = input.token_type_ids.empty() ? 0 : input.token_type_ids[at];
        const Index position = input.position_ids.empty() ? i + 2 : input.position_ids[at];
        embeddings.row(row) += token_type_embeddings.row(type);
        embeddings.row(row) += position_embeddings.row(position);
    }
};

}  // namespace nystromformer::detail
