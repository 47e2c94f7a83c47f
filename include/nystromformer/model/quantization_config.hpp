// SPDX-License-Identifier: MIT
// /quantization_config of a config.json: the one kind of quantized weights that is read.
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/error.hpp>

#include <string>

namespace nystromformer::inline v0_2::detail {

/// compressed-tensors' weights of 8 bits with a scale for each row or tensor, and activations as
/// they are. UnsupportedError for any other: it would change the answers. Source:
/// compressed_tensors 0.20, quantization/quant_args.py and quant_scheme.py
inline void check_quantization(const JsonView<ConfigError>& view) {
    using View = JsonView<ConfigError>;
    const auto refuse = [](const View& value, const char* expected) {
        throw UnsupportedError({value.file(), value.path(), expected, describe_json(value.raw())});
    };
    const auto require = [&](const View& object, const char* key, const auto& is_known,
                             const char* expected) {
        if (!object.holds(key)) refuse(object, expected);
        if (!is_known(object.at(key))) refuse(object.at(key), expected);
    };
    const auto require_null = [&](const View& object, const char* key) {
        if (object.holds(key)) refuse(object.at(key), "null: only weights may be quantized");
    };
    const auto one_of = [](auto... words) {
        return [=](const View& value) {
            return value.is_string() && ((value.string() == words) || ...);
        };
    };
    require(view, "quant_method", one_of("compressed-tensors"),
            "\"quant_method\": \"compressed-tensors\", or weights that are not quantized");
    require(view, "format", one_of("pack-quantized", "int-quantized", "naive-quantized"),
            "\"format\": \"pack-quantized\" or \"int-quantized\"");
    require_null(view, "kv_cache_scheme");
    const View groups = view.at("config_groups").object();
    for (const auto& [name, ignored] : groups.raw().items()) {
        const View group = groups.at(name);
        require_null(group, "input_activations");
        require_null(group, "output_activations");
        const View weights = group.at("weights").object();
        require(
            weights, "num_bits", [](const View& bits) { return bits.raw() == 8; },
            "\"num_bits\": 8");
        require(weights, "type", one_of("int"), "\"type\": \"int\"");
        require(weights, "strategy", one_of("channel", "tensor"), "\"strategy\": \"channel\"");
        if (weights.holds("symmetric") && !weights.at("symmetric").boolean())
            refuse(weights.at("symmetric"), "true");
    }
}

}  // namespace nystromformer::inline v0_2::detail
