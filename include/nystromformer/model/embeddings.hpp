// SPDX-License-Identifier: MIT
// NystromformerEmbeddings: word + token type + position, then layer norm; for ELECTRA projected.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/model/forward_plan.hpp>
#include <nystromformer/model/layers.hpp>
#include <nystromformer/model_input.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace nystromformer::inline v0_2::detail {

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

/// Source: modeling_nystromformer.py, class NystromformerEmbeddings; modeling_electra.py, class
/// ElectraModel, for the projection
template <typename Scalar>
struct NystromformerEmbeddings {
    WordEmbeddings<Scalar> word_embeddings;
    Matrix<Scalar> position_embeddings;    // (position rows, width)
    Matrix<Scalar> token_type_embeddings;  // (types, width); no types: none are added
    LayerNorm<Scalar> layer_norm;
    std::optional<Linear<Scalar>> embeddings_project;  // width to hidden, if they differ
    Index first_position;
    std::optional<Index> uncounted_id;

    /// `words` is the scope of the word embeddings' weight: `state["word_embeddings"]`, or the tied
    /// decoder. `model` is the scope around `state`.
    static NystromformerEmbeddings load(const WeightLoader& model, const WeightLoader& words,
                                        const NystromformerConfig& config, WordLayout layout) {
        const WeightLoader state = model["embeddings"];
        const Index width = config.embedding_width(), types = config.type_vocab_size;
        state.ignore("position_ids");  // buffers in old files
        state.ignore("token_type_ids");
        NystromformerEmbeddings embeddings{
            {config.vocab_size, width,
             words.weight_rows<Scalar>("weight", config.vocab_size, width), layout,
             words.threads()},
            state["position_embeddings"].matrix<Scalar>("weight", config.position_rows(), width),
            types == 0 ? Matrix<Scalar>()
                       : state["token_type_embeddings"].matrix<Scalar>("weight", types, width),
            LayerNorm<Scalar>::load(state["LayerNorm"], width, config.layer_norm_eps),
            std::nullopt,
            config.first_position(),
            config.uncounted_id()};
        if (width != config.hidden_size) {
            embeddings.embeddings_project = Linear<Scalar>::load(
                model.in_fp32()["embeddings_project"], width, config.hidden_size);
        }
        return embeddings;
    }
    void save(const StateWriter& model) const {
        const StateWriter state = model["embeddings"];
        state["word_embeddings"].add("weight", word_embeddings.weight());
        state["position_embeddings"].add("weight", position_embeddings);
        if (token_type_embeddings.rows() > 0)
            state["token_type_embeddings"].add("weight", token_type_embeddings);
        layer_norm.save(state["LayerNorm"]);
        if (embeddings_project) embeddings_project->save(model["embeddings_project"]);
    }

    /// embeddings: (rows, hidden)
    void operator()(const ModelInput<Scalar>& input, const ForwardPlan& plan,
                    Rows<Scalar> embeddings) const {
        for_row_blocks(input.rows(), plan.threads, [&](Index first, Index count) {
            Scratch scratch;
            const Rows<Scalar> block = embeddings.middle_rows(first, count);
            const Rows<Scalar> sums =
                embeddings_project ? scratch.rows<Scalar>(count, layer_norm.weight.size()) : block;
            add_up(input, plan, first, sums);
            layer_norm(sums, Rows<Scalar>(), sums);
            if (embeddings_project) (*embeddings_project)(sums, block, plan.threads);
        });
    }

private:
    /// sums := the three embeddings of the rows from `first` on.
    void add_up(const ModelInput<Scalar>& input, const ForwardPlan& plan, Index first,
                Rows<Scalar> sums) const {
        Index sequence = plan.sequence_of(first);
        Index position = first_position + first - plan.first_row(sequence);
        for (Index row = plan.first_row(sequence); uncounted_id && row < first; ++row)
            position -= !is_counted(input, row);
        for (Index i = 0; i < sums.rows; ++i) {
            const Index row = first + i;
            while (row == plan.first_row(sequence + 1)) {
                ++sequence;
                position = first_position;
            }
            const bool counts = is_counted(input, row);
            add_up(input, row, counts ? position : first_position - 1, sums.row(i));
            position += counts;
        }
    }
    bool is_counted(const ModelInput<Scalar>& input, Index row) const {
        return !uncounted_id || input.input_ids.empty() ||
               input.input_ids[static_cast<std::size_t>(row)] != *uncounted_id;
    }
    /// sum := the three embeddings of `row`, which is at `position` unless the input says
    /// otherwise.
    void add_up(const ModelInput<Scalar>& input, Index row, Index position, Scalar* sum) const {
        const auto at = static_cast<std::size_t>(row);
        if (input.inputs_embeds.size() == 0) {
            word_embeddings.copy_row(input.input_ids[at], sum);
        } else {
            std::copy_n(input.inputs_embeds.row(row).data(), input.inputs_embeds.cols(), sum);
        }
        if (!input.position_ids.empty()) position = input.position_ids[at];
        const Scalar* position_row = position_embeddings.row(position).data();
        if (token_type_embeddings.rows() == 0) {
            for (Index col = 0; col < layer_norm.weight.size(); ++col)
                sum[col] = sum[col] + position_row[col];
            return;
        }
        const Index type = input.token_type_ids.empty() ? 0 : input.token_type_ids[at];
        const Scalar* type_row = token_type_embeddings.row(type).data();
        for (Index col = 0; col < layer_norm.weight.size(); ++col)
            sum[col] = sum[col] + type_row[col] + position_row[col];
    }
};

}  // namespace nystromformer::inline v0_2::detail
