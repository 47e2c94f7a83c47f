// SPDX-License-Identifier: MIT
// Matrices of 8-bit integers with a scale for each row, as compressed-tensors writes them.
#pragma once

#include <nystromformer/checkpoint/tensor_layout.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/dtype.hpp>
#include <nystromformer/tensor.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// The scales of NAME: NAME_scale of (rows), (rows, 1) or one element; none if there are no such.
inline std::vector<float> row_scales(const std::vector<TensorView>& tensors,
                                     const std::string& name, Index rows) {
    const TensorView* scale = find_tensor(tensors, name + "_scale");
    if (scale == nullptr || !is_weight(scale->dtype)) return {};
    const bool is_for_all = scale->size() == 1;
    if (!is_for_all && scale->size() != rows) return {};
    std::vector<float> scales(static_cast<std::size_t>(scale->size()));
    convert(*scale, scales.data());
    if (is_for_all) scales.assign(static_cast<std::size_t>(rows), scales[0]);
    return scales;
}

/// NAME_packed, whose I32 elements are four bytes of a row each, becomes a U8 matrix NAME of the
/// shape in NAME_shape. Nothing if the tensors do not fit together.
inline void unpack(const std::vector<TensorView>& tensors, TensorView& packed) {
    constexpr std::string_view ending = "_packed";
    const std::string name = packed.name.substr(0, packed.name.size() - ending.size());
    const TensorView* shape = find_tensor(tensors, name + "_shape");
    if (shape == nullptr || !is_integer(shape->dtype) || shape->size() != 2) return;
    const std::vector<std::int64_t> sizes = to_int64(*shape);
    const Index rows = packed.shape[0], words = packed.shape[1];
    if (sizes[0] != rows || sizes[1] < 0 || words != sizes[1] / 4 + (sizes[1] % 4 != 0)) return;
    std::vector<float> scales = row_scales(tensors, name, rows);
    if (static_cast<Index>(scales.size()) != rows) return;
    packed.name = name;
    packed.dtype = DType::u8;
    packed.shape = {rows, sizes[1]};
    if (sizes[1] % 4 != 0) packed.strides = {4 * words, 1};
    packed.row_scales = std::move(scales);
}

/// Gives the quantized matrices among `tensors`, which stay sorted, their scales and shapes;
/// `shard_of` (empty, or one for each) moves with them. The tensors are of safetensors files, where
/// none shares bytes with another: scales take at most four times the bytes of their matrix.
/// Source: compressed_tensors 0.20, compressors/naive_quantized and compressors/pack_quantized
inline void find_quantized(std::vector<TensorView>& tensors, std::vector<std::size_t>& shard_of) {
    // A matrix without elements could have any number of rows, each with a scale.
    const auto is_matrix = [](const TensorView& tensor, DType dtype) {
        return tensor.dtype == dtype && tensor.shape.size() == 2 && tensor.size() > 0;
    };
    const auto is_packed = [&](const TensorView& tensor) {
        return is_matrix(tensor, DType::i32) && tensor.name.ends_with("_packed");
    };
    for (TensorView& tensor : tensors)
        if (is_matrix(tensor, DType::i8))
            tensor.row_scales = row_scales(tensors, tensor.name, tensor.shape[0]);
    if (std::none_of(tensors.begin(), tensors.end(), is_packed)) return;
    std::vector<TensorView> named = tensors;  // sorted by the names in the file
    for (TensorView& tensor : named)
        if (is_packed(tensor)) unpack(tensors, tensor);
    std::vector<std::size_t> order(named.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return named[a].name != named[b].name ? by_name(named[a], named[b]) : a < b;
    });
    const std::vector<std::size_t> old_shards = shard_of;
    for (std::size_t i = 0; i < order.size(); ++i) {
        if (!old_shards.empty()) shard_of[i] = old_shards[order[i]];
        tensors[i] = std::move(named[order[i]]);
    }
}

}  // namespace nystromformer::inline v0_2::detail
