// SPDX-License-Identifier: MIT
// Arithmetic on numbers that come from files: every overflow is reported, none wraps.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

namespace nystromformer::inline v0_2::detail {

inline std::optional<std::uint64_t> checked_add(std::uint64_t a, std::uint64_t b) {
    if (a > std::numeric_limits<std::uint64_t>::max() - b) return std::nullopt;
    return a + b;
}

inline std::optional<std::uint64_t> checked_multiply(std::uint64_t a, std::uint64_t b) {
    if (b != 0 && a > std::numeric_limits<std::uint64_t>::max() / b) return std::nullopt;
    return a * b;
}

/// `value`, which is known to fit, as a To. (A plain cast is useless, and warned of, on machines
/// where both types are the same.)
template <typename To, typename From>
constexpr To as(From value) {
    return static_cast<To>(value);
}

}  // namespace nystromformer::inline v0_2::detail
