// SPDX-License-Identifier: MIT
// Tensors in files: TensorView, its element type DType, and the conversion to numbers.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/dtype.hpp>
#include <nystromformer/tensor_view.hpp>

#include <cstdint>
#include <vector>

namespace nystromformer::inline v0_2 {

/// Reads F64, F32, F16 or BF16 elements, in row-major order, to out[0..size()). Exact, except that
/// F64 is rounded to the nearest float; NaNs of F16 and BF16 become quiet. Also reads 8-bit
/// elements of a view with row_scales. Throws TensorError for other integer types, and
/// UnsupportedError for the packed and 8-bit floating types.
void convert(const TensorView& view, float* out);
void convert(const TensorView& view, double* out);

/// The elements of an I64, I32, I16, I8, U8 or BOOL tensor (a BOOL is 0 or 1), in row-major order.
/// Throws TensorError for other types.
std::vector<std::int64_t> to_int64(const TensorView& view);

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/checkpoint/convert.hpp>
#endif
