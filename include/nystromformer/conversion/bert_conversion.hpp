// SPDX-License-Identifier: MIT
// The weights of a BERT under the names of the Nystromformer that equals it: exact attention, a
// convolution of zeros, and two rows before the positions.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/config.hpp>
#include <nystromformer/conversion/bert_tensors.hpp>
#include <nystromformer/core/error_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/classification.hpp>
#include <nystromformer/model/family.hpp>
#include <nystromformer/model/head_kind.hpp>
#include <nystromformer/model/tensor_names.hpp>
#include <nystromformer/options.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// What a BERT folder becomes.
struct BertConversion {
    NystromformerConfig source;
    std::string architecture;  ///< of the source; that of the encoder where it names none
    HeadKind head = HeadKind::none;
    NystromformerConfig config;
    MovedTensors tensors;

    /// Opens the folder and checks everything that will be written. The errors of
    /// NystromformerConfig::from_pretrained and Checkpoint::open, UnsupportedError for what no
    /// Nystromformer equals, TensorError for weights that do not fit the config, and InputError for
    /// `max_positions` below those of the source.
    static BertConversion load(const std::filesystem::path& folder,
                               const ConversionOptions& options = {});
};

/// The config of a Nystromformer that equals a BERT, as far as its encoder goes.
inline NystromformerConfig equal_config(const NystromformerConfig& source,
                                        const std::string& file) {
    if (source.embedding_width() != source.hidden_size) {
        throw UnsupportedError(
            {file, "/embedding_size",
             "hidden_size " + std::to_string(source.hidden_size) +
                 " (a Nystromformer does not project its embeddings; this folder "
                 "runs without a conversion)",
             std::to_string(source.embedding_width())});
    }
    NystromformerConfig config = source;
    const Family& family = families.front();
    config.model_type = family.model_type;
    config.embedding_size.reset();
    config.max_position_embeddings = source.max_length();
    config.type_vocab_size = std::max<Index>(source.type_vocab_size, 1);
    if (source.type_vocab_size == 0) config.type_vocab_size = 2;
    config.padding_idx = source.uncounted_id();
    // Exact attention: both numbers are the same. transformers 5 refuses a conv_kernel_size of
    // null, so the convolution is the smallest one, and its weights are zero.
    config.num_landmarks = config.segment_means_seq_len = 64;
    config.conv_kernel_size = 1;
    return config;
}

/// The head that the folder is to keep: the class that config.json names, if the tensors are there,
/// else what the tensors tell. UnsupportedError for a named head that does not run here.
inline HeadKind head_to_keep(const FolderHeads& heads, const std::string& architecture,
                             const std::string& file) {
    for (const HeadWords& words : head_words) {
        const bool is_named =
            architecture.ends_with(words.suffix) ||
            (words.kind == HeadKind::masked_lm && architecture.ends_with("ForPreTraining"));
        if (!is_named) continue;
        if (heads.kinds().empty()) heads.require(words.kind);
        return heads.has(words.kind) ? words.kind : heads.kinds().front();
    }
    if (!heads.kinds().empty()) return heads.kinds().front();
    std::string known;
    for (const HeadWords& words : head_words)
        known.append(known.empty() ? "" : ", ").append("..." + std::string(words.suffix));
    throw UnsupportedError({file, "/architectures/0",
                            "one of " + known + "; or convert the encoder only",
                            in_quotes(architecture)});
}

/// True where Nystromformer's head of that kind applies what the source's applies.
inline bool has_equal_head(HeadKind head, const NystromformerConfig& source,
                           const NystromformerConfig& config) {
    const auto is_equal = [&](HeadActivation Family::*which) {
        return head_activation(which, source) == head_activation(which, config);
    };
    switch (head) {
        case HeadKind::masked_lm:
            return is_equal(&Family::masked_lm);
        case HeadKind::sequence_classification:
            return is_equal(&Family::sequence_classification);
        case HeadKind::multiple_choice:
            return is_equal(&Family::multiple_choice);
        default:
            return true;
    }
}

/// Gives each tensor its new name. The paths are Nystromformer's.
class BertMover {
public:
    BertMover(const BertConversion& conversion, const Checkpoint& checkpoint, MovedTensors& tensors)
        : source_(conversion.source),
          config_(conversion.config),
          head_(conversion.head),
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
        // Of the two names of the bias that of the decoder is the one that is added.
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

/// The max_position_embeddings that the options ask for.
inline Index wanted_positions(Index at_first, const ConversionOptions& options,
                              const std::filesystem::path& folder) {
    constexpr Index most = Index{1} << 24;
    if (options.max_positions == 0) return at_first;
    if (options.max_positions >= at_first && options.max_positions <= most)
        return options.max_positions;
    throw InputError({"", "max_positions",
                      "from the " + std::to_string(at_first) + " of " + folder.string() + " to " +
                          std::to_string(most),
                      std::to_string(options.max_positions)});
}

inline BertConversion BertConversion::load(const std::filesystem::path& folder,
                                           const ConversionOptions& options) {
    const std::string file = (folder / "config.json").string();
    NystromformerConfig source = NystromformerConfig::from_pretrained(folder);
    const Family& family = family_of(source.model_type);
    if (family.positions == PositionRule::after_two)
        throw UnsupportedError({file, "/model_type",
                                "a BERT, which is not one yet: " + bert_names(),
                                in_quotes(source.model_type)});
    NystromformerConfig config = equal_config(source, file);
    config.max_position_embeddings =
        wanted_positions(config.max_position_embeddings, options, folder);
    const Checkpoint checkpoint = Checkpoint::open(folder);
    std::string architecture = source.architectures.empty()
                                   ? std::string(family.class_prefix) + "Model"
                                   : source.architectures.front();
    const FolderHeads heads(source, checkpoint);
    const HeadKind head = options.encoder_only           ? HeadKind::none
                          : source.architectures.empty() ? heads.first()
                                                         : head_to_keep(heads, architecture, file);
    config.architectures = {"Nystromformer" + std::string(words_of(head).suffix)};
    if (!has_equal_head(head, source, config)) config.head_model_type = source.model_type;
    if (config.head_model_type && !has_equal_head(head, source, config)) {
        throw UnsupportedError({file, "/summary_activation",
                                "\"gelu\" (this folder runs without a conversion)",
                                in_quotes(source.summary_activation)});
    }
    BertConversion result{std::move(source), std::move(architecture), head, std::move(config),
                          MovedTensors(checkpoint)};
    BertMover(result, checkpoint, result.tensors).move();
    return result;
}

}  // namespace nystromformer::inline v0_2::detail
