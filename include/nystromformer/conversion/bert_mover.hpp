// SPDX-License-Identifier: MIT
// BertMover: gives each tensor of a BERT its name in the Nystromformer that equals it.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/config.hpp>
#include <nystromformer/conversion/bert_tensors.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/model/head_kind.hpp>
#include <nystromformer/model/tensor_names.hpp>

#include <string>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Gives each tensor its new name. The paths are Nystromformer's.
class BertMover {
public:
    /// From the tensors of `source` to those of `config` with this head. All must outlive this.
    BertMover(const NystromformerConfig& source, const NystromformerConfig& config, HeadKind head,
              const Checkpoint& checkpoint, MovedTensors& tensors)
        : source_(source),
          config_(config),
          head_(head),
          from_(source_, checkpoint),
          to_(config_, head_ == HeadKind::none ? "" : "nystromformer"),
          tensors_(tensors) {}

    void move() {
        move_embeddings();
        for (Index i = 0; i < config_.num_hidden_layers; ++i)
            move_layer(encoder + "encoder.layer." + std::to_string(i) + '.');
        move_head();
    }

private:
    void move(const std::string& path, const std::vector<Index>& shape) {
        tensors_.move(from_(path), to_(path), shape);
    }
    void linear(const std::string& path, Index rows, Index cols) {
        move(path + ".weight", {rows, cols});
        move(path + ".bias", {rows});
    }
    void layer_norm(const std::string& path) {
        move(path + ".weight", {config_.hidden_size});
        move(path + ".bias", {config_.hidden_size});
    }

    // Some writers keep only the tied decoder's name for the word embeddings.
    std::string words() const {
        const std::string name = from_(encoder + "embeddings.word_embeddings.weight");
        return tensors_.has(name) || !tensors_.has(from_(decoder)) ? name : from_(decoder);
    }

    void move_embeddings() {
        const std::string scope = encoder + "embeddings.";
        tensors_.ignore(from_(scope + "position_ids"));  // buffers that old files hold
        tensors_.ignore(from_(scope + "token_type_ids"));
        tensors_.move(words(), to_(scope + "word_embeddings.weight"),
                      {config_.vocab_size, config_.hidden_size});
        const std::string positions = scope + "position_embeddings.weight";
        tensors_.move_rows(from_(positions), to_(positions), source_.position_rows(),
                           config_.hidden_size, position_rows());
        const std::string types = scope + "token_type_embeddings.weight";
        if (source_.type_vocab_size > 0) {
            move(types, {config_.type_vocab_size, config_.hidden_size});
        } else {
            tensors_.add_zeros(to_(types), {config_.type_vocab_size, config_.hidden_size});
        }
        layer_norm(scope + "LayerNorm");
    }

    /// The row of the source for each row of the new table. No text has the first; the second is
    /// that of tokens that are not counted.
    std::vector<Index> position_rows() const {
        const Index first = source_.first_position(), count = source_.max_length();
        std::vector<Index> rows;
        for (Index i = -2; i < 0; ++i) rows.push_back(first + i < 0 ? -1 : first + i);
        for (Index i = 0; i < config_.max_position_embeddings; ++i)
            rows.push_back(first + i % count);
        return rows;
    }

    void move_layer(const std::string& scope) {
        const Index hidden = config_.hidden_size, intermediate = config_.intermediate_size;
        const std::string self = scope + "attention.self.";
        for (const char* part : {"query", "key", "value"}) linear(self + part, hidden, hidden);
        tensors_.add_zeros(to_(self + "conv.weight"),
                           {config_.num_attention_heads, 1, *config_.conv_kernel_size, 1});
        linear(scope + "attention.output.dense", hidden, hidden);
        layer_norm(scope + "attention.output.LayerNorm");
        linear(scope + "intermediate.dense", intermediate, hidden);
        linear(scope + "output.dense", hidden, intermediate);
        layer_norm(scope + "output.LayerNorm");
    }

    void move_head() {
        const Index hidden = config_.hidden_size, labels = config_.num_labels;
        switch (head_) {
            case HeadKind::masked_lm:
                return move_masked_lm();
            case HeadKind::sequence_classification:
                linear("classifier.dense", hidden, hidden);
                return linear("classifier.out_proj", labels, hidden);
            case HeadKind::multiple_choice:
                linear("pre_classifier", hidden, hidden);
                return linear("classifier", 1, hidden);
            case HeadKind::token_classification:
                return linear("classifier", labels, hidden);
            case HeadKind::question_answering:
                return linear("qa_outputs", 2, hidden);
            case HeadKind::none:
                return;
        }
    }

    void move_masked_lm() {
        const Index hidden = config_.hidden_size, vocab = config_.vocab_size;
        const std::string scope = "cls.predictions.", bias = scope + "bias",
                          decoder_bias = scope + "decoder.bias";
        linear(scope + "transform.dense", hidden, hidden);
        layer_norm(scope + "transform.LayerNorm");
        // The bias has two names. transformers adds that of the decoder.
        const std::string added = from_(tensors_.has(from_(decoder_bias)) ? decoder_bias : bias);
        tensors_.move(added, to_(bias), {vocab});
        tensors_.ignore(from_(bias));
        if (config_.tie_word_embeddings &&
            (!tensors_.has(from_(decoder)) || tensors_.same(from_(decoder), words()))) {
            return tensors_.ignore(from_(decoder));
        }
        move(decoder, {vocab, hidden});
        if (to_(decoder_bias) != to_(bias)) tensors_.move(added, to_(decoder_bias), {vocab});
    }

    static inline const std::string encoder = "nystromformer.",
                                    decoder = "cls.predictions.decoder.weight";

    const NystromformerConfig& source_;
    const NystromformerConfig& config_;
    HeadKind head_;
    TensorNames from_, to_;
    MovedTensors& tensors_;
};

}  // namespace nystromformer::inline v0_2::detail
