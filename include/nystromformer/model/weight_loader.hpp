// SPDX-License-Identifier: MIT
// WeightLoader: a scope of a checkpoint while a model is loaded, with the precision of its linear
// layers, the threads that pack them, and the checks that the caller asked for.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/checkpoint/tensor_layout.hpp>
#include <nystromformer/config.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/kernels/weights/linear_weights.hpp>
#include <nystromformer/model/tensor_names.hpp>
#include <nystromformer/options.hpp>
#include <nystromformer/state_dict.hpp>
#include <nystromformer/threads.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Gives a component's `load` its tensors. Paths are Nystromformer's; TensorNames translates them
/// to the names in the files. Scopes of one WeightLoader share what they remember.
class WeightLoader {
public:
    /// `threads` is the model's pool.
    WeightLoader(const Checkpoint& checkpoint, const LoadOptions& options,
                 std::shared_ptr<ThreadPool> threads, const NystromformerConfig& config = {})
        : state_(checkpoint),
          shared_(std::make_shared<Shared>(Shared{options.precision, options.keep_fp32,
                                                  std::move(threads), options.check_finite,
                                                  TensorNames(config, checkpoint)})) {}

    WeightLoader operator[](std::string_view component) const {
        WeightLoader scope = *this;
        scope.path_.append(component).append(".");
        return scope;
    }
    WeightLoader operator[](const char* component) const {
        return (*this)[std::string_view(component)];
    }
    WeightLoader operator[](Index index) const {
        return (*this)[std::string_view(std::to_string(index))];
    }
    /// The same scope, whose linear layers stay in fp32: what a head reads.
    WeightLoader in_fp32() const {
        WeightLoader scope = *this;
        scope.stays_fp32_ = true;
        return scope;
    }

    bool has(std::string_view name) const { return state_.has(own_name(name)); }
    void ignore(std::string_view name) const { state_.ignore(own_name(name)); }
    /// What the files call the tensor `name` of this scope.
    std::string own_name(std::string_view name) const {
        return shared_->names(path_ + std::string(name));
    }
    ThreadPool& threads() const { return *shared_->threads; }

    // Tensors of a given shape; errors as StateDict's, and TensorError for a number that is NaN or
    // infinite if LoadOptions::check_finite asks for that.

    template <typename Scalar>
    Matrix<Scalar> matrix(std::string_view name, const std::vector<Index>& shape) const {
        Matrix<Scalar> result = state_.matrix<Scalar>(own_name(name), shape);
        check_finite(found(name), 0, result.size(), result.data());
        return result;
    }
    template <typename Scalar>
    Matrix<Scalar> matrix(std::string_view name, Index rows, Index cols) const {
        return matrix<Scalar>(name, std::vector<Index>{rows, cols});
    }
    template <typename Scalar>
    RowVector<Scalar> vector(std::string_view name, Index size) const {
        RowVector<Scalar> result = state_.vector<Scalar>(own_name(name), size);
        check_finite(found(name), 0, size, result.data());
        return result;
    }
    template <typename Scalar>
    void read(std::string_view name, Index size, Scalar* out) const {
        state_.read(own_name(name), {size}, out);
        check_finite(found(name), 0, size, out);
    }
    /// A tensor of shape (rows, cols), to be read piece by piece.
    template <typename Scalar>
    WeightRows<Scalar> weight_rows(std::string_view name, Index rows, Index cols) const;

    /// The precision of the linear layers of this scope.
    Precision precision() const {
        if (stays_fp32_) return Precision::fp32;
        bool kept = false;
        for (const std::string& name : shared_->keep_fp32) {
            if (('.' + path_).find('.' + name + '.') == std::string::npos) continue;
            shared_->matched.insert(name);
            kept = true;
        }
        return kept ? Precision::fp32 : shared_->precision;
    }
    /// The first keep_fp32 entry that matched no layer, if any.
    std::optional<std::string> unmatched_name() const {
        for (const std::string& name : shared_->keep_fp32)
            if (!shared_->matched.contains(name)) return name;
        return std::nullopt;
    }
    /// The full names that were neither read nor ignored, sorted. Only at the top.
    std::vector<std::string> unused() const { return state_.unused(); }

private:
    struct Shared {
        Precision precision;
        std::vector<std::string> keep_fp32;
        std::shared_ptr<ThreadPool> threads;
        bool check_finite;
        TensorNames names;
        std::set<std::string> matched = {};  // of keep_fp32
    };

    /// Keeps the map open while rows are read, and gives its pages back afterwards.
    struct Source;

    /// A tensor that has been read.
    const TensorView& found(std::string_view name) const {
        return *state_.checkpoint().find(own_name(name));
    }
    template <typename Scalar>
    void check_finite(const TensorView& tensor, Index first, Index count,
                      const Scalar* values) const {
        if (!shared_->check_finite) return;
        const Scalar* end = values + count;
        const Scalar* found = std::find_if_not(values, end, is_finite<Scalar>);
        if (found == end) return;
        throw TensorError({state_.checkpoint().file_of(tensor.name),
                           "tensor " + in_quotes(tensor.name) + " element " +
                               std::to_string(first + (found - values)),
                           "finite numbers (check_finite)", std::to_string(*found)});
    }

    StateDict state_;  // the whole of it
    std::string path_;
    std::shared_ptr<Shared> shared_;
    bool stays_fp32_ = false;
};

struct WeightLoader::Source {
    WeightLoader loader;
    const TensorView& tensor;
    Source(const WeightLoader& owner, const TensorView& view) : loader(owner), tensor(view) {}
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    ~Source() { loader.state_.checkpoint().release(tensor); }
};

template <typename Scalar>
WeightRows<Scalar> WeightLoader::weight_rows(std::string_view name, Index rows, Index cols) const {
    const auto source =
        std::make_shared<const Source>(*this, state_.tensor(own_name(name), {rows, cols}));
    return [source, cols](Index first, Index count, Scalar* to) {
        convert(slice(source->tensor, first, count), to);
        source->loader.check_finite(source->tensor, first * cols, count * cols, to);
    };
}

}  // namespace nystromformer::inline v0_2::detail
