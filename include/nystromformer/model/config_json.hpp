// SPDX-License-Identifier: MIT
// Reads and writes config.json.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/checkpoint/folder_contents.hpp>
#include <nystromformer/config.hpp>
#include <nystromformer/core/file.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/core/python_json.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/kernels/activations.hpp>
#include <nystromformer/model/config_fields.hpp>
#include <nystromformer/model/config_reader.hpp>
#include <nystromformer/model/config_writer.hpp>
#include <nystromformer/model/family.hpp>
#include <nystromformer/model/label_order.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace nystromformer::inline v0_2 {

namespace detail {

/// The family whose scope or names the weights of a folder have, for the config.json of 2019 that
/// has no model_type. Null if there are none, or they do not say: a bare encoder of BERT and
/// one of RoBERTa have the same names.
inline const Family* family_of_weights(const std::filesystem::path& folder,
                                       const FileOptions& files) {
    if (!has_weights(folder, files)) return nullptr;
    const Checkpoint checkpoint = Checkpoint::open(folder, files);
    const auto found = std::find_if(families.begin(), families.end(), [&](const Family& family) {
        const std::string position = "embeddings.position_embeddings.weight";
        return checkpoint.find(std::string(family.scope) + '.' + position) != nullptr;
    });
    if (found != families.end()) return &*found;
    return checkpoint.find("transformer.layer.0.attention.q_lin.weight") ? find_family("distilbert")
                                                                         : nullptr;
}

}  // namespace detail

NYSTROMFORMER_INLINE NystromformerConfig NystromformerConfig::from_json(std::string_view text,
                                                                        const std::string& file,
                                                                        const FileOptions& files) {
    detail::check_size(file, text.size(),
                       std::min<std::uint64_t>(detail::max_config_size, files.max_text_bytes));
    const detail::JsonTree json = detail::parse_python_json(text, file, files);
    const detail::ConfigView view(json, file);
    NystromformerConfig config;
    detail::ConfigReader(view.object(), config, files).read();
    detail::read_label_order(text, config);
    return config;
}

NYSTROMFORMER_INLINE NystromformerConfig NystromformerConfig::from_pretrained(
    const std::filesystem::path& folder, const FileOptions& files) {
    const auto path = folder / "config.json";
    const std::string file = path_to_utf8(path);
    if (!detail::is_there(path, files))
        throw IoError(
            {file, "", "the config.json of a model", detail::what_is_there(folder, files)});
    const std::string text = detail::read_file(path, detail::max_config_size, files);
    const detail::JsonTree json = detail::parse_python_json(text, file, files);
    const detail::ConfigView view(json, file);
    NystromformerConfig config;
    detail::ConfigReader reader(view.object(), config, files);
    const detail::Family* by_tensors =
        reader.family() == nullptr ? detail::family_of_weights(folder, files) : nullptr;
    reader.read(by_tensors == nullptr ? detail::families.front() : *by_tensors);
    detail::read_label_order(text, config);
    return config;
}

NYSTROMFORMER_INLINE std::string NystromformerConfig::to_json() const {
    detail::Json json;
    json["model_type"] = model_type;
    detail::visit_fields(*this, detail::ConfigWriter(json, detail::family_of(model_type)));
    return detail::config_text(json, *this);
}

NYSTROMFORMER_INLINE Activation NystromformerConfig::activation() const {
    if (const auto found = find_activation(hidden_act)) return *found;
    throw ConfigError(
        {"", "hidden_act", "one of " + detail::activation_names(), in_quotes(hidden_act)});
}

NYSTROMFORMER_INLINE Index NystromformerConfig::position_rows() const {
    const bool has_two_more =
        detail::family_of(model_type).positions == detail::PositionRule::after_two;
    return max_position_embeddings + (has_two_more ? 2 : 0);
}
NYSTROMFORMER_INLINE Index NystromformerConfig::first_position() const {
    switch (detail::family_of(model_type).positions) {
        case detail::PositionRule::after_two:
            return 2;
        case detail::PositionRule::from_zero:
            return 0;
        default:
            return pad_token_id.value_or(0) + 1;
    }
}
NYSTROMFORMER_INLINE std::optional<Index> NystromformerConfig::uncounted_id() const {
    const auto rule = detail::family_of(model_type).positions;
    return rule == detail::PositionRule::after_padding ? pad_token_id : padding_idx;
}

}  // namespace nystromformer::inline v0_2
