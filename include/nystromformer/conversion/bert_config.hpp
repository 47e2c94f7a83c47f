// SPDX-License-Identifier: MIT
// config.json of a BERT or RoBERTa folder, read as that of the Nystromformer that equals it.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/kernels/activations.hpp>
#include <nystromformer/model/config_reader.hpp>
#include <nystromformer/options.hpp>

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace nystromformer::detail {

enum class BertHead {
    none,
    masked_lm,
    sequence_classification,
    multiple_choice,
    token_classification,
    question_answering,
};

/// A model type that is a BERT: the same encoder, with position rows and heads of its own.
struct BertFamily {
    std::string_view model_type;
    std::string_view class_prefix;  ///< of BertModel, BertForMaskedLM, ...
    std::string_view scope;         ///< of the encoder in the files of a head
    std::string_view tokenizer_class;
    bool is_roberta;   ///< positions after pad_token_id, a classifier and a masked LM of its own
    Index vocab_size;  ///< where config.json has none, as are the token ids
    std::array<Index, 3> token_ids;  ///< pad, bos, eos; -1 for none
};

inline constexpr std::array<BertFamily, 4> bert_families{{
    {"bert", "Bert", "bert", "BertTokenizer", false, 30522, {0, -1, -1}},
    {"roberta", "Roberta", "roberta", "RobertaTokenizer", true, 50265, {1, 0, 2}},
    {"xlm-roberta", "XLMRoberta", "roberta", "XLMRobertaTokenizer", true, 30522, {1, 0, 2}},
    {"camembert", "Camembert", "roberta", "CamembertTokenizer", true, 30522, {1, 0, 2}},
}};

/// What follows the prefix of a class, the head that it has and the class that equals it.
struct BertClass {
    std::string_view suffix;
    BertHead head;
    const char* architecture;
};

inline constexpr std::array<BertClass, 7> bert_classes{{
    {"Model", BertHead::none, "NystromformerModel"},
    {"ForMaskedLM", BertHead::masked_lm, "NystromformerForMaskedLM"},
    {"ForPreTraining", BertHead::masked_lm, "NystromformerForMaskedLM"},
    {"ForSequenceClassification", BertHead::sequence_classification,
     "NystromformerForSequenceClassification"},
    {"ForMultipleChoice", BertHead::multiple_choice, "NystromformerForMultipleChoice"},
    {"ForTokenClassification", BertHead::token_classification,
     "NystromformerForTokenClassification"},
    {"ForQuestionAnswering", BertHead::question_answering, "NystromformerForQuestionAnswering"},
}};

/// What config.json of a BERT says.
struct BertConfig {
    NystromformerConfig config;  ///< of the model that equals it, at its own length
    const BertFamily* family = nullptr;
    BertHead head = BertHead::none;
    std::string architecture;  ///< of the folder; that of the encoder where it names none
    std::string tokenizer_class;
    Index position_rows = 0;   ///< of the position table
    Index first_position = 0;  ///< the row of a text's first token

    /// Reads `folder`/config.json. IoError, FormatError, ConfigError, or UnsupportedError for
    /// another model type, for a decoder, for relative positions, and for a head whose formula
    /// Nystromformer does not have.
    static BertConfig from_pretrained(const std::filesystem::path& folder,
                                      const ConversionOptions& options = {});
};

/// Reads one config.json into `bert`.
class BertConfigReader {
public:
    BertConfigReader(const ConfigView& view, const ConversionOptions& options)
        : view_(view), options_(options) {}

    BertConfig read() {
        read_family();
        refuse_others();
        read_class();
        read_fields();
        read_positions();
        check_head();
        return std::move(bert_);
    }

private:
    [[noreturn]] static void refuse(const ConfigView& value, const std::string& supported) {
        throw UnsupportedError(
            {value.file(), value.path(), supported, ConfigView::describe(value.raw())});
    }

    void read_family() {
        const auto type = view_.at("model_type");
        std::string known;
        for (const BertFamily& family : bert_families) {
            if (family.model_type == type.string()) bert_.family = &family;
            known.append(known.empty() ? "" : ", ").append(family.model_type);
        }
        if (bert_.family == nullptr) refuse(type, "one of " + known);
        bert_.tokenizer_class = view_.holds("tokenizer_class")
                                    ? view_.at("tokenizer_class").string()
                                    : std::string(bert_.family->tokenizer_class);
    }

    void refuse_others() const {
        for (const char* key : {"is_decoder", "add_cross_attention"}) {
            if (view_.holds(key) && view_.at(key).boolean())
                refuse(view_.at(key), "false: only encoders are converted");
        }
        if (view_.holds("position_embedding_type") &&
            view_.at("position_embedding_type").string() != "absolute") {
            refuse(view_.at("position_embedding_type"), "\"absolute\"");
        }
        if (view_.holds("quantization_config"))
            refuse(view_.at("quantization_config"), "weights that are not quantized");
        if (view_.holds("pruned_heads") && view_.at("pruned_heads").object().size() != 0)
            refuse(view_.at("pruned_heads"), "no pruned heads");
    }

    void read_class() {
        bert_.architecture = std::string(bert_.family->class_prefix) + "Model";
        if (view_.holds("architectures") && view_.at("architectures").array().size() != 0)
            bert_.architecture = view_.at("architectures").at(std::size_t{0}).string();
        bert_.config.architectures = {"NystromformerModel"};
        if (options_.encoder_only) return;
        std::string known;
        for (const BertClass& one : bert_classes) {
            const std::string name = std::string(bert_.family->class_prefix).append(one.suffix);
            known += (known.empty() ? "" : ", ") + name;
            if (bert_.architecture != name) continue;
            bert_.head = one.head;
            bert_.config.architectures = {one.architecture};
            return;
        }
        refuse(view_.at("architectures").at(std::size_t{0}), "one of " + known + or_no_head);
    }

    /// Everything that both configs have, by the reader of the other one.
    void read_fields() {
        Json json = view_.raw();
        const auto put = [&](const char* key, const Json& otherwise) {
            if (!json.contains(key)) json[key] = otherwise;
        };
        const auto put_token = [&](const char* key, Index otherwise) {
            put(key, otherwise < 0 ? Json(nullptr) : Json(otherwise));
        };
        put("vocab_size", bert_.family->vocab_size);
        put("hidden_act", "gelu");
        put("layer_norm_eps", 1e-12);
        put("max_position_embeddings", 512);
        put_token("pad_token_id", bert_.family->token_ids[0]);
        put_token("bos_token_id", bert_.family->token_ids[1]);
        put_token("eos_token_id", bert_.family->token_ids[2]);
        json["model_type"] = "nystromformer";
        json["architectures"] = bert_.config.architectures;
        // Exact attention: both numbers are the same. transformers 5 refuses a conv_kernel_size of
        // null, so the convolution is the smallest one, and its weights are zero.
        json["num_landmarks"] = json["segment_means_seq_len"] = 64;
        json["conv_kernel_size"] = 1;
        json["inv_coeff_init_option"] = false;
        NystromformerConfig config;
        ConfigReader(ConfigView(json, view_.file()), config).read();
        bert_.config = std::move(config);
    }

    /// RoBERTa counts positions from after the padding's id, whose row no text has.
    void read_positions() {
        bert_.position_rows = bert_.config.max_position_embeddings;
        if (bert_.family->is_roberta) {
            const Index padding = bert_.config.pad_token_id.value_or(-1);
            if (padding < 0 || padding + 1 >= bert_.position_rows) {
                throw ConfigError({view_.file(), "/pad_token_id",
                                   "the row before the first position, from 0 to " +
                                       std::to_string(bert_.position_rows - 2),
                                   bert_.config.pad_token_id ? std::to_string(padding) : "null"});
            }
            bert_.first_position = padding + 1;
        }
        bert_.config.max_position_embeddings = bert_.position_rows - bert_.first_position;
    }

    /// Heads differ in their activation: Nystromformer's have hidden_act, or ReLU for choices.
    void check_head() const {
        const auto needs = [&](Activation activation, const std::string& why) {
            if (bert_.config.activation() == activation) return;
            throw UnsupportedError({view_.file(), "/hidden_act", why + or_no_head,
                                    in_quotes(bert_.config.hidden_act)});
        };
        const std::string its_head = " (the head of " + printable(bert_.architecture) + " applies ";
        if (bert_.head == BertHead::sequence_classification) {
            needs(Activation::tanh, "tanh" + its_head + "tanh, that of Nystromformer hidden_act)");
        }
        if (bert_.head == BertHead::masked_lm && bert_.family->is_roberta) {
            needs(Activation::gelu, "gelu" + its_head + "gelu, that of Nystromformer hidden_act)");
        }
        if (bert_.head == BertHead::multiple_choice) {
            refuse(view_.at("architectures").at(std::size_t{0}),
                   "a head with ReLU, as Nystromformer's for multiple choice has; this one applies "
                   "tanh" +
                       std::string(or_no_head));
        }
    }

    static constexpr const char* or_no_head = "; or convert the encoder only";

    const ConfigView& view_;
    const ConversionOptions& options_;
    BertConfig bert_;
};

inline BertConfig BertConfig::from_pretrained(const std::filesystem::path& folder,
                                              const ConversionOptions& options) {
    const std::string file = (folder / "config.json").string();
    const JsonTree json = read_json_file(file, max_config_size);
    const ConfigView view(json, file);
    return BertConfigReader(view.object(), options).read();
}

}  // namespace nystromformer::detail
