// SPDX-License-Identifier: MIT
// A scope in a checkpoint that mirrors a model's path: state["encoder"]["layer"][3].
#pragma once

#include <nystromformer/checkpoint/checkpoint.hpp>
#include <nystromformer/checkpoint/made_bytes.hpp>
#include <nystromformer/checkpoint/tensor.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/kernels/weights/linear_weights.hpp>
#include <nystromformer/threads.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer {

/// How the weights of linear layers are kept, and who packs them.
struct Packing {
    Precision precision = Precision::fp32;
    std::vector<std::string> keep_fp32;  ///< see LoadOptions
    std::shared_ptr<ThreadPool> threads = std::make_shared<ThreadPool>(1);
    bool check_finite = false;  ///< see LoadOptions
};

/// Reads tensors by their name in this scope, each checked against the shape that the model
/// expects, and remembers which were read, for the report of the others. Scopes of one StateDict
/// share that memory, so load from one thread.
class StateDict {
public:
    /// `prefix` is taken as it stands: "" or "nystromformer.".
    explicit StateDict(Checkpoint checkpoint, std::string prefix = "", Packing packing = {})
        : checkpoint_(std::move(checkpoint)),
          prefix_(std::move(prefix)),
          shared_(std::make_shared<Shared>(
              Shared{std::move(packing), detail::MadeBytes(checkpoint_), {}, {}})) {}

    StateDict operator[](std::string_view component) const {
        StateDict scope = *this;
        scope.prefix_.append(component).append(".");
        return scope;
    }
    StateDict operator[](const char* component) const {
        return (*this)[std::string_view(component)];
    }
    StateDict operator[](Index index) const {
        return (*this)[std::string_view(std::to_string(index))];
    }

    /// The path of this scope with its final dot, "" at the top.
    const std::string& prefix() const { return prefix_; }
    const Checkpoint& checkpoint() const { return checkpoint_; }

    /// True when the checkpoint holds the tensor; does not count as reading.
    bool has(std::string_view name) const { return find(name) != nullptr; }

    /// A tensor of shape (rows, cols). Throws TensorError where it is missing or of another shape
    /// or of an integer type, or where tensors that share bytes come to too many,
    /// UnsupportedError for floating types that are not read.
    template <typename Scalar>
    Matrix<Scalar> matrix(std::string_view name, Index rows, Index cols) const {
        return matrix<Scalar>(name, std::vector<Index>{rows, cols});
    }

    /// A tensor of any rank, flattened to (shape[0], product of the rest): conv.weight [heads, 1,
    /// K, 1] becomes (heads, K). Errors as above.
    template <typename Scalar>
    Matrix<Scalar> matrix(std::string_view name, const std::vector<Index>& shape) const {
        const TensorView& tensor = checked(name, shape);
        const Index rows = shape.empty() ? 1 : shape.front();
        Matrix<Scalar> result(rows, rows == 0 ? 0 : tensor.size() / rows);
        copy(tensor, result.data());
        return result;
    }

    /// A tensor of shape (size). Errors as above.
    template <typename Scalar>
    RowVector<Scalar> vector(std::string_view name, Index size) const {
        const TensorView& tensor = checked(name, {size});  // before anything is allocated
        RowVector<Scalar> result(size);
        copy(tensor, result.data());
        return result;
    }

    /// A tensor of shape (rows, cols), to be read piece by piece. Errors as above.
    template <typename Scalar>
    WeightRows<Scalar> weight_rows(std::string_view name, Index rows, Index cols) const {
        struct Source {
            Checkpoint checkpoint;  // keeps the map open
            const TensorView* tensor;
            bool check_finite;
            Source(Checkpoint owner, const TensorView* view, bool checks)
                : checkpoint(std::move(owner)), tensor(view), check_finite(checks) {}
            Source(const Source&) = delete;
            Source& operator=(const Source&) = delete;
            ~Source() { Checkpoint::release(*tensor); }
        };
        const TensorView& tensor = checked(name, {rows, cols});
        const auto source =
            std::make_shared<Source>(checkpoint_, &tensor, shared_->packing.check_finite);
        return [source, cols](Index first, Index count, Scalar* to) {
            convert(detail::slice(*source->tensor, first, count), to);
            if (source->check_finite) {
                check_finite(source->checkpoint, *source->tensor, first * cols, count * cols, to);
            }
        };
    }

