// SPDX-License-Identifier: MIT
// Shapes, strides and bytes of tensors in files, checked for overflow.
#pragma once

#include <nystromformer/core/checked.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/dtype.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tensor_view.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// More than any model has; a file with more is an attack or an accident.
inline constexpr std::size_t max_dimensions = 8;

/// The number of elements, if neither it nor any partial product (zeros aside) passes 2^63 - 1.
inline std::optional<std::uint64_t> checked_size(const std::vector<Index>& shape) {
    std::uint64_t product = 1;
    bool empty = false;
    for (const Index dimension : shape) {
        if (dimension == 0) {
            empty = true;
            continue;
        }
        const auto next = checked_multiply(product, static_cast<std::uint64_t>(dimension));
        if (!next || *next > std::uint64_t{std::numeric_limits<Index>::max()}) return std::nullopt;
        product = *next;
    }
    return empty ? 0 : product;
}

/// The bytes that `size` elements take; nothing on overflow or if the last byte is not full.
inline std::optional<std::uint64_t> checked_bytes(std::uint64_t size, DType dtype) {
    const auto all_bits = checked_multiply(size, bits(dtype));
    if (!all_bits || *all_bits % 8 != 0) return std::nullopt;
    return *all_bits / 8;
}

inline bool by_name(const TensorView& a, const TensorView& b) { return a.name < b.name; }

/// Binary search in tensors sorted by name.
inline const TensorView* find_tensor(const std::vector<TensorView>& tensors,
                                     std::string_view name) {
    const auto found = std::lower_bound(
        tensors.begin(), tensors.end(), name,
        [](const TensorView& tensor, std::string_view key) { return tensor.name < key; });
    return found != tensors.end() && found->name == name ? &*found : nullptr;
}

/// True if the strides are those of a contiguous row-major tensor (of a dimension of 1 any will
/// do).
inline bool is_contiguous(const TensorView& view) {
    Index expected = 1;
    for (std::size_t axis = view.strides.size(); axis-- > 0;) {
        if (view.shape[axis] != 1 && view.strides[axis] != expected) return false;
        expected *= view.shape[axis];
    }
    return true;
}

/// One past the last element of a strided view that begins at `offset`, none of its numbers
/// negative; 0 for an empty one; nothing on overflow.
inline std::optional<std::uint64_t> end_of_view(const TensorView& view, std::uint64_t offset) {
    std::uint64_t last = offset;
    if (view.size() == 0) return 0;
    for (std::size_t axis = 0; axis < view.shape.size(); ++axis) {
        const auto reach = checked_multiply(static_cast<std::uint64_t>(view.shape[axis] - 1),
                                            static_cast<std::uint64_t>(view.strides[axis]));
        const auto next = reach ? checked_add(last, *reach) : std::nullopt;
        if (!next) return std::nullopt;
        last = *next;
    }
    return checked_add(last, 1);
}

/// Some of the first dimension of a tensor: [first, first + count).
inline TensorView slice(const TensorView& view, Index first, Index count) {
    TensorView part = view;
    const auto size = static_cast<std::size_t>(bits(view.dtype) / 8);
    part.shape.front() = count;
    if (!view.row_scales.empty()) {
        const auto begin = view.row_scales.begin() + as<std::ptrdiff_t>(first);
        part.row_scales.assign(begin, begin + as<std::ptrdiff_t>(count));
    }
    if (!view.strides.empty()) {  // from the first element to the last of the whole
        const auto begin = static_cast<std::size_t>(first * view.strides.front()) * size;
        part.bytes = count == 0 ? part.bytes.first(0) : part.bytes.subspan(begin);
        return part;
    }
    const std::size_t row = view.bytes.size() / static_cast<std::size_t>(view.shape.front());
    part.bytes = view.bytes.subspan(static_cast<std::size_t>(first) * row,
                                    static_cast<std::size_t>(count) * row);
    return part;
}

/// Calls visit(first, count, step) for each row of the innermost dimension in row-major order:
/// elements first, first + step, ... of the view's bytes.
template <typename Visit>
void for_each_row(const TensorView& view, const Visit& visit) {
    const Index total = view.size();
    if (total == 0) return;
    if (view.strides.empty() || view.shape.empty()) return visit(Index{0}, total, Index{1});
    const std::size_t outer = view.shape.size() - 1;
    const Index count = view.shape[outer];
    const Index step = view.strides[outer];
    std::vector<Index> position(outer, 0);
    Index first = 0;
    for (Index done = 0; done < total; done += count) {
        visit(first, count, step);
        for (std::size_t axis = outer; axis-- > 0;) {
            first += view.strides[axis];
            if (++position[axis] < view.shape[axis]) break;
            first -= view.strides[axis] * view.shape[axis];
            position[axis] = 0;
        }
    }
}

/// Throws unless the dtype of `view` can be a weight: TensorError for a whole-number type,
/// UnsupportedError for a floating type that this library does not run. I8 can with row_scales.
inline void require_weight(const TensorView& view, const std::string& file = "") {
    if (is_weight(view.dtype) || !view.row_scales.empty()) return;
    const ErrorDetails details{file, "tensor " + in_quotes(view.name),
                               "weights in F64, F32, F16 or BF16", std::string(name(view.dtype))};
    if (is_integer(view.dtype) || view.dtype == DType::u16 || view.dtype == DType::u32 ||
        view.dtype == DType::u64) {
        throw TensorError(details);
    }
    throw UnsupportedError(details);
}

}  // namespace nystromformer::inline v0_2::detail
