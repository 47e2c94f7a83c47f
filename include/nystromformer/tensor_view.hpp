// SPDX-License-Identifier: MIT
// TensorView: a named tensor in a file.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/dtype.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace nystromformer::inline v0_2 {

/// A named tensor whose bytes live elsewhere (in a map that a Checkpoint owns). Elements are little
/// endian, may be unaligned, and are row-major unless `strides` says otherwise.
struct TensorView {
    std::string name;
    DType dtype = DType::f32;
    std::vector<Index> shape;          ///< empty for a scalar
    std::span<const std::byte> bytes;  ///< from the first element to the last
    std::vector<Index> strides;        ///< in elements; empty: contiguous (torch archives only)
    /// For quantized weights: row i is its I8 elements (or its U8 elements minus 128) times
    /// row_scales[i]. Empty for other tensors.
    std::vector<float> row_scales = {};

    /// The number of elements: 1 for a scalar, 0 when a dimension is 0.
    Index size() const {
        Index product = 1;
        for (const Index dimension : shape) product *= dimension;
        return product;
    }
};

/// "[2, 3]", as Python prints a shape: for messages.
inline std::string shape_text(const std::vector<Index>& shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (i != 0) text += ", ";
        text += std::to_string(shape[i]);
    }
    return text + "]";
}

}  // namespace nystromformer::inline v0_2
