// SPDX-License-Identifier: MIT
// The tensors of a torch pickle as views of their storages: shapes, strides and offsets, checked.
#pragma once

#include <nystromformer/checkpoint/pickle.hpp>
#include <nystromformer/checkpoint/tensor_layout.hpp>
#include <nystromformer/core/checked.hpp>
#include <nystromformer/core/error_text.hpp>
#include <nystromformer/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Reads the tensors of a pickle: each becomes a view of its storage.
struct TorchTensors {
    std::function<std::optional<std::span<const std::byte>>(std::string_view key)> find;
    std::string scope;  // of the names of storages
    const std::string& file;
    std::uint64_t file_size;
    std::map<std::string_view, DType> dtypes;  // of the storages seen so far

    /// The view of one tensor, after a check that its first and last element lie in its storage.
    TensorView read(std::string_view name, const PickleValue& tensor);
    /// The bytes of a storage, which are exactly as many as the pickle says.
    std::span<const std::byte> storage(const PickleValue& storage, const std::string& place);
};

inline std::span<const std::byte> TorchTensors::storage(const PickleValue& storage,
                                                        const std::string& place) {
    const std::string name =
        scope.substr(0, scope.find(' ') + 1) +
        in_quotes(scope.substr(scope.find(' ') + 1) + std::string(storage.text));
    const auto found = find(storage.text);
    const auto size = checked_bytes(static_cast<std::uint64_t>(storage.integer), storage.dtype);
    if (!found || size != found->size()) {
        throw FormatError({file, place,
                           name + " of " + std::to_string(storage.integer) + ' ' +
                               std::string(nystromformer::name(storage.dtype)),
                           found ? std::to_string(found->size()) + " bytes" : "nothing"});
    }
    if (dtypes.emplace(storage.text, storage.dtype).first->second != storage.dtype)
        throw FormatError({file, place, "one type for " + name, "two"});
    return *found;
}

inline TensorView TorchTensors::read(std::string_view name, const PickleValue& tensor) {
    const std::string place = "tensor " + in_quotes(name);
    const PickleValue& source = *tensor.items[0];
    const auto bytes = storage(source, place);
    const auto integers = [](const PickleValue& tuple) {
        std::vector<Index> values;
        for (const auto* item : tuple.items) values.push_back(item->integer);
        return values;
    };
    TensorView view;
    view.name = name;
    view.dtype = source.dtype;
    view.shape = integers(*tensor.items[1]);
    view.strides = integers(*tensor.items[2]);
    const auto negative = [](Index value) { return value < 0; };
    const std::string found = "shape " + shape_text(view.shape) + ", strides " +
                              shape_text(view.strides) + ", offset " +
                              std::to_string(tensor.integer);
    if (view.shape.size() != view.strides.size() || tensor.integer < 0 ||
        std::any_of(view.shape.begin(), view.shape.end(), negative) ||
        std::any_of(view.strides.begin(), view.strides.end(), negative)) {
        throw FormatError(
            {file, place, "as many strides as dimensions, all of them at least 0", found});
    }
    const auto size = checked_size(view.shape);
    const std::uint64_t width = bits(view.dtype) / 8;
    const auto end =
        size ? end_of_view(view, static_cast<std::uint64_t>(tensor.integer)) : std::nullopt;
    if (!end || *end > static_cast<std::uint64_t>(source.integer)) {
        throw FormatError(
            {file, place,
             "elements inside the " + std::to_string(source.integer) + " of its storage", found});
    }
    // A stride of 0 repeats elements: more of them than the file has bytes are no weights.
    if (*size > file_size)
        throw FormatError({file, place, "no more elements than the file has bytes", found});
    if (*size == 0 || is_contiguous(view)) view.strides.clear();
    const auto begin = as<std::size_t>(static_cast<std::uint64_t>(tensor.integer) * width);
    if (*size != 0) view.bytes = bytes.subspan(begin, as<std::size_t>(*end * width) - begin);
    return view;
}

}  // namespace nystromformer::inline v0_2::detail
