// SPDX-License-Identifier: MIT
// NystromformerConfig: config.json of a Hugging Face folder.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/kernels/activations.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer {

/// The arguments of Hugging Face's NystromformerConfig, with its names and defaults.
/// Source: transformers/models/nystromformer/configuration_nystromformer.py
struct NystromformerConfig {
    Index vocab_size = 30000;
    Index hidden_size = 768;
    Index num_hidden_layers = 12;
    Index num_attention_heads = 12;
    Index intermediate_size = 3072;
    std::string hidden_act = "gelu_new";
    double hidden_dropout_prob = 0.1;           ///< for training only
    double attention_probs_dropout_prob = 0.1;  ///< for training only
    Index max_position_embeddings = 510;        ///< the position table has two rows more
    Index type_vocab_size = 2;
    Index segment_means_seq_len = 64;
    Index num_landmarks = 64;  ///< exact attention when equal to segment_means_seq_len
    std::optional<Index> conv_kernel_size = 65;  ///< nothing (null): no convolution
    bool inv_coeff_init_option = false;  ///< start the inverse from each matrix's own ||K||_1
    double initializer_range = 0.02;     ///< for training only
    double layer_norm_eps = 1e-5;
    std::optional<Index> pad_token_id = 1;
    std::optional<Index> bos_token_id = 0;
    std::vector<Index> eos_token_id = {2};  ///< none, one or several

    Index num_labels = 2;
    std::map<Index, std::string> id2label = {{0, "LABEL_0"}, {1, "LABEL_1"}};
    std::map<std::string, Index> label2id = {{"LABEL_0", 0}, {"LABEL_1", 1}};
    /// regression, single_label_classification, multi_label_classification, or nothing: by the
    /// labels
    std::optional<std::string> problem_type;
    bool tie_word_embeddings = true;
    std::vector<std::string> architectures;

    bool operator==(const NystromformerConfig&) const = default;

    Index head_dim() const { return hidden_size / num_attention_heads; }
    Activation activation() const { return *find_activation(hidden_act); }

    /// Reads `folder`/config.json. IoError, FormatError, ConfigError or UnsupportedError.
    static NystromformerConfig from_pretrained(const std::filesystem::path& folder,
                                               const FileOptions& files = {});
    /// Reads the text of a config.json; `file` names it in errors. Unknown keys are passed over.
    static NystromformerConfig from_json(std::string_view text,
                                         const std::string& file = "config.json");
    /// The text of a config.json that from_json and transformers read back to the same values.
    std::string to_json() const;
};

namespace detail {

using ConfigView = JsonView<ConfigError>;

constexpr Index max_config_size = 1 << 20;
constexpr Index max_size = (Index{1} << 31) - 1;  // of any one dimension
constexpr Index max_labels = 1 << 14;             // a config.json with their names stays readable

/// Reads one config.json: a field that is absent keeps its default, one that is wrong is told.
class ConfigReader {
public:
    ConfigReader(const ConfigView& view, NystromformerConfig& config)
        : view_(view), config_(config) {}

    void read() {
        read_kind();
        read_sizes();
        read_attention();
        read_training();
        read_token_ids();
        read_labels();
        check_together();
    }

private:
    void read(const char* key, Index& field, Index least, Index most = max_size) const {
        if (view_.has(key)) field = view_.at(key).integer(least, most);
    }
    void read(const char* key, bool& field) const {
        if (view_.has(key)) field = view_.at(key).boolean();
    }
    void read(const char* key, double& field, double least, double most) const {
        if (!view_.has(key)) return;
        const auto value = view_.at(key);
        field = value.number();
        if (!(field >= least && field <= most)) {
            value.fail("a number from " + Json(least).dump() + " to " + Json(most).dump());
        }
    }
    void read(const char* key, std::optional<Index>& field, Index least, Index most) const {
        if (!view_.has(key)) return;
        const auto value = view_.at(key);
        field = value.is_null() ? std::nullopt : std::optional(value.integer(least, most));
    }

    [[noreturn]] static void refuse(const ConfigView& value, const std::string& supported) {
        throw UnsupportedError(
            {value.file(), value.path(), supported, ConfigView::describe(value.raw())});
    }

