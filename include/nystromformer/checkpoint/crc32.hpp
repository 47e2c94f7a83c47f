// SPDX-License-Identifier: MIT
// The CRC-32 of zip and gzip.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace nystromformer::inline v0_2::detail {

/// The CRC-32 of zip and gzip.
inline std::uint32_t crc32(std::span<const std::byte> bytes) {
    static constexpr auto table = [] {
        std::array<std::uint32_t, 256> result{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t value = i;
            for (int bit = 0; bit < 8; ++bit)
                value = (value >> 1) ^ ((value & 1) != 0 ? 0xEDB88320u : 0u);
            result[i] = value;
        }
        return result;
    }();
    std::uint32_t crc = 0xFFFFFFFFu;
    for (const std::byte byte : bytes)
        crc = (crc >> 8) ^ table[(crc ^ static_cast<std::uint32_t>(byte)) & 0xFFu];
    return ~crc;
}

}  // namespace nystromformer::inline v0_2::detail
