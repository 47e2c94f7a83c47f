// SPDX-License-Identifier: MIT
// NystromformerConfig: config.json of a Hugging Face folder.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/options.hpp>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2 {

enum class Activation;

/// The arguments of Hugging Face's NystromformerConfig, with its names and defaults. A BERT is a
/// Nystromformer with exact attention and no convolution, so this also holds a BERT's config. A
/// program may change the values: a model checks them when it is loaded (ConfigError).
/// Source: transformers 4.57.6, models/nystromformer/configuration_nystromformer.py
struct NystromformerConfig {
    /// nystromformer, bert, roberta, xlm-roberta, camembert, distilbert or electra. Decides the
    /// names of tensors, how positions are counted and what the heads compute.
    std::string model_type = "nystromformer";
    Index vocab_size = 30000;
    Index hidden_size = 768;
    Index num_hidden_layers = 12;
    Index num_attention_heads = 12;
    Index intermediate_size = 3072;
    std::string hidden_act = "gelu_new";
    double hidden_dropout_prob = 0.1;           ///< for training only
    double attention_probs_dropout_prob = 0.1;  ///< for training only
    Index max_position_embeddings = 510;        ///< see position_rows and max_length
    Index type_vocab_size = 2;                  ///< 0: no token types (DistilBERT)
    Index segment_means_seq_len = 64;
    Index num_landmarks = 64;  ///< exact attention if equal to segment_means_seq_len
    std::optional<Index> conv_kernel_size = 65;  ///< taps; nothing (null): no convolution
    bool inv_coeff_init_option = false;  ///< start the inverse from each matrix's own ||K||_1
    double initializer_range = 0.02;     ///< for training only
    double layer_norm_eps = 1e-5;
    std::optional<Index> pad_token_id = 1;
    std::optional<Index> bos_token_id = 0;
    std::vector<Index> eos_token_id = {2};  ///< none, one or several

    Index num_labels = 2;
    std::map<Index, std::string> id2label = {{0, "LABEL_0"}, {1, "LABEL_1"}};
    std::map<std::string, Index> label2id = {{"LABEL_0", 0}, {"LABEL_1", 1}};
    /// The labels of label2id in the order of the file. Zero-shot classification takes the first
    /// label that means entailment. Empty: in the order of their ids.
    std::vector<std::string> label2id_order = {};
    /// regression, single_label_classification or multi_label_classification. Nothing: the labels
    /// decide.
    std::optional<std::string> problem_type = {};
    bool tie_word_embeddings = true;
    std::vector<std::string> architectures = {};

    /// ELECTRA's number of columns of the embeddings; nothing: hidden_size.
    std::optional<Index> embedding_size = {};
    std::string summary_type = "first";  ///< this and the next two: ELECTRA's multiple choice
    bool summary_use_proj = true;
    std::string summary_activation = "gelu";  ///< "": none

    // `convert_bert` adds these two to a Nystromformer's config.json. transformers ignores both.

    /// Tokens of this id have no position of their own, as in RoBERTa.
    std::optional<Index> padding_idx = {};
    /// The family whose head the folder has, under "bert_head." or the like. Nothing: the head is
    /// Nystromformer's.
    std::optional<std::string> head_model_type = {};

    bool operator==(const NystromformerConfig&) const = default;

    /// 0 if there are no heads.
    Index head_dim() const {
        return num_attention_heads == 0 ? 0 : hidden_size / num_attention_heads;
    }
    Index embedding_width() const { return embedding_size.value_or(hidden_size); }
    /// Rows of the position table: max_position_embeddings, and for a Nystromformer two more.
    Index position_rows() const;
    /// The row of a text's first token: 2, for a BERT 0, for a RoBERTa pad_token_id + 1.
    Index first_position() const;
    /// The longest text, in tokens.
    Index max_length() const { return position_rows() - first_position(); }
    /// Tokens with this id get the row before first_position() and are not counted. Nothing: every
    /// token is counted.
    std::optional<Index> uncounted_id() const;
    /// True if Hugging Face runs exact attention instead of the Nystrom approximation.
    bool uses_exact_attention() const { return num_landmarks == segment_means_seq_len; }
    /// The activation that `hidden_act` names. ConfigError for a name that this library does not
    /// know.
    Activation activation() const;

    /// Reads `folder`/config.json. Errors: IoError, FormatError, ConfigError, UnsupportedError.
    [[nodiscard]] static NystromformerConfig from_pretrained(const std::filesystem::path& folder,
                                                             const FileOptions& files = {});
    /// Reads the text of a config.json as Python's json reads it; `file` names the text in errors.
    /// Unknown keys are ignored. Errors: FormatError, ConfigError, UnsupportedError.
    [[nodiscard]] static NystromformerConfig from_json(std::string_view text,
                                                       const std::string& file = "config.json",
                                                       const FileOptions& files = {});
    /// The text of a config.json that from_json and transformers read back to the same values.
    std::string to_json() const;
};

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/model/config_json.hpp>
#endif