    void read_kind() const {
        if (view_.holds("model_type") && view_.at("model_type").string() != "nystromformer") {
            refuse(view_.at("model_type"), "\"nystromformer\"");
        }
        bool is_decoder = false;
        read("is_decoder", is_decoder);
        if (is_decoder) {
            refuse(view_.at("is_decoder"),
                   "false: landmarks see the whole text, so there is no causal form");
        }
        if (view_.holds("architectures")) {
            const auto names = view_.at("architectures").array();
            for (std::size_t i = 0; i < names.size(); ++i) {
                config_.architectures.push_back(names.at(i).string());
            }
        }
        read("tie_word_embeddings", config_.tie_word_embeddings);
    }

    void read_sizes() const {
        read("vocab_size", config_.vocab_size, 1);
        read("hidden_size", config_.hidden_size, 1, 1 << 20);
        read("num_hidden_layers", config_.num_hidden_layers, 0, 1 << 16);
        read("num_attention_heads", config_.num_attention_heads, 1, 1 << 20);
        read("intermediate_size", config_.intermediate_size, 1, 1 << 24);
        read("max_position_embeddings", config_.max_position_embeddings, 1);
        read("type_vocab_size", config_.type_vocab_size, 1);
        read("layer_norm_eps", config_.layer_norm_eps, 1e-30, 1);
        if (!view_.has("hidden_act")) return;
        const auto name = view_.at("hidden_act");
        config_.hidden_act = name.string();
        if (!find_activation(config_.hidden_act)) refuse(name, "one of " + activation_names());
    }

    void read_attention() const {
        read("segment_means_seq_len", config_.segment_means_seq_len, 1);
        read("num_landmarks", config_.num_landmarks, 1);
        read("conv_kernel_size", config_.conv_kernel_size, 1, 1 << 20);
        read("inv_coeff_init_option", config_.inv_coeff_init_option);
        if (config_.conv_kernel_size.value_or(1) % 2 == 0) {
            refuse(view_.at("conv_kernel_size"),
                   "an odd number (an even kernel gives one row too many, and Hugging Face fails "
                   "too)");
        }
        if (config_.segment_means_seq_len % config_.num_landmarks != 0) {
            throw ConfigError({view_.file(), "/num_landmarks",
                               "a divisor of segment_means_seq_len " +
                                   std::to_string(config_.segment_means_seq_len),
                               std::to_string(config_.num_landmarks)});
        }
    }

    void read_training() const {
        read("hidden_dropout_prob", config_.hidden_dropout_prob, 0, 1);
        read("attention_probs_dropout_prob", config_.attention_probs_dropout_prob, 0, 1);
        read("initializer_range", config_.initializer_range, 0, 1e6);
    }

    void read_token_ids() const {
        // Only the tokenizer's ids are used; some published configs hold other numbers, even -1.
        read("pad_token_id", config_.pad_token_id, -1, max_size);
        read("bos_token_id", config_.bos_token_id, -1, max_size);
        if (!view_.has("eos_token_id")) return;
        const auto value = view_.at("eos_token_id");
        config_.eos_token_id.clear();
        if (value.is_array()) {
            for (std::size_t i = 0; i < value.size(); ++i) {
                config_.eos_token_id.push_back(value.at(i).integer(-1, max_size));
            }
        } else if (!value.is_null()) {
            config_.eos_token_id.push_back(value.integer(-1, max_size));
        }
    }

    void read_labels() const {
        if (view_.holds("num_labels")) {
            config_.num_labels = view_.at("num_labels").integer(1, max_labels);
            name_labels(config_.num_labels);
        }
        if (view_.holds("id2label")) read_id2label();
        if (view_.holds("label2id")) {
            config_.label2id.clear();
            const auto labels = view_.at("label2id").object();
            for (const auto& item : labels.raw().items()) {
                config_.label2id[item.key()] =
                    labels.at(item.key()).integer(0, config_.num_labels - 1);
            }
        }
        if (!view_.holds("problem_type")) return;
        const auto type = view_.at("problem_type");
        config_.problem_type = type.string();
        if (*config_.problem_type != "regression" &&
            *config_.problem_type != "single_label_classification" &&
            *config_.problem_type != "multi_label_classification") {
            type.fail("regression, single_label_classification or multi_label_classification");
        }
    }

