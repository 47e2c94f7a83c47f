// SPDX-License-Identifier: MIT
// The names of the values of shared options.
#pragma once

#include <nystromformer/core/names.hpp>
#include <nystromformer/options.hpp>

#include <optional>
#include <string_view>

namespace nystromformer::inline v0_2 {

namespace detail {
inline constexpr auto precision_names = enum_names<Precision>("fp32", "bf16", "int8", "auto");
inline constexpr auto attention_names = enum_names<Attention>("config", "exact", "nystrom");
}  // namespace detail

inline std::string_view name(Precision precision) { return detail::precision_names[precision]; }
inline std::optional<Precision> precision_named(std::string_view word) {
    return detail::precision_names.find(word);
}
inline std::string_view name(Attention attention) { return detail::attention_names[attention]; }
inline std::optional<Attention> attention_named(std::string_view word) {
    return detail::attention_names.find(word);
}

}  // namespace nystromformer::inline v0_2
