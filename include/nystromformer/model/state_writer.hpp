// SPDX-License-Identifier: MIT
// StateWriter: a scope to put named tensors into, the counterpart of StateDict, written as one
// safetensors file.
#pragma once

#include <nystromformer/checkpoint/safetensors_writer.hpp>
#include <nystromformer/core/matrix.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace nystromformer {

/// Collects tensors under names that mirror the checkpoint's path:
/// writer["encoder"]["layer"][3].add("weight", w).
class StateWriter {
public:
    StateWriter() : tensors_(std::make_shared<std::vector<OwnedTensor>>()) {}

    StateWriter operator[](std::string_view component) const {
        StateWriter scope = *this;
        scope.prefix_ += std::string(component) + '.';
        return scope;
    }
    StateWriter operator[](Index i) const { return (*this)[std::string_view(std::to_string(i))]; }

    /// A matrix of shape (rows, cols), or `shape` of the same size.
    template <typename Scalar>
    void add(std::string_view name, const Matrix<Scalar>& matrix,
             std::vector<Index> shape = {}) const {
        if (shape.empty()) shape = {matrix.rows(), matrix.cols()};
        add(name, matrix.data(), static_cast<std::size_t>(matrix.size()), std::move(shape));
    }
    template <typename Scalar>
    void add(std::string_view name, const RowVector<Scalar>& vector) const {
        add(name, vector.data(), static_cast<std::size_t>(vector.size()), {vector.size()});
    }

    /// Writes everything added so far, F32 from float and F64 from double. IoError where that
    /// fails.
    void write(const std::filesystem::path& path) const {
        std::vector<TensorView> views;
        for (const OwnedTensor& tensor : *tensors_) {
            TensorView view;
            view.name = tensor.name;
            view.dtype = tensor.dtype;
            view.shape = tensor.shape;
            view.bytes = tensor.bytes;
            views.push_back(std::move(view));
        }
        save_safetensors(path, views, {{"format", "pt"}});
    }

private:
    struct OwnedTensor {
        std::string name;
        DType dtype;
        std::vector<Index> shape;
        std::vector<std::byte> bytes;
    };

    template <typename Scalar>
    void add(std::string_view name, const Scalar* data, std::size_t size,
             std::vector<Index> shape) const {
        static_assert(std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double>);
        constexpr DType dtype = std::is_same_v<Scalar, float> ? DType::f32 : DType::f64;
        std::vector<std::byte> bytes(size * sizeof(Scalar));
        if (size > 0) std::memcpy(bytes.data(), data, bytes.size());
        if constexpr (std::endian::native == std::endian::big) {  // files are little endian
            for (auto first = bytes.begin(); first != bytes.end(); first += sizeof(Scalar)) {
                std::reverse(first, first + sizeof(Scalar));
            }
        }
        tensors_->push_back(
            {prefix_ + std::string(name), dtype, std::move(shape), std::move(bytes)});
    }

    std::shared_ptr<std::vector<OwnedTensor>> tensors_;
    std::string prefix_;
};

}  // namespace nystromformer
