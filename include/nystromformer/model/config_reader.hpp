// SPDX-License-Identifier: MIT
// ConfigReader and ConfigWriter: the fields of a NystromformerConfig from JSON and to it.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/kernels/activations.hpp>
#include <nystromformer/model/config_fields.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace nystromformer::detail {

using ConfigView = JsonView<ConfigError>;

inline constexpr Index max_config_size = 1 << 20;  // of the file, in bytes

/// Reads one config.json into a NystromformerConfig: an absent field keeps its default, a wrong one
/// is an error.
template <typename Config>
class ConfigReader {
public:
    ConfigReader(const ConfigView& view, Config& config) : view_(view), config_(config) {}

    void read() {
        check_kind();
        count_labels();
        visit_fields(config_, *this);
        check_values();
    }

    // The fields, by their type.
    void operator()(const char* key, Index& field, Range<Index> range) const {
        if (view_.has(key)) field = view_.at(key).integer(range.min, range.max);
    }
    void operator()(const char* key, double& field, Range<double> range) const {
        if (!view_.has(key)) return;
        const auto value = view_.at(key);
        field = value.number();
        if (!(field >= range.min && field <= range.max)) {
            value.fail("a number from " + Json(range.min).dump() + " to " + Json(range.max).dump());
        }
    }
    void operator()(const char* key, std::optional<Index>& field, Range<Index> range) const {
        if (!view_.has(key)) return;
        const auto value = view_.at(key);
        field = value.is_null() ? std::nullopt : std::optional(value.integer(range.min, range.max));
    }
    /// Nothing, one number or a list of them.
    void operator()(const char* key, std::vector<Index>& field, Range<Index> range) const {
        if (!view_.has(key)) return;
        const auto value = view_.at(key);
        field.clear();
        if (value.is_array()) {
            for (std::size_t i = 0; i < value.size(); ++i)
                field.push_back(value.at(i).integer(range.min, range.max));
        } else if (!value.is_null()) {
            field.push_back(value.integer(range.min, range.max));
        }
    }
    void operator()(const char* key, bool& field) const {
        if (view_.has(key)) field = view_.at(key).boolean();
    }
    void operator()(const char* key, std::string& field) const {
        if (view_.has(key)) field = view_.at(key).string();
    }
    void operator()(const char* key, std::optional<std::string>& field) const {
        if (view_.holds(key)) field = view_.at(key).string();
    }
    void operator()(const char* key, std::vector<std::string>& field) const {
        if (!view_.holds(key)) return;
        const auto names = view_.at(key).array();
        for (std::size_t i = 0; i < names.size(); ++i) field.push_back(names.at(i).string());
    }
    void operator()(const char* key, std::map<Index, std::string>& field) const {
        if (!view_.holds(key)) return;
        const auto labels = view_.at(key).object();
        config_.label2id.clear();
        for (Index i = 0; i < config_.num_labels; ++i) {
            field[i] = labels.at(std::to_string(i)).string();
            config_.label2id[field[i]] = i;
        }
    }
    void operator()(const char* key, std::map<std::string, Index>& field) const {
        if (!view_.holds(key)) return;
        field.clear();
        const auto labels = view_.at(key).object();
        for (const auto& item : labels.raw().items())
            field[item.key()] = labels.at(item.key()).integer(0, config_.num_labels - 1);
    }

private:
    [[noreturn]] static void refuse(const ConfigView& value, const std::string& supported) {
        throw UnsupportedError(
            {value.file(), value.path(), supported, ConfigView::describe(value.raw())});
    }

    void check_kind() const {
        if (view_.holds("model_type") && view_.at("model_type").string() != "nystromformer")
            refuse(view_.at("model_type"), "\"nystromformer\"");
        bool is_decoder = false;
        (*this)("is_decoder", is_decoder);
        if (is_decoder) {
            refuse(view_.at("is_decoder"),
                   "false: landmarks see the whole text, so there is no causal form");
        }
    }

    /// Hugging Face counts the labels by id2label if that is given. They have default names until
    /// the file gives them others.
    void count_labels() const {
        if (view_.holds("num_labels"))
            config_.num_labels = view_.at("num_labels").integer(1, max_labels);
        if (view_.holds("id2label")) {
            const auto labels = view_.at("id2label").object();
            const auto count = static_cast<Index>(labels.size());
            if (count == 0) labels.fail("at least one label");
            if (view_.holds("num_labels") && config_.num_labels != count)
                labels.fail(std::to_string(config_.num_labels) + " labels, as /num_labels says");
            config_.num_labels = count;
        }
        config_.id2label.clear();
        config_.label2id.clear();
        for (Index i = 0; i < config_.num_labels; ++i) {
            config_.id2label[i] = "LABEL_" + std::to_string(i);
            config_.label2id[config_.id2label[i]] = i;
        }
    }

    void check_values() const {
        if (!find_activation(config_.hidden_act))
            refuse(view_.at("hidden_act"), "one of " + activation_names());
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
        if (config_.problem_type && *config_.problem_type != "regression" &&
            *config_.problem_type != "single_label_classification" &&
            *config_.problem_type != "multi_label_classification") {
            view_.at("problem_type")
                .fail("regression, single_label_classification or multi_label_classification");
        }
        if (config_.hidden_size % config_.num_attention_heads != 0) {
            throw ConfigError(
                {view_.file(), "/hidden_size",
                 "a multiple of num_attention_heads " + std::to_string(config_.num_attention_heads),
                 std::to_string(config_.hidden_size)});
        }
    }

    const ConfigView& view_;
    Config& config_;
};

/// Writes each field under its key.
class ConfigWriter {
public:
    explicit ConfigWriter(Json& json) : json_(json) {}

    template <typename Field, typename... Rest>
    void operator()(const char* key, const Field& field, const Rest&...) const {
        json_[key] = field;
    }
    void operator()(const char* key, const std::optional<Index>& field, Range<Index>) const {
        json_[key] = field ? Json(*field) : Json(nullptr);
    }
    void operator()(const char* key, const std::vector<Index>& field, Range<Index>) const {
        json_[key] = field.size() > 1    ? Json(field)
                     : field.size() == 1 ? Json(field.front())
                                         : Json(nullptr);
    }
    void operator()(const char* key, const std::optional<std::string>& field) const {
        if (field) json_[key] = *field;
    }
    void operator()(const char* key, const std::map<Index, std::string>& field) const {
        for (const auto& [id, label] : field) json_[key][std::to_string(id)] = label;
    }

private:
    Json& json_;
};

}  // namespace nystromformer::detail
