// SPDX-License-Identifier: MIT
// The bodies of StateDict and StateWriter.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/checkpoint/made_bytes.hpp>
#include <nystromformer/checkpoint/tensor_layout.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/safetensors.hpp>
#include <nystromformer/state_dict.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

/// What the scopes of a StateDict share.
struct StateDict::Memory {
    detail::MadeBytes made;
    std::set<std::string, std::less<>> used = {};
};

NYSTROMFORMER_INLINE StateDict::StateDict(Checkpoint checkpoint, std::string prefix)
    : checkpoint_(std::move(checkpoint)),
      prefix_(std::move(prefix)),
      memory_(std::make_shared<Memory>(Memory{detail::MadeBytes(checkpoint_)})) {}

NYSTROMFORMER_INLINE StateDict StateDict::operator[](std::string_view component) const {
    StateDict scope = *this;
    scope.prefix_.append(component).append(".");
    return scope;
}

NYSTROMFORMER_INLINE bool StateDict::has(std::string_view name) const {
    return checkpoint_.find(prefix_ + std::string(name)) != nullptr;
}

NYSTROMFORMER_INLINE const TensorView& StateDict::tensor(std::string_view name,
                                                         const std::vector<Index>& shape) const {
    const std::string full = prefix_ + std::string(name);
    const TensorView* tensor = checkpoint_.find(full);
    if (tensor == nullptr || tensor->shape != shape) {
        throw TensorError({checkpoint_.file_of(full), "tensor " + in_quotes(full),
                           "a tensor of shape " + shape_text(shape),
                           tensor == nullptr ? "nothing" : shape_text(tensor->shape)});
    }
    const std::string file = checkpoint_.file_of(full);
    detail::require_weight(*tensor, file);
    memory_->made.add(*tensor, file);
    memory_->used.insert(full);
    if (!tensor->row_scales.empty()) memory_->used.insert({full + "_scale", full + "_shape"});
    return *tensor;
}

NYSTROMFORMER_INLINE void StateDict::ignore(std::string_view name) const {
    memory_->used.insert(prefix_ + std::string(name));
}

NYSTROMFORMER_INLINE std::vector<std::string> StateDict::unused() const {
    std::vector<std::string> names;
    for (const auto& tensor : checkpoint_.tensors()) {
        if (tensor.name.starts_with(prefix_) && !memory_->used.contains(tensor.name))
            names.push_back(tensor.name);
    }
    return names;
}

namespace detail {

/// The bytes of the numbers in a file, which is little endian.
template <typename Scalar>
std::vector<std::byte> file_bytes(const Scalar* data, std::size_t size) {
    std::vector<std::byte> bytes(size * sizeof(Scalar));
    if (size > 0) std::memcpy(bytes.data(), data, bytes.size());
    if constexpr (std::endian::native == std::endian::big) {
        for (auto first = bytes.begin(); first != bytes.end(); first += sizeof(Scalar))
            std::reverse(first, first + sizeof(Scalar));
    }
    return bytes;
}

}  // namespace detail

NYSTROMFORMER_INLINE StateWriter::StateWriter()
    : tensors_(std::make_shared<std::vector<OwnedTensor>>()) {}

NYSTROMFORMER_INLINE StateWriter StateWriter::operator[](std::string_view component) const {
    StateWriter scope = *this;
    scope.prefix_.append(component).append(".");
    return scope;
}

NYSTROMFORMER_INLINE void StateWriter::add(std::string_view name, const float* data,
                                           std::size_t size, std::vector<Index> shape) const {
    add(name, DType::f32, std::move(shape), detail::file_bytes(data, size));
}
NYSTROMFORMER_INLINE void StateWriter::add(std::string_view name, const double* data,
                                           std::size_t size, std::vector<Index> shape) const {
    add(name, DType::f64, std::move(shape), detail::file_bytes(data, size));
}
NYSTROMFORMER_INLINE void StateWriter::add(std::string_view name, DType dtype,
                                           std::vector<Index> shape,
                                           std::vector<std::byte> bytes) const {
    std::string full = prefix_ + std::string(name);
    if (name_of_) {
        full = name_of_(full);
        const auto is_same = [&](const OwnedTensor& tensor) { return tensor.name == full; };
        if (std::any_of(tensors_->begin(), tensors_->end(), is_same)) return;
    }
    tensors_->push_back({std::move(full), dtype, std::move(shape), std::move(bytes)});
}

NYSTROMFORMER_INLINE StateWriter
StateWriter::renamed(std::function<std::string(std::string_view path)> name_of) const {
    StateWriter scope = *this;
    scope.prefix_.clear();
    scope.name_of_ = [outer = *this, name_of = std::move(name_of)](std::string_view path) {
        const std::string name = outer.prefix_ + name_of(path);
        return outer.name_of_ ? outer.name_of_(name) : name;
    };
    return scope;
}

NYSTROMFORMER_INLINE void StateWriter::write(const std::filesystem::path& path) const {
    std::vector<TensorView> views;
    for (const OwnedTensor& tensor : *tensors_)
        views.push_back({tensor.name, tensor.dtype, tensor.shape, tensor.bytes, {}});
    save_safetensors(path, views, {{"format", "pt"}});
}

}  // namespace nystromformer::inline v0_2
