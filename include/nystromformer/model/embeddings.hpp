// SPDX-License-Identifier: MIT
// NystromformerEmbeddings: word + token type + position, then layer norm.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/model/forward_plan.hpp>
#include <nystromformer/model/input.hpp>
#include <nystromformer/model/layers.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

namespace nystromformer::detail {

/// How word embeddings are kept: by rows, or packed as the decoder of a masked-LM head, so that
/// tied weights are kept once.
enum class WordLayout { rows, packed };

/// The word embeddings, (vocab, hidden).
template <typename Scalar>
class WordEmbeddings {
public:
    WordEmbeddings() = default;
    WordEmbeddings(Index vocab_size, Index hidden_size, const WeightRows<Scalar>& weight,
                   WordLayout layout, ThreadPool& threads)
        : vocab_size_(vocab_size), hidden_size_(hidden_size) {
        if (layout == WordLayout::packed) {
            packed_ = std::make_shared<const PackedMatrix<Scalar>>(vocab_size, hidden_size, weight,
                                                                   RowVector<Scalar>(), threads);
            return;
        }
        rows_ = AlignedBuffer<Scalar>(vocab_size * hidden_size);
        for_row_blocks(vocab_size, threads, [&](Index first, Index count) {
            weight(first, count, rows_.data() + first * hidden_size_);
        });
    }

    void copy_row(Index row, Scalar* out) const {
        if (packed_) return packed_->copy_row(row, out);
        std::copy_n(rows_.data() + row * hidden_size_, hidden_size_, out);
    }
    /// Null if they are kept by rows.
    const std::shared_ptr<const PackedMatrix<Scalar>>& packed() const { return packed_; }

    Matrix<Scalar> weight() const {
        if (packed_) return packed_->weight();
        return Eigen::Map<const Matrix<Scalar>>(rows_.data(), vocab_size_, hidden_size_);
    }

private:
    Index vocab_size_ = 0, hidden_size_ = 0;
    AlignedBuffer<Scalar> rows_;
    std::shared_ptr<const PackedMatrix<Scalar>> packed_;
};

/// Source: modeling_nystromformer.py, class NystromformerEmbeddings
template <typename Scalar>
struct NystromformerEmbeddings {
    WordEmbeddings<Scalar> word_embeddings;
    Matrix<Scalar> position_embeddings;    // (max_positions + 2, hidden)
    Matrix<Scalar> token_type_embeddings;  // (types, hidden)
    LayerNorm<Scalar> layer_norm;

    /// `words` is the scope of the word embeddings' weight: `state["word_embeddings"]`, or the tied
    /// decoder.
    static NystromformerEmbeddings load(const WeightLoader& state, const WeightLoader& words,
                                        const NystromformerConfig& config, WordLayout layout) {
        const Index hidden = config.hidden_size;
        state.ignore("position_ids");  // buffers in old files
        state.ignore("token_type_ids");
        return {
            {config.vocab_size, hidden,
             words.weight_rows<Scalar>("weight", config.vocab_size, hidden), layout,
             words.threads()},
            state["position_embeddings"].matrix<Scalar>("weight",
                                                        config.max_position_embeddings + 2, hidden),
            state["token_type_embeddings"].matrix<Scalar>("weight", config.type_vocab_size, hidden),
            LayerNorm<Scalar>::load(state["LayerNorm"], hidden, config.layer_norm_eps)};
    }
    void save(const StateWriter& state) const {
        state["word_embeddings"].add("weight", word_embeddings.weight());
        state["position_embeddings"].add("weight", position_embeddings);
        state["token_type_embeddings"].add("weight", token_type_embeddings);
        layer_norm.save(state["LayerNorm"]);
    }

    /// embeddings: (rows, hidden)
    void operator()(const ModelInput<Scalar>& input, const ForwardPlan& plan,
                    Rows<Scalar> embeddings) const {
        for_row_blocks(input.rows(), plan.threads, [&](Index first, Index count) {
            Index sequence = plan.sequence_of(first);
            for (Index row = first; row < first + count; ++row) {
                while (row == plan.first_row(sequence + 1)) ++sequence;
                add_up(input, row, row - plan.first_row(sequence), embeddings.row(row));
            }
            const Rows<Scalar> block = embeddings.middle_rows(first, count);
            layer_norm(block, Rows<Scalar>(), block);
        });
    }

private:
    /// sum := the three embeddings of `row`, the i-th of its sequence.
    void add_up(const ModelInput<Scalar>& input, Index row, Index i, Scalar* sum) const {
        const auto at = static_cast<std::size_t>(row);
        if (input.inputs_embeds.size() == 0) {
            word_embeddings.copy_row(input.input_ids[at], sum);
        } else {
            std::copy_n(input.inputs_embeds.row(row).data(), input.inputs_embeds.cols(), sum);
        }
        const Index type = input.token_type_ids.empty() ? 0 : input.token_type_ids[at];
        const Index position = input.position_ids.empty() ? i + 2 : input.position_ids[at];
        const Scalar* type_row = token_type_embeddings.row(type).data();
        const Scalar* position_row = position_embeddings.row(position).data();
        for (Index col = 0; col < layer_norm.weight.size(); ++col)
            sum[col] = sum[col] + type_row[col] + position_row[col];
    }
};

}  // namespace nystromformer::detail