    void name_labels(Index count) const {
        config_.id2label.clear();
        config_.label2id.clear();
        for (Index i = 0; i < count; ++i) {
            config_.id2label[i] = "LABEL_" + std::to_string(i);
            config_.label2id[config_.id2label[i]] = i;
        }
    }

    // Hugging Face counts the labels by id2label where that is given; ids are the strings "0", "1",
    // ...
    void read_id2label() const {
        const auto labels = view_.at("id2label").object();
        const auto count = static_cast<Index>(labels.size());
        if (count == 0) labels.fail("at least one label");
        if (view_.holds("num_labels") && config_.num_labels != count) {
            labels.fail(std::to_string(config_.num_labels) + " labels, as /num_labels says");
        }
        config_.num_labels = count;
        name_labels(count);
        config_.label2id.clear();
        for (Index i = 0; i < count; ++i) {
            config_.id2label[i] = labels.at(std::to_string(i)).string();
            config_.label2id[config_.id2label[i]] = i;
        }
    }

    void check_together() const {
        if (config_.hidden_size % config_.num_attention_heads != 0) {
            throw ConfigError(
                {view_.file(), "/hidden_size",
                 "a multiple of num_attention_heads " + std::to_string(config_.num_attention_heads),
                 std::to_string(config_.hidden_size)});
        }
    }

    const ConfigView& view_;
    NystromformerConfig& config_;
};

template <typename Value>
Json json_or_null(const std::optional<Value>& value) {
    return value ? Json(*value) : Json(nullptr);
}

}  // namespace detail

inline NystromformerConfig NystromformerConfig::from_json(std::string_view text,
                                                          const std::string& file) {
    const detail::JsonTree json = detail::parse_json(text, file);
    const detail::ConfigView view(json, file);
    NystromformerConfig config;
    detail::ConfigReader(view.object(), config).read();
    return config;
}

inline NystromformerConfig NystromformerConfig::from_pretrained(const std::filesystem::path& folder,
                                                                const FileOptions& files) {
    const auto path = folder / "config.json";
    return from_json(detail::read_file(path, detail::max_config_size, files), path.string());
}

inline std::string NystromformerConfig::to_json() const {
    detail::Json json;
    json["model_type"] = "nystromformer";
    json["architectures"] = architectures;
    json["vocab_size"] = vocab_size;
    json["hidden_size"] = hidden_size;
    json["num_hidden_layers"] = num_hidden_layers;
    json["num_attention_heads"] = num_attention_heads;
    json["intermediate_size"] = intermediate_size;
    json["hidden_act"] = hidden_act;
    json["hidden_dropout_prob"] = hidden_dropout_prob;
    json["attention_probs_dropout_prob"] = attention_probs_dropout_prob;
    json["max_position_embeddings"] = max_position_embeddings;
    json["type_vocab_size"] = type_vocab_size;
    json["segment_means_seq_len"] = segment_means_seq_len;
    json["num_landmarks"] = num_landmarks;
    json["conv_kernel_size"] = detail::json_or_null(conv_kernel_size);
    json["inv_coeff_init_option"] = inv_coeff_init_option;
    json["initializer_range"] = initializer_range;
    json["layer_norm_eps"] = layer_norm_eps;
    json["pad_token_id"] = detail::json_or_null(pad_token_id);
    json["bos_token_id"] = detail::json_or_null(bos_token_id);
    json["eos_token_id"] = eos_token_id.size() > 1    ? detail::Json(eos_token_id)
                           : eos_token_id.size() == 1 ? detail::Json(eos_token_id.front())
                                                      : detail::Json(nullptr);
    for (const auto& [id, label] : id2label) json["id2label"][std::to_string(id)] = label;
    json["label2id"] = label2id;
    if (problem_type) json["problem_type"] = *problem_type;
    json["tie_word_embeddings"] = tie_word_embeddings;
    return json.dump(2) + '\n';
}

}  // namespace nystromformer
