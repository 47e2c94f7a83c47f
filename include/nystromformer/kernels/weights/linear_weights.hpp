// SPDX-License-Identifier: MIT
// The weights of a linear layer in the precision that was chosen at load.
#pragma once

#include <nystromformer/error.hpp>
#include <nystromformer/kernels/weights/bfloat_matrix.hpp>
#include <nystromformer/kernels/weights/int8_matrix.hpp>
#include <nystromformer/kernels/weights/packed_matrix.hpp>
#include <nystromformer/options.hpp>

#include <string>
#include <type_traits>
#include <utility>
#include <variant>

namespace nystromformer::inline v0_2 {

namespace detail {

/// `precision`, or what `automatic` comes to on this CPU. A model that computes in double is exact.
template <typename Scalar>
Precision resolved(Precision precision) {
    if (precision != Precision::automatic) return precision;
    const bool in_bfloats = std::is_same_v<Scalar, float> && bfloat_kernels().beats_float;
    return in_bfloats ? Precision::bf16 : Precision::fp32;
}

}  // namespace detail

/// Weights (out, in) and a bias (out). bf16 and int8 are for float only.
template <typename Scalar>
class LinearWeights {
public:
    LinearWeights() = default;
    /// Errors: InputError for bf16 or int8 with another Scalar than float.
    LinearWeights(Index num_rows, Index num_cols, const WeightRows<Scalar>& weight,
                  const RowVector<Scalar>& bias, Precision precision, ThreadPool& threads)
        : matrix_(pack(num_rows, num_cols, weight, bias, detail::resolved<Scalar>(precision),
                       threads)) {}

    Index rows() const {
        return std::visit([](const auto& matrix) { return matrix.rows(); }, matrix_);
    }
    Index cols() const {
        return std::visit([](const auto& matrix) { return matrix.cols(); }, matrix_);
    }

    /// out := activation(x w' + bias): (n, in) -> (n, out)
    void multiply(detail::ConstRows<Scalar> x, detail::Rows<Scalar> out, ThreadPool& threads,
                  Activation activation = Activation::linear) const {
        std::visit([&](const auto& matrix) { matrix.multiply(x, out, threads, activation); },
                   matrix_);
    }

    /// True if attention should multiply bf16 numbers, too: weights are rounded already, and the
    /// CPU is faster at it.
    bool prefers_bfloats() const { return !is_exact() && bfloats_beat_floats(); }
    bool is_exact() const { return std::holds_alternative<PackedMatrix<Scalar>>(matrix_); }
    /// What was loaded. UnsupportedError if it is kept in another precision.
    const PackedMatrix<Scalar>& exact() const {
        if (const auto* matrix = std::get_if<PackedMatrix<Scalar>>(&matrix_)) return *matrix;
        throw UnsupportedError({"", "weights", "a model that was loaded in fp32",
                                "one in a lower precision, which has lost what was in its files"});
    }

private:
    using Kinds = std::conditional_t<std::is_same_v<Scalar, float>,
                                     std::variant<PackedMatrix<float>, BfloatMatrix, Int8Matrix>,
                                     std::variant<PackedMatrix<Scalar>>>;

    static bool bfloats_beat_floats() { return detail::bfloat_kernels().beats_float; }

    static Kinds pack(Index rows, Index cols, const WeightRows<Scalar>& weight,
                      const RowVector<Scalar>& bias, Precision precision, ThreadPool& threads) {
        if constexpr (std::is_same_v<Scalar, float>) {
            if (precision == Precision::bf16)
                return BfloatMatrix(rows, cols, weight, bias, threads, bfloats_beat_floats());
            if (precision == Precision::int8) return Int8Matrix(rows, cols, weight, bias, threads);
        } else if (precision != Precision::fp32) {
            throw InputError({"", "precision", "fp32 for a model that computes in double",
                              std::string(name(precision))});
        }
        return PackedMatrix<Scalar>(rows, cols, weight, bias, threads);
    }

    Kinds matrix_;
};

}  // namespace nystromformer::inline v0_2
