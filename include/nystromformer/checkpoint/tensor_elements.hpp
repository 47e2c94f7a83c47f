// SPDX-License-Identifier: MIT
// Writes the elements of a tensor to a stream.
#pragma once

#include <nystromformer/checkpoint/tensor_layout.hpp>
#include <nystromformer/core/checked.hpp>
#include <nystromformer/dtype.hpp>

#include <cstddef>
#include <ostream>

namespace nystromformer::inline v0_2::detail {

/// Writes the elements in row-major order.
inline void write_elements(std::ostream& stream, const TensorView& tensor) {
    const auto write = [&](const std::byte* bytes, Index count) {
        stream.write(reinterpret_cast<const char*>(bytes), as<std::streamsize>(count));
    };
    if (tensor.strides.empty()) {
        return write(tensor.bytes.data(), static_cast<Index>(tensor.bytes.size()));
    }
    const Index width = bits(tensor.dtype) / 8;
    for_each_row(tensor, [&](Index first, Index count, Index step) {
        for (Index i = 0; i < count; ++i)
            write(tensor.bytes.data() + (first + i * step) * width, width);
    });
}

}  // namespace nystromformer::inline v0_2::detail
