// SPDX-License-Identifier: MIT
// Tensors of one checkpoint on their way into another, under new names.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/checkpoint/made_bytes.hpp>
#include <nystromformer/checkpoint/tensor_elements.hpp>
#include <nystromformer/checkpoint/tensor_layout.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/safetensors.hpp>
#include <nystromformer/tensor.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Takes tensors of `source` with the bytes that they have, each checked against the shape that the
/// model expects, and remembers which were taken.
class MovedTensors {
public:
    explicit MovedTensors(Checkpoint source) : source_(std::move(source)), made_(source_) {}
    MovedTensors(MovedTensors&&) = default;  // views stay valid, which they would not in a copy

    bool has(const std::string& name) const { return source_.find(name) != nullptr; }

    /// Takes `from` as `to`. TensorError if it is missing, of another shape or of whole numbers,
    /// UnsupportedError for floating types that are not read.
    void move(const std::string& from, const std::string& to, const std::vector<Index>& shape) {
        TensorView view = take(from, shape);
        view.name = to;
        tensors_.push_back(std::move(view));
    }
    /// A table `to` of these rows of the table `from` of shape [rows, cols]; -1 is a row of zeros.
    void move_rows(const std::string& from, const std::string& to, Index rows, Index cols,
                   const std::vector<Index>& chosen) {
        TensorView view = take(from, {rows, cols});
        std::ostringstream stream;
        write_elements(stream, view);  // row after row, whatever the strides
        const std::string bytes = std::move(stream).str();
        const std::size_t width = bytes.size() / static_cast<std::size_t>(rows);
        std::vector<std::byte> table(chosen.size() * width, std::byte{0});
        for (std::size_t i = 0; i < chosen.size(); ++i) {
            if (chosen[i] < 0) continue;
            const char* row = bytes.data() + static_cast<std::size_t>(chosen[i]) * width;
            std::transform(row, row + width, table.begin() + static_cast<std::ptrdiff_t>(i * width),
                           [](char byte) { return static_cast<std::byte>(byte); });
        }
        add(to, view.dtype, {static_cast<Index>(chosen.size()), cols}, std::move(table));
    }
    /// Zeros in F32.
    void add_zeros(const std::string& to, std::vector<Index> shape) {
        std::size_t size = sizeof(float);
        for (const Index dimension : shape) size *= static_cast<std::size_t>(dimension);
        add(to, DType::f32, std::move(shape), std::vector<std::byte>(size, std::byte{0}));
    }

    /// Counts a tensor as taken that has no place of its own.
    void ignore(const std::string& name) { taken_.insert(name); }
    /// True if both exist and hold the same bytes.
    bool same(const std::string& first, const std::string& second) const {
        const TensorView *a = source_.find(first), *b = source_.find(second);
        return a != nullptr && b != nullptr && a->dtype == b->dtype && a->shape == b->shape &&
               a->strides == b->strides &&
               std::equal(a->bytes.begin(), a->bytes.end(), b->bytes.begin(), b->bytes.end());
    }

    /// What was taken; views into this object and its source.
    const std::vector<TensorView>& tensors() const { return tensors_; }
    /// The names that nothing was made of, sorted.
    std::vector<std::string> left_out() const {
        std::vector<std::string> names = source_.names();
        std::erase_if(names, [&](const std::string& name) { return taken_.contains(name); });
        return names;
    }

private:
    const TensorView& take(const std::string& name, const std::vector<Index>& shape) {
        const TensorView* tensor = source_.find(name);
        if (tensor == nullptr || tensor->shape != shape) {
            throw TensorError(
                {source_.file_of(name), "tensor " + in_quotes(name),
                 "a tensor of shape " + shape_text(shape),
                 tensor == nullptr ? "none of that name" : shape_text(tensor->shape)});
        }
        require_weight(*tensor, source_.file_of(name));
        made_.add(*tensor, source_.file_of(name));
        taken_.insert(name);
        return *tensor;
    }
    void add(const std::string& name, DType dtype, std::vector<Index> shape,
             std::vector<std::byte> bytes) {
        owned_.push_back(std::move(bytes));
        TensorView view;
        view.name = name;
        view.dtype = dtype;
        view.shape = std::move(shape);
        view.bytes = owned_.back();
        tensors_.push_back(std::move(view));
    }

    Checkpoint source_;
    MadeBytes made_;
    std::vector<TensorView> tensors_;
    std::vector<std::vector<std::byte>> owned_;
    std::set<std::string> taken_;
};

}  // namespace nystromformer::inline v0_2::detail
