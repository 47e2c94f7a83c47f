// SPDX-License-Identifier: MIT
// StateDict and StateWriter read and write the tensors of a checkpoint by their place in a model.
// For heads of your own.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/matrix.hpp>
#include <nystromformer/tensor.hpp>

#include <concepts>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

/// A scope in a checkpoint that mirrors a model's path: state["encoder"]["layer"][3]. Reads tensors
/// by their name in this scope, each checked against the shape that the model expects, and
/// remembers which were read, to report the others. Scopes of one StateDict share that memory, so
/// load from one thread.
class StateDict {
public:
    /// `prefix` is used verbatim: "" or "nystromformer.".
    explicit StateDict(Checkpoint checkpoint, std::string prefix = "");
    StateDict(const StateDict&) = default;
    StateDict& operator=(const StateDict&) = default;

    StateDict operator[](std::string_view component) const;
    StateDict operator[](const char* component) const {
        return (*this)[std::string_view(component)];
    }
    /// A template, so that a literal 0 is a number and no null pointer.
    template <std::integral Number>
    StateDict operator[](Number index) const {
        return (*this)[std::string_view(std::to_string(index))];
    }

    /// The path of this scope with its final dot, "" at the top.
    const std::string& prefix() const& { return prefix_; }
    std::string prefix() const&& { return prefix(); }
    const Checkpoint& checkpoint() const& { return checkpoint_; }
    Checkpoint checkpoint() const&& { return checkpoint(); }

    /// True if the checkpoint holds the tensor; does not count as reading.
    bool has(std::string_view name) const;

    /// The tensor of that name and shape; it counts as read. Throws TensorError if it is missing,
    /// has another shape or an integer type, or if tensors that share bytes become too large;
    /// UnsupportedError for a floating type that the library does not read.
    const TensorView& tensor(std::string_view name, const std::vector<Index>& shape) const;

    /// A tensor of shape (rows, cols). Errors as above.
    template <typename Scalar>
    Matrix<Scalar> matrix(std::string_view name, Index rows, Index cols) const {
        return matrix<Scalar>(name, std::vector<Index>{rows, cols});
    }

    /// A tensor of any rank, flattened to (shape[0], product of the rest): conv.weight [heads, 1,
    /// K, 1] becomes (heads, K). Errors as above.
    template <typename Scalar>
    Matrix<Scalar> matrix(std::string_view name, const std::vector<Index>& shape) const {
        const TensorView& view = tensor(name, shape);  // before memory is taken
        const Index rows = shape.empty() ? 1 : shape.front();
        Matrix<Scalar> result(rows, rows == 0 ? 0 : view.size() / rows);
        copy(view, result.data());
        return result;
    }

    /// A tensor of shape (size). Errors as above.
    template <typename Scalar>
    RowVector<Scalar> vector(std::string_view name, Index size) const {
        const TensorView& view = tensor(name, {size});  // before memory is taken
        RowVector<Scalar> result(size);
        copy(view, result.data());
        return result;
    }

    /// Copies a tensor of that shape, in row-major order, to `out`, which must have room for it.
    /// Errors as above.
    template <typename Scalar>
    void read(std::string_view name, const std::vector<Index>& shape, Scalar* out) const {
        copy(tensor(name, shape), out);
    }

    /// Counts a tensor as used without reading it; it need not exist.
    void ignore(std::string_view name) const;

    /// The full names under this prefix that were neither read nor ignored, sorted.
    std::vector<std::string> unused() const;

private:
    struct Memory;

    /// Gives the file's pages back at once, so that a model is never in memory twice while it is
    /// loaded.
    template <typename Scalar>
    void copy(const TensorView& view, Scalar* out) const {
        convert(view, out);
        checkpoint_.release(view);
    }

    Checkpoint checkpoint_;
    std::string prefix_;
    std::shared_ptr<Memory> memory_;
};

/// Collects tensors under names that mirror the model's path:
/// writer["encoder"]["layer"][3].add("weight", w). Scopes of one StateWriter share what they
/// collect.
class StateWriter {
public:
    StateWriter();
    StateWriter(const StateWriter&) = default;
    StateWriter& operator=(const StateWriter&) = default;

    StateWriter operator[](std::string_view component) const;
    StateWriter operator[](const char* component) const {
        return (*this)[std::string_view(component)];
    }
    template <std::integral Number>
    StateWriter operator[](Number index) const {
        return (*this)[std::string_view(std::to_string(index))];
    }
    /// The same collection; each tensor is added as `name_of(path)`, and each name only once.
    StateWriter renamed(std::function<std::string(std::string_view path)> name_of) const;

    /// Adds a matrix with its shape (rows, cols), or with a `shape` of the same size.
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

    /// Writes everything added so far as one safetensors file, F32 from float and F64 from double.
    /// IoError if that fails; InputError if two tensors have the same name.
    void write(const std::filesystem::path& path) const;

private:
    struct OwnedTensor {
        std::string name;
        DType dtype;
        std::vector<Index> shape;
        std::vector<std::byte> bytes;
    };

    void add(std::string_view name, const float* data, std::size_t size,
             std::vector<Index> shape) const;
    void add(std::string_view name, const double* data, std::size_t size,
             std::vector<Index> shape) const;

    void add(std::string_view name, DType dtype, std::vector<Index> shape,
             std::vector<std::byte> bytes) const;

    std::shared_ptr<std::vector<OwnedTensor>> tensors_;
    std::string prefix_;
    std::function<std::string(std::string_view)> name_of_;
};

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/model/state_scopes.hpp>
#endif
