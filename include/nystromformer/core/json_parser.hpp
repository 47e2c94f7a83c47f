// SPDX-License-Identifier: MIT
// The bodies of parse_json and describe_json, which compile nlohmann's parser and writer.
#pragma once

#include <nystromformer/core/error_text.hpp>
#include <nystromformer/core/finite.hpp>
#include <nystromformer/core/json_builder.hpp>
#include <nystromformer/core/json_events.hpp>
#include <nystromformer/core/json_tree.hpp>
#include <nystromformer/core/memory_budget.hpp>
#include <nystromformer/core/mode.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace nystromformer::inline v0_2::detail {

NYSTROMFORMER_INLINE JsonTree parse_json(std::string_view text, MemoryBudget& budget,
                                         const JsonRules& rules) {
    constexpr std::size_t max_token = std::size_t{8} << 20;
    StrictJsonBuilder builder(budget, rules);
    parse_json_events(text, max_token, builder);
    return builder.take_tree();
}

NYSTROMFORMER_INLINE std::string describe_json(const Json& value) {
    if (value.is_object()) return "an object";
    if (value.is_array()) return "an array of " + std::to_string(value.size());
    if (value.is_string()) return in_quotes(value.get_ref<const std::string&>());
    const auto* real = value.get_ptr<const Json::number_float_t*>();
    if (real != nullptr && !is_finite(*real))  // which JSON cannot write
        return is_nan(*real) ? "NaN" : *real < 0 ? "-Infinity" : "Infinity";
    return value.dump();
}

}  // namespace nystromformer::inline v0_2::detail
