// SPDX-License-Identifier: MIT
// The exact conversion of a file's elements to the numbers that a model computes with.
#pragma once

#include <nystromformer/checkpoint/half.hpp>
#include <nystromformer/checkpoint/tensor_layout.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/dtype.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tensor.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace nystromformer::inline v0_2 {
namespace detail {

/// Reads elements stored as Stored, in order, through `decode`, into `out`.
template <typename Stored, typename Result, typename Decode>
void read_elements(const TensorView& view, Result* out, const Decode& decode) {
    for_each_row(view, [&](Index first, Index count, Index step) {
        const std::byte* source = view.bytes.data() + first * Index{sizeof(Stored)};
        const Index stride = step * Index{sizeof(Stored)};
        if (step == 1) {  // apart, so that the compiler sees the constant stride
            for (Index i = 0; i < count; ++i)
                out[i] = decode(load_little<Stored>(source + i * Index{sizeof(Stored)}));
        } else {
            for (Index i = 0; i < count; ++i)
                out[i] = decode(load_little<Stored>(source + i * stride));
        }
        out += count;
    });
}

/// The bytes of a contiguous view, as they are in the file.
template <typename Scalar>
bool copy_if_same(const TensorView& view, Scalar* out) {
    if constexpr (std::endian::native != std::endian::little) return false;
    if (!view.strides.empty()) return false;
    if (!view.bytes.empty()) std::memcpy(out, view.bytes.data(), view.bytes.size());
    return true;
}

/// Quantized weights, each row by its scale, in float as in Python.
/// Source: compressed_tensors 0.20, quantization/lifecycle/forward.py, function _dequantize
template <typename Scalar>
void convert_quantized(const TensorView& view, Scalar* out) {
    const Index cols = view.shape[1], stride = view.strides.empty() ? cols : view.strides[0];
    const int offset = view.dtype == DType::u8 ? 128 : 0;
    for (std::size_t row = 0; row < view.row_scales.size(); ++row) {
        const std::byte* from = view.bytes.data() + static_cast<Index>(row) * stride;
        for (Index i = 0; i < cols; ++i) {
            const auto bits = std::to_integer<std::uint8_t>(from[i]);
            const int value = offset == 0 ? static_cast<std::int8_t>(bits) : bits - offset;
            *out++ = static_cast<Scalar>(static_cast<float>(value) * view.row_scales[row]);
        }
    }
}

/// `convert` for either scalar.
template <typename Scalar>
void convert_to(const TensorView& view, Scalar* out) {
    require_weight(view);
    if (!view.row_scales.empty()) return convert_quantized(view, out);
    const auto cast = [](auto value) { return static_cast<Scalar>(value); };
    switch (view.dtype) {
        case DType::f64:
            if (sizeof(Scalar) == sizeof(double) && copy_if_same(view, out)) return;
            return read_elements<double>(view, out, cast);
        case DType::f32:
            if (sizeof(Scalar) == sizeof(float) && copy_if_same(view, out)) return;
            return read_elements<float>(view, out, cast);
        case DType::f16:
            return read_elements<std::uint16_t>(
                view, out, [&](std::uint16_t half) { return cast(half_to_float(half)); });
        default:
            return read_elements<std::uint16_t>(
                view, out, [&](std::uint16_t bfloat) { return cast(bfloat_to_float(bfloat)); });
    }
}

}  // namespace detail

NYSTROMFORMER_INLINE void convert(const TensorView& view, float* out) {
    detail::convert_to(view, out);
}
NYSTROMFORMER_INLINE void convert(const TensorView& view, double* out) {
    detail::convert_to(view, out);
}

NYSTROMFORMER_INLINE std::vector<std::int64_t> to_int64(const TensorView& view) {
    if (!is_integer(view.dtype)) {
        throw TensorError({"", "tensor " + in_quotes(view.name), "I64, I32, I16, I8, U8 or BOOL",
                           std::string(name(view.dtype))});
    }
    std::vector<std::int64_t> result(static_cast<std::size_t>(view.size()));
    const auto cast = [](auto value) { return std::int64_t{value}; };
    switch (view.dtype) {
        case DType::i64:
            detail::read_elements<std::int64_t>(view, result.data(), cast);
            break;
        case DType::i32:
            detail::read_elements<std::int32_t>(view, result.data(), cast);
            break;
        case DType::i16:
            detail::read_elements<std::int16_t>(view, result.data(), cast);
            break;
        case DType::i8:
            detail::read_elements<std::int8_t>(view, result.data(), cast);
            break;
        case DType::u8:
            detail::read_elements<std::uint8_t>(view, result.data(), cast);
            break;
        default:
            detail::read_elements<std::uint8_t>(
                view, result.data(), [](std::uint8_t value) { return std::int64_t{value != 0}; });
    }
    return result;
}

}  // namespace nystromformer::inline v0_2
