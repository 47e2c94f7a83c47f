// SPDX-License-Identifier: MIT
// The element types that safetensors knows, and what of them can be weights or indices here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nystromformer::inline v0_2 {

/// Every dtype of safetensors, in the order of its own enum (writers sort by it, descending).
enum class DType : std::uint8_t {
    boolean,
    f4,
    f6_e2m3,
    f6_e3m2,
    u8,
    i8,
    f8_e5m2,
    f8_e4m3,
    f8_e8m0,
    f8_e4m3fnuz,
    f8_e5m2fnuz,
    i16,
    u16,
    f16,
    bf16,
    i32,
    u32,
    f32,
    c64,
    f64,
    i64,
    u64,
};

namespace detail {

struct DTypeInfo {
    std::string_view name;
    unsigned bits;
};

/// Indexed by DType.
inline constexpr std::array<DTypeInfo, 22> dtype_infos{{
    {"BOOL", 8},        {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},
    {"I8", 8},          {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
    {"F8_E5M2FNUZ", 8}, {"I16", 16},    {"U16", 16},    {"F16", 16},    {"BF16", 16},
    {"I32", 32},        {"U32", 32},    {"F32", 32},    {"C64", 64},    {"F64", 64},
    {"I64", 64},        {"U64", 64},
}};

}  // namespace detail

/// The spelling in a safetensors header: "F32".
inline constexpr std::string_view name(DType dtype) {
    return detail::dtype_infos[static_cast<std::size_t>(dtype)].name;
}

/// Bits of one element: 4 and 6 for the packed types, else a multiple of 8.
inline constexpr unsigned bits(DType dtype) {
    return detail::dtype_infos[static_cast<std::size_t>(dtype)].bits;
}

/// The dtype of that exact spelling, if there is one.
inline constexpr std::optional<DType> dtype_named(std::string_view spelling) {
    for (std::size_t i = 0; i < detail::dtype_infos.size(); ++i) {
        if (detail::dtype_infos[i].name == spelling) return static_cast<DType>(i);
    }
    return std::nullopt;
}

/// True for what `convert` reads: F64, F32, F16, BF16.
inline constexpr bool is_weight(DType dtype) {
    return dtype == DType::f64 || dtype == DType::f32 || dtype == DType::f16 ||
           dtype == DType::bf16;
}

/// True for what `to_int64` reads: I64, I32, I16, I8, U8, BOOL.
inline constexpr bool is_integer(DType dtype) {
    return dtype == DType::i64 || dtype == DType::i32 || dtype == DType::i16 ||
           dtype == DType::i8 || dtype == DType::u8 || dtype == DType::boolean;
}

namespace detail {

/// Every known spelling, for messages.
inline std::string dtype_names() {
    std::string names;
    for (const auto& info : dtype_infos) {
        if (!names.empty()) names += ", ";
        names += info.name;
    }
    return names;
}

}  // namespace detail
}  // namespace nystromformer::inline v0_2
