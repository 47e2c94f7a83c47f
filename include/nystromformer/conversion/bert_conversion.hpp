// SPDX-License-Identifier: MIT
// The weights of a BERT or RoBERTa under the names of the Nystromformer that equals it: exact
// attention, a convolution of zeros, and two rows before the positions.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/conversion/bert_config.hpp>
#include <nystromformer/conversion/bert_tensors.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::detail {

/// What a BERT folder becomes.
struct BertConversion {
    BertConfig source;
    NystromformerConfig config;
    MovedTensors tensors;

    /// Opens the folder and checks everything that will be written. The errors of
    /// BertConfig::from_pretrained and Checkpoint::open, TensorError for weights that do not fit
    /// the config, and InputError for `max_positions` below those of the source.
    static BertConversion load(const std::filesystem::path& folder,
                               const ConversionOptions& options = {});
};

/// Gives each tensor its new name; `from` and `to` are scopes with their final dot, or "".
class BertNames {
public:
    BertNames(const BertConfig& source, const NystromformerConfig& config, MovedTensors& tensors)
        : source_(source), config_(config), tensors_(tensors) {
        const std::string scope = std::string(source.family->scope) + '.';
        if (tensors.has(scope + "embeddings.position_embeddings.weight")) from_ = scope;
        if (source.head != BertHead::none) to_ = "nystromformer.";
    }

    void move() {
        move_embeddings();
        for (Index i = 0; i < config_.num_hidden_layers; ++i)
            move_layer("encoder.layer." + std::to_string(i) + '.');
        move_head();
    }

private:
    void linear(const std::string& name, Index rows, Index cols) {
        tensors_.move_linear(from_ + name, to_ + name, rows, cols);
    }
    void layer_norm(const std::string& name) {
        tensors_.move_layer_norm(from_ + name, to_ + name, config_.hidden_size);
    }

    // Some writers keep only the tied decoder's name for the word embeddings.
    std::string words() const {
        const std::string name = from_ + "embeddings.word_embeddings.weight";
        return tensors_.has(name) || !tensors_.has(decoder()) ? name : decoder();
    }
    std::string decoder() const {
        return source_.family->is_roberta ? "lm_head.decoder.weight"
                                          : "cls.predictions.decoder.weight";
    }

    void move_embeddings() {
        const std::string scope = "embeddings.";
        tensors_.ignore(from_ + scope + "position_ids");  // buffers that old files hold
        tensors_.ignore(from_ + scope + "token_type_ids");
        tensors_.move(words(), to_ + scope + "word_embeddings.weight",
                      {config_.vocab_size, config_.hidden_size});
        const std::string positions = scope + "position_embeddings.weight";
        tensors_.move_rows(from_ + positions, to_ + positions, source_.position_rows,
                           config_.hidden_size, position_rows());
        const std::string types = scope + "token_type_embeddings.weight";
        tensors_.move(from_ + types, to_ + types, {config_.type_vocab_size, config_.hidden_size});
        layer_norm(scope + "LayerNorm");
    }

    /// The row of the source for each row of the new table, whose first two no text has.
    std::vector<Index> position_rows() const {
        const Index first = source_.first_position, count = source_.position_rows - first;
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
        tensors_.add_zeros(to_ + self + "conv.weight",
                           {config_.num_attention_heads, 1, *config_.conv_kernel_size, 1});
        linear(scope + "attention.output.dense", hidden, hidden);
        layer_norm(scope + "attention.output.LayerNorm");
        linear(scope + "intermediate.dense", intermediate, hidden);
        linear(scope + "output.dense", hidden, intermediate);
        layer_norm(scope + "output.LayerNorm");
    }

    void move_head() {
        const Index hidden = config_.hidden_size, labels = config_.num_labels;
        switch (source_.head) {
            case BertHead::masked_lm:
                return move_masked_lm();
            case BertHead::sequence_classification:
                if (source_.family->is_roberta) {
                    tensors_.move_linear("classifier.dense", "classifier.dense", hidden, hidden);
                    tensors_.move_linear("classifier.out_proj", "classifier.out_proj", labels,
                                         hidden);
                } else {  // tanh(pooler.dense) is the classifier's first half
                    tensors_.move_linear(from_ + "pooler.dense", "classifier.dense", hidden,
                                         hidden);
                    tensors_.move_linear("classifier", "classifier.out_proj", labels, hidden);
                }
                return;
            case BertHead::token_classification:
                return tensors_.move_linear("classifier", "classifier", labels, hidden);
            case BertHead::question_answering:
                return tensors_.move_linear("qa_outputs", "qa_outputs", 2, hidden);
            case BertHead::multiple_choice:  // refused by its config
            case BertHead::none:
                return;
        }
    }

    void move_masked_lm() {
        const Index hidden = config_.hidden_size, vocab = config_.vocab_size;
        const std::string to = "cls.predictions.";
        const bool roberta = source_.family->is_roberta;
        const std::string from = roberta ? "lm_head." : "cls.predictions.";
        const std::string transform = roberta ? from : from + "transform.";
        tensors_.move_linear(transform + "dense", to + "transform.dense", hidden, hidden);
        tensors_.move_layer_norm(transform + (roberta ? "layer_norm" : "LayerNorm"),
                                 to + "transform.LayerNorm", hidden);
        // Of the two names of the bias that of the decoder is the one that is added.
        const std::string own_bias = from + "decoder.bias";
        const std::string bias = tensors_.has(own_bias) ? own_bias : from + "bias";
        tensors_.move(bias, to + "bias", {vocab});
        tensors_.ignore(from + "bias");
        if (config_.tie_word_embeddings &&
            (!tensors_.has(decoder()) || tensors_.same(decoder(), words()))) {
            return tensors_.ignore(decoder());
        }
        tensors_.move(decoder(), to + "decoder.weight", {vocab, hidden});
        tensors_.move(bias, to + "decoder.bias", {vocab});
    }

    const BertConfig& source_;
    const NystromformerConfig& config_;
    MovedTensors& tensors_;
    std::string from_, to_;
};

inline BertConversion BertConversion::load(const std::filesystem::path& folder,
                                           const ConversionOptions& options) {
    BertConfig source = BertConfig::from_pretrained(folder, options);
    NystromformerConfig config = source.config;
    if (options.max_positions != 0) {
        constexpr Index most = Index{1} << 24;
        if (options.max_positions < config.max_position_embeddings ||
            options.max_positions > most) {
            throw InputError({"", "max_positions",
                              "from the " + std::to_string(config.max_position_embeddings) +
                                  " of " + folder.string() + " to " + std::to_string(most),
                              std::to_string(options.max_positions)});
        }
        config.max_position_embeddings = options.max_positions;
    }
    BertConversion result{std::move(source), std::move(config),
                          MovedTensors(Checkpoint::open(folder))};
    BertNames(result.source, result.config, result.tensors).move();
    return result;
}

}  // namespace nystromformer::detail
