// SPDX-License-Identifier: MIT
// Reads and writes config.json.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/file.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/kernels/activations.hpp>
#include <nystromformer/model/config_fields.hpp>
#include <nystromformer/model/config_reader.hpp>
#include <nystromformer/model/label_order.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace nystromformer {

NYSTROMFORMER_INLINE NystromformerConfig NystromformerConfig::from_json(std::string_view text,
                                                                        const std::string& file) {
    const detail::JsonTree json = detail::parse_json(text, file);
    const detail::ConfigView view(json, file);
    NystromformerConfig config;
    detail::ConfigReader(view.object(), config).read();
    detail::read_label_order(text, config);
    return config;
}

NYSTROMFORMER_INLINE NystromformerConfig NystromformerConfig::from_pretrained(
    const std::filesystem::path& folder, const FileOptions& files) {
    const auto path = folder / "config.json";
    return from_json(detail::read_file(path, detail::max_config_size, files), path.string());
}

NYSTROMFORMER_INLINE std::string NystromformerConfig::to_json() const {
    detail::Json json;
    json["model_type"] = "nystromformer";
    detail::visit_fields(*this, detail::ConfigWriter(json));
    return detail::config_text(json, *this);
}

NYSTROMFORMER_INLINE Activation NystromformerConfig::activation() const {
    if (const auto found = find_activation(hidden_act)) return *found;
    throw ConfigError(
        {"", "hidden_act", "one of " + detail::activation_names(), detail::in_quotes(hidden_act)});
}

}  // namespace nystromformer
