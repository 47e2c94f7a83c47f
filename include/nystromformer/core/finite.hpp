// SPDX-License-Identifier: MIT
// NaN and infinity, recognised by their bits: -ffast-math lets the compiler believe that there are
// none.
#pragma once

#include <nystromformer/core/bit_cast.hpp>

#include <cstdint>

namespace nystromformer::inline v0_2::detail {

inline std::uint32_t magnitude_bits(float value) {
    return bit_cast<std::uint32_t>(value) & 0x7FFFFFFFu;
}
inline std::uint64_t magnitude_bits(double value) {
    return bit_cast<std::uint64_t>(value) & 0x7FFFFFFFFFFFFFFFu;
}
inline constexpr std::uint32_t infinity_bits(float) { return 0x7F800000u; }
inline constexpr std::uint64_t infinity_bits(double) { return 0x7FF0000000000000u; }

/// False for NaN and the infinities.
template <typename Scalar>
bool is_finite(Scalar value) {
    return magnitude_bits(value) < infinity_bits(value);
}

template <typename Scalar>
bool is_nan(Scalar value) {
    return magnitude_bits(value) > infinity_bits(value);
}

}  // namespace nystromformer::inline v0_2::detail
