// SPDX-License-Identifier: MIT
// What the values of a config must be, in a config.json and in a NystromformerConfig made in code.
#pragma once

#include <nystromformer/core/error_text.hpp>
#include <nystromformer/core/finite.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/kernels/activations.hpp>
#include <nystromformer/model/config_fields.hpp>
#include <nystromformer/model/family.hpp>

#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Whether a number is finite and in its range.
inline bool is_within(double value, Range<double> range) {
    return is_finite(value) && value >= range.min && value <= range.max;
}

/// What the fields must be together. `path_of` gives a field's name in errors, `file` the file's.
template <typename Config, typename PathOf>
class ConfigRelations {
public:
    ConfigRelations(const Config& config, const Family& family, const std::string& file,
                    const PathOf& path_of)
        : config_(config), family_(family), file_(file), path_of_(path_of) {}

    void check() const {
        if (!find_activation(config_.hidden_act))
            refuse<UnsupportedError>("hidden_act", "one of " + activation_names(),
                                     in_quotes(config_.hidden_act));
        if (config_.conv_kernel_size.value_or(1) % 2 == 0) {
            refuse<UnsupportedError>(
                "conv_kernel_size",
                "an odd number (an even kernel gives one row too many, and Hugging Face fails too)",
                std::to_string(*config_.conv_kernel_size));
        }
        if (config_.head_model_type && !find_family(*config_.head_model_type))
            refuse<UnsupportedError>("head_model_type", "one of " + family_names(),
                                     in_quotes(*config_.head_model_type));
        check_divisors();
        check_positions();
    }

private:
    template <typename Error>
    [[noreturn]] void refuse(std::string_view field, const std::string& expected,
                             const std::string& found) const {
        throw Error({file_, path_of_(field), expected, found});
    }

    void check_divisors() const {
        if (config_.segment_means_seq_len % config_.num_landmarks != 0) {
            refuse<ConfigError>("num_landmarks",
                                "a divisor of segment_means_seq_len " +
                                    std::to_string(config_.segment_means_seq_len),
                                std::to_string(config_.num_landmarks));
        }
        if (config_.hidden_size % config_.num_attention_heads != 0) {
            std::string heads = path_of_("num_attention_heads");
            heads.erase(0, heads.starts_with('/') ? 1 : 0);
            refuse<ConfigError>(
                "hidden_size",
                "a multiple of " + heads + ' ' + std::to_string(config_.num_attention_heads),
                std::to_string(config_.hidden_size));
        }
    }

    /// RoBERTa counts positions from after the padding's id, whose row no text has.
    void check_positions() const {
        if (family_.positions != PositionRule::after_padding) return;
        const std::optional<Index> padding = config_.pad_token_id;  // -1: the first row is used
        if (padding && *padding >= -1 && *padding + 1 < config_.max_position_embeddings) return;
        refuse<ConfigError>("pad_token_id",
                            "the row before the first position, from -1 to " +
                                std::to_string(config_.max_position_embeddings - 2),
                            padding ? std::to_string(*padding) : "null");
    }

    const Config& config_;
    const Family& family_;
    const std::string& file_;
    const PathOf& path_of_;
};

/// Checks each number of a config that a program made or changed; a reader checks those of a file.
struct RangeChecks {
    void operator()(const char* field, Index value, Range<Index> range) const {
        const bool has_no_types = value == 0 && std::string_view(field) == "type_vocab_size";
        if ((value >= range.min && value <= range.max) || has_no_types) return;
        throw ConfigError(
            {"", field,
             "an integer from " + std::to_string(range.min) + " to " + std::to_string(range.max),
             std::to_string(value)});
    }
    void operator()(const char* field, double value, Range<double> range) const {
        if (is_within(value, range)) return;
        const auto text = [](double number) {
            std::ostringstream out;
            out << number;
            return out.str();
        };
        throw ConfigError({"", field, "a number from " + text(range.min) + " to " + text(range.max),
                           text(value)});
    }
    void operator()(const char* field, std::optional<Index> value, Range<Index> range) const {
        if (value) (*this)(field, *value, range);
    }
    void operator()(const char* field, const std::vector<Index>& values, Range<Index> range) const {
        for (const Index value : values) (*this)(field, value, range);
    }
    template <typename Value>
    void operator()(const char*, const Value&) const {}
};

/// Checks a config that a program may have made or changed. Throws ConfigError and
/// UnsupportedError, which name the field.
template <typename Config>
void check_config(const Config& config) {
    const Family& family = family_of(config.model_type);
    visit_fields(config, RangeChecks());
    const auto path_of = [](std::string_view field) { return std::string(field); };
    ConfigRelations(config, family, std::string(), path_of).check();
}

}  // namespace nystromformer::inline v0_2::detail
