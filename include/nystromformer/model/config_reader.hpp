// SPDX-License-Identifier: MIT
// ConfigReader: the fields of a NystromformerConfig from JSON.
#pragma once

#include <nystromformer/core/finite.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/config_checks.hpp>
#include <nystromformer/model/config_fields.hpp>
#include <nystromformer/model/config_labels.hpp>
#include <nystromformer/model/family.hpp>
#include <nystromformer/model/quantization_config.hpp>
#include <nystromformer/options.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail {

inline constexpr Index max_config_size = 1 << 20;  // of the file, in bytes

/// What a family's config class has if config.json has nothing.
template <typename Config>
Config defaults_of(const Family& family) {
    Config config;
    config.model_type = family.model_type;
    const FamilyDefaults& values = family.defaults;
    config.vocab_size = values.vocab_size;
    config.hidden_size = values.hidden_size;
    config.num_hidden_layers = values.num_hidden_layers;
    config.num_attention_heads = values.num_attention_heads;
    config.intermediate_size = values.intermediate_size;
    const auto [pad, bos, eos] = values.token_ids;
    config.pad_token_id = pad;
    config.bos_token_id = bos < 0 ? std::nullopt : std::optional(bos);
    config.eos_token_id = eos < 0 ? std::vector<Index>{} : std::vector{eos};
    if (family.positions == PositionRule::after_two) return config;
    config.hidden_act = "gelu";
    config.layer_norm_eps = 1e-12;
    config.max_position_embeddings = 512;
    config.conv_kernel_size.reset();
    if (family.model_type == "distilbert") config.type_vocab_size = 0;
    if (family.model_type == "electra") config.embedding_size = 128;
    return config;
}

/// Reads one config.json into a NystromformerConfig: an absent field keeps its default, a wrong one
/// is an error. `Config` is NystromformerConfig, whose header includes this one.
template <typename Config>
class ConfigReader {
public:
    ConfigReader(const ConfigView& view, Config& config, const FileOptions& files = {})
        : view_(view), config_(config), files_(files), family_(&families.front()) {}

    /// Null if config.json names no model type, neither itself nor by its class.
    const Family* family() const {
        if (!view_.holds("model_type")) return family_of_class();
        const auto type = view_.at("model_type");
        if (const Family* found = find_family(type.string())) return found;
        refuse(type, "a model that this library runs, one of " + family_names());
    }

    /// `otherwise`: the family of a file that names none.
    void read(const Family& otherwise = families.front()) {
        family_ = &otherwise;
        if (const Family* named = family()) family_ = named;
        refuse_others();
        config_ = defaults_of<Config>(*family_);
        LabelReader(view_, config_, files_).read();
        visit_fields(config_, *this);
        const auto path_of = [this](std::string_view field) { return path_to(field); };
        ConfigRelations(config_, *family_, view_.file(), path_of).check();
    }

    // The fields, by their type.
    void operator()(const char* field, Index& value, Range<Index> range) const {
        if (const auto found = find(field)) value = found->integer(range.min, range.max);
    }
    void operator()(const char* field, double& value, Range<double> range) const {
        const auto found = find(field);
        if (!found) return;
        const double number = found->number();
        if (range.is_for_training && !is_finite(number)) return;
        value = number;
        if (!is_within(value, range)) {
            found->fail("a number from " + Json(range.min).dump() + " to " +
                        Json(range.max).dump());
        }
    }
    void operator()(const char* field, std::optional<Index>& value, Range<Index> range) const {
        const auto found = find(field);
        if (!found) return;
        value =
            found->is_null() ? std::nullopt : std::optional(found->integer(range.min, range.max));
    }
    /// Nothing, one number or a list of them.
    void operator()(const char* field, std::vector<Index>& value, Range<Index> range) const {
        const auto found = find(field);
        if (!found) return;
        value.clear();
        if (found->is_array()) {
            for (std::size_t i = 0; i < found->size(); ++i)
                value.push_back(found->at(i).integer(range.min, range.max));
        } else if (!found->is_null()) {
            value.push_back(found->integer(range.min, range.max));
        }
    }
    void operator()(const char* field, bool& value) const {
        if (const auto found = find(field)) value = found->boolean();
    }
    void operator()(const char* field, std::string& value) const {
        const auto found = find(field);
        if (!found) return;
        const bool may_be_null = std::string_view(field) == "summary_activation";
        value = may_be_null && found->is_null() ? "" : found->string();
    }
    void operator()(const char* field, std::optional<std::string>& value) const {
        const auto found = find(field);
        if (found && !found->is_null()) value = found->string();
    }
    void operator()(const char* field, std::vector<std::string>& value) const {
        const auto names = find(field);
        if (!names || names->is_null()) return;
        if (names->is_string()) return value.push_back(names->string());  // as Python takes it
        names->array();
        for (std::size_t i = 0; i < names->size(); ++i) value.push_back(names->at(i).string());
    }
    // LabelReader has read them.
    void operator()(const char*, std::map<Index, std::string>&) const {}
    void operator()(const char*, std::map<std::string, Index>&) const {}

private:
    [[noreturn]] static void refuse(const ConfigView& value, const std::string& supported) {
        throw UnsupportedError({value.file(), value.path(), supported, describe_json(value.raw())});
    }

    /// The value of a field under the family's name for it, if the file has it.
    std::optional<ConfigView> find(std::string_view field) const {
        const std::string_view own = own_field(*family_, field);
        // DistilBertConfig.attribute_map also accepts BERT's names for three fields. They win.
        const bool is_mapped = field == "hidden_size" || field == "num_hidden_layers" ||
                               field == "num_attention_heads";
        if (own.empty()) return std::nullopt;
        if (is_mapped && view_.has(field)) return view_.at(field);
        return view_.has(own) ? std::optional(view_.at(own)) : std::nullopt;
    }
    std::string path_to(std::string_view field) const {
        const auto found = find(field);
        return found ? found->path() : '/' + std::string(own_field(*family_, field));
    }

    /// By the first of "architectures", as "BertForMaskedLM"; null if that says nothing.
    const Family* family_of_class() const {
        if (!view_.holds("architectures") || !view_.at("architectures").is_array() ||
            view_.at("architectures").size() == 0)
            return nullptr;
        const std::string& name = view_.at("architectures").at(std::size_t{0}).string();
        for (const Family& family : families) {
            if (!name.starts_with(family.class_prefix)) continue;
            const std::string_view rest = std::string_view(name).substr(family.class_prefix.size());
            if (rest.starts_with("For") || rest == "Model") return &family;
        }
        return nullptr;
    }

    void refuse_others() const {
        for (const char* key : {"is_decoder", "add_cross_attention"}) {
            if (view_.has(key) && view_.at(key).boolean())
                refuse(view_.at(key),
                       "false: landmarks see the whole text, so there is no causal form");
        }
        if (view_.holds("quantization_config")) check_quantization(view_.at("quantization_config"));
        if (family_->positions == PositionRule::after_two) return;
        if (view_.holds("position_embedding_type") &&
            view_.at("position_embedding_type").string() != "absolute") {
            refuse(view_.at("position_embedding_type"), "\"absolute\"");
        }
        if (view_.holds("pruned_heads") && view_.at("pruned_heads").object().size() != 0)
            refuse(view_.at("pruned_heads"), "no pruned heads");
    }

    const ConfigView& view_;
    Config& config_;
    const FileOptions& files_;
    const Family* family_;
};

}  // namespace nystromformer::inline v0_2::detail