    /// The precision for the linear layers of this scope.
    Precision precision() const {
        bool kept = false;
        for (const std::string& name : shared_->packing.keep_fp32) {
            if (('.' + prefix_).find('.' + name + '.') == std::string::npos) continue;
            shared_->kept.insert(name);  // of several that match, each is there
            kept = true;
        }
        return kept ? Precision::fp32 : shared_->packing.precision;
    }
    /// The first name in Packing::keep_fp32 that no scope asked about has in its path, or nothing.
    std::optional<std::string> unmatched_name() const {
        for (const std::string& name : shared_->packing.keep_fp32)
            if (!shared_->kept.contains(name)) return name;
        return std::nullopt;
    }
    ThreadPool& threads() const { return *shared_->packing.threads; }

    /// Any tensor, in row-major order, to `out`, which has room for a tensor of that shape. Errors
    /// as above.
    template <typename Scalar>
    void read(std::string_view name, const std::vector<Index>& shape, Scalar* out) const {
        copy(checked(name, shape), out);
    }

    /// Counts a tensor as used without reading it; nothing happens where there is none.
    void ignore(std::string_view name) const { shared_->used.insert(prefix_ + std::string(name)); }

    /// The full names under this prefix that were neither read nor ignored, sorted.
    std::vector<std::string> unused() const {
        std::vector<std::string> names;
        for (const auto& tensor : checkpoint_.tensors()) {
            if (tensor.name.starts_with(prefix_) && !shared_->used.contains(tensor.name))
                names.push_back(tensor.name);
        }
        return names;
    }

private:
    struct Shared {
        Packing packing;
        detail::MadeBytes made;
        std::set<std::string, std::less<>> used;
        std::set<std::string> kept;  // of packing.keep_fp32, what was found
    };

    /// The file's pages go at once, so that a model is never in memory twice while it is loaded.
    template <typename Scalar>
    void copy(const TensorView& tensor, Scalar* out) const {
        convert(tensor, out);
        Checkpoint::release(tensor);
        if (shared_->packing.check_finite) check_finite(checkpoint_, tensor, 0, tensor.size(), out);
    }

    /// TensorError for a number that is NaN or infinite among elements [first, first + count).
    template <typename Scalar>
    static void check_finite(const Checkpoint& checkpoint, const TensorView& tensor, Index first,
                             Index count, const Scalar* values) {
        const Scalar* end = values + count;
        const Scalar* found = std::find_if_not(values, end, detail::is_finite<Scalar>);
        if (found == end) return;
        throw TensorError({checkpoint.file_of(tensor.name),
                           "tensor " + detail::in_quotes(tensor.name) + " element " +
                               std::to_string(first + (found - values)),
                           "finite numbers (check_finite)", std::to_string(*found)});
    }

    const TensorView* find(std::string_view name) const {
        return checkpoint_.find(prefix_ + std::string(name));
    }

    /// The tensor, found to be of that shape and of a dtype for weights.
    const TensorView& checked(std::string_view name, const std::vector<Index>& shape) const {
        const std::string full = prefix_ + std::string(name);
        const TensorView* tensor = checkpoint_.find(full);
        const std::string file = checkpoint_.file_of(full);
        if (tensor == nullptr || tensor->shape != shape) {
            throw TensorError({file, "tensor " + detail::in_quotes(full),
                               "a tensor of shape " + detail::shape_text(shape),
                               tensor == nullptr ? "nothing" : detail::shape_text(tensor->shape)});
        }
        detail::require_weight(*tensor, file);
        shared_->made.add(*tensor, file);
        shared_->used.insert(full);
        return *tensor;
    }

    Checkpoint checkpoint_;
    std::string prefix_;
    std::shared_ptr<Shared> shared_;
};

}  // namespace nystromformer
