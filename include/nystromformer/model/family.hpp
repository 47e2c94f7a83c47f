// SPDX-License-Identifier: MIT
// The families of models that run here: Nystromformer, and the BERTs, which are the same layers
// with names, positions and heads of their own.
#pragma once

#include <nystromformer/core/error_text.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/error.hpp>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

namespace nystromformer::inline v0_2::detail {

/// Which row of the position table a text's first token gets.
enum class PositionRule {
    after_two,      ///< 2: Nystromformer's table has two rows more than max_position_embeddings
    from_zero,      ///< 0: BERT
    after_padding,  ///< pad_token_id + 1; tokens of that id are not counted: RoBERTa
};

/// What a head applies between its two layers.
enum class HeadActivation { hidden_act, relu, tanh, gelu, summary };

/// A part of a path in the model, whole names between dots, and what a family calls it. '@' before
/// the family's name: it stands in the encoder's scope.
struct OwnName {
    std::string_view path, own;
};

/// The values that a family's config class has if config.json has none.
struct FamilyDefaults {
    Index vocab_size, hidden_size, num_hidden_layers, num_attention_heads, intermediate_size;
    std::array<Index, 3> token_ids;  ///< pad, bos, eos; -1 for none
};

/// One model type.
struct Family {
    std::string_view model_type;
    std::string_view class_prefix;  ///< of BertModel, BertForMaskedLM, ...
    std::string_view scope;         ///< of the encoder in the files of a head
    std::string_view tokenizer_class;
    PositionRule positions;
    std::span<const OwnName> tensors;
    std::span<const OwnName> fields;  ///< of config.json; "" for one that the family does not have
    HeadActivation masked_lm, sequence_classification, multiple_choice;
    FamilyDefaults defaults;
};

// Where tensors stand in the files. The paths are Nystromformer's; the first match counts, for each
// entry once.

inline constexpr std::array<OwnName, 3> bert_tensors{{
    {"classifier.dense", "@pooler.dense"},
    {"classifier.out_proj", "classifier"},
    {"pre_classifier", "@pooler.dense"},
}};
inline constexpr std::array<OwnName, 4> roberta_tensors{{
    {"cls.predictions.transform.dense", "lm_head.dense"},
    {"cls.predictions.transform.LayerNorm", "lm_head.layer_norm"},
    {"cls.predictions", "lm_head"},
    {"pre_classifier", "@pooler.dense"},
}};
inline constexpr std::array<OwnName, 15> distilbert_tensors{{
    {"encoder.layer", "transformer.layer"},
    {"attention.self.query", "attention.q_lin"},
    {"attention.self.key", "attention.k_lin"},
    {"attention.self.value", "attention.v_lin"},
    {"attention.output.dense", "attention.out_lin"},
    {"attention.output.LayerNorm", "sa_layer_norm"},
    {"intermediate.dense", "ffn.lin1"},
    {"output.dense", "ffn.lin2"},
    {"output.LayerNorm", "output_layer_norm"},
    {"cls.predictions.transform.dense", "vocab_transform"},
    {"cls.predictions.transform.LayerNorm", "vocab_layer_norm"},
    {"cls.predictions.decoder", "vocab_projector"},
    {"cls.predictions", "vocab_projector"},
    {"classifier.dense", "pre_classifier"},
    {"classifier.out_proj", "classifier"},
}};
inline constexpr std::array<OwnName, 5> electra_tensors{{
    {"cls.predictions.transform.dense", "generator_predictions.dense"},
    {"cls.predictions.transform.LayerNorm", "generator_predictions.LayerNorm"},
    {"cls.predictions.decoder", "generator_lm_head"},
    {"cls.predictions", "generator_lm_head"},
    {"pre_classifier", "sequence_summary.summary"},
}};

// What config.json calls the fields.

/// Nystromformer's own, then ELECTRA's own.
inline constexpr std::array<OwnName, 10> bert_fields{{
    {"segment_means_seq_len", ""},
    {"num_landmarks", ""},
    {"conv_kernel_size", ""},
    {"inv_coeff_init_option", ""},
    {"padding_idx", ""},
    {"head_model_type", ""},
    {"embedding_size", ""},
    {"summary_type", ""},
    {"summary_use_proj", ""},
    {"summary_activation", ""},
}};
inline constexpr auto electra_fields = std::span(bert_fields).first<6>();
inline constexpr auto nystromformer_fields = std::span(bert_fields).last<4>();
inline constexpr std::array<OwnName, 9> distilbert_own_fields{{
    {"type_vocab_size", ""},
    {"layer_norm_eps", ""},  // 1e-12, in the code
    {"hidden_size", "dim"},
    {"num_hidden_layers", "n_layers"},
    {"num_attention_heads", "n_heads"},
    {"intermediate_size", "hidden_dim"},
    {"hidden_act", "activation"},
    {"hidden_dropout_prob", "dropout"},
    {"attention_probs_dropout_prob", "attention_dropout"},
}};
inline constexpr auto distilbert_fields = [] {
    std::array<OwnName, bert_fields.size() + distilbert_own_fields.size()> all{};
    std::copy(bert_fields.begin(), bert_fields.end(), all.begin());
    std::copy(distilbert_own_fields.begin(), distilbert_own_fields.end(),
              all.begin() + bert_fields.size());
    return all;
}();

inline constexpr FamilyDefaults roberta_defaults{50265, 768, 12, 12, 3072, {1, 0, 2}};
inline constexpr FamilyDefaults xlm_roberta_defaults{30522, 768, 12, 12, 3072, {1, 0, 2}};

/// Source: transformers 5.24, models/*/modeling_*.py and configuration_*.py
inline constexpr std::array<Family, 7> families{{
    {"nystromformer",
     "Nystromformer",
     "nystromformer",
     "",
     PositionRule::after_two,
     {},
     nystromformer_fields,
     HeadActivation::hidden_act,
     HeadActivation::hidden_act,
     HeadActivation::relu,
     {30000, 768, 12, 12, 3072, {1, 0, 2}}},
    {"bert",
     "Bert",
     "bert",
     "BertTokenizer",
     PositionRule::from_zero,
     bert_tensors,
     bert_fields,
     HeadActivation::hidden_act,
     HeadActivation::tanh,
     HeadActivation::tanh,
     {30522, 768, 12, 12, 3072, {0, -1, -1}}},
    {"roberta", "Roberta", "roberta", "RobertaTokenizer", PositionRule::after_padding,
     roberta_tensors, bert_fields, HeadActivation::gelu, HeadActivation::tanh, HeadActivation::tanh,
     roberta_defaults},
    {"xlm-roberta", "XLMRoberta", "roberta", "XLMRobertaTokenizer", PositionRule::after_padding,
     roberta_tensors, bert_fields, HeadActivation::gelu, HeadActivation::tanh, HeadActivation::tanh,
     xlm_roberta_defaults},
    {"camembert", "Camembert", "roberta", "CamembertTokenizer", PositionRule::after_padding,
     roberta_tensors, bert_fields, HeadActivation::gelu, HeadActivation::tanh, HeadActivation::tanh,
     xlm_roberta_defaults},
    {"distilbert",
     "DistilBert",
     "distilbert",
     "DistilBertTokenizer",
     PositionRule::from_zero,
     distilbert_tensors,
     distilbert_fields,
     HeadActivation::hidden_act,
     HeadActivation::relu,
     HeadActivation::relu,
     {30522, 768, 6, 12, 3072, {0, -1, -1}}},
    {"electra",
     "Electra",
     "electra",
     "ElectraTokenizer",
     PositionRule::from_zero,
     electra_tensors,
     electra_fields,
     HeadActivation::gelu,
     HeadActivation::gelu,
     HeadActivation::summary,
     {30522, 256, 12, 4, 1024, {0, -1, -1}}},
}};

/// Null for a model type that does not run here.
constexpr const Family* find_family(std::string_view model_type) {
    const auto* found = std::find_if(families.begin(), families.end(), [&](const Family& family) {
        return family.model_type == model_type;
    });
    return found == families.end() ? nullptr : found;
}
/// "nystromformer, bert, ...".
inline std::string family_names() {
    std::string names;
    for (const Family& family : families)
        names.append(names.empty() ? "" : ", ").append(family.model_type);
    return names;
}
/// The same without Nystromformer.
inline std::string bert_names() { return family_names().substr(families[0].model_type.size() + 2); }
/// The family of a config. ConfigError for a model type that does not run here.
inline const Family& family_of(std::string_view model_type) {
    if (const Family* family = find_family(model_type)) return *family;
    throw ConfigError({"", "model_type", "one of " + family_names(), in_quotes(model_type)});
}

/// What config.json of a family calls a field; "" for one that the family does not have.
constexpr std::string_view own_field(const Family& family, std::string_view field) {
    for (const OwnName& name : family.fields)
        if (name.path == field) return name.own;
    return field;
}

}  // namespace nystromformer::inline v0_2::detail
