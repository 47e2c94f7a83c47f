// SPDX-License-Identifier: MIT
// Little-endian loads from unaligned bytes, and the exact values of F16 and BF16 patterns.
#pragma once

#include <nystromformer/core/bit_cast.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace nystromformer::inline v0_2::detail {

/// The value whose little-endian bytes begin at `source`, whatever the alignment and the host.
template <typename Value>
Value load_little(const std::byte* source) {
    if constexpr (std::endian::native == std::endian::little) {
        Value value;
        std::memcpy(&value, source, sizeof value);
        return value;
    } else {
        std::array<std::byte, sizeof(Value)> bytes;
        std::reverse_copy(source, source + sizeof(Value), bytes.begin());
        return bit_cast<Value>(bytes);
    }
}

/// IEEE binary16 to binary32, exact for all 65,536 patterns: sign 1, exponent 5, fraction 10 bits.
/// A NaN keeps its payload and becomes quiet.
inline float half_to_float(std::uint16_t half) {
    const std::uint32_t sign = (half & 0x8000u) << 16;
    const std::uint32_t rest = half & 0x7FFFu;
    if (rest >= 0x7C00u) {  // infinity or NaN
        const std::uint32_t quiet = rest > 0x7C00u ? 0x00400000u : 0u;
        return bit_cast<float>(sign | 0x7F800000u | quiet | ((rest & 0x03FFu) << 13));
    }
    if (rest <
        0x0400u) {  // zero or subnormal: fraction * 2^-24, which a float holds as a normal number
        const float magnitude = static_cast<float>(rest) * 0x1p-24f;
        return bit_cast<float>(sign | bit_cast<std::uint32_t>(magnitude));
    }
    return bit_cast<float>(sign | ((rest << 13) + ((127u - 15u) << 23)));
}

/// bfloat16 is the upper half of a binary32. A NaN keeps its payload and becomes quiet.
inline float bfloat_to_float(std::uint16_t bfloat) {
    const std::uint32_t quiet = (bfloat & 0x7FFFu) > 0x7F80u ? 0x00400000u : 0u;
    return bit_cast<float>((std::uint32_t{bfloat} << 16) | quiet);
}

}  // namespace nystromformer::inline v0_2::detail
