// SPDX-License-Identifier: MIT
// What a forward pass reports besides its result: attentions, residuals of the inverses, and the
// errors of ForwardOptions::check_finite.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/forward_options.hpp>
#include <nystromformer/kernels/panels.hpp>
#include <nystromformer/model/attention_heads.hpp>
#include <nystromformer/model/forward_plan.hpp>
#include <nystromformer/model/nystrom.hpp>
#include <nystromformer/model_output.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// What one layer's attention reports, if it is asked to: an entry for each head of each sequence.
template <typename Scalar>
struct AttentionReport {
    std::vector<Matrix<Scalar>>* attentions = nullptr;       // (n, n), or (n, m) with landmarks
    std::vector<NystromFactors<Scalar>>* factors = nullptr;  // empty for exact attention
    std::vector<double>* residuals = nullptr;                // 0 for exact attention
    bool check_finite = false;                               // of the inverses
    Index layer = 0;

    /// Makes room for the next layer in `output`.
    static AttentionReport start(EncoderReport<Scalar>& output, const ForwardOptions& options,
                                 Index num_tasks, Index layer) {
        const auto size = static_cast<std::size_t>(num_tasks);
        AttentionReport report;
        if (options.output_attentions) report.attentions = &output.attentions.emplace_back(size);
        if (options.output_nystrom_factors)
            report.factors = &output.nystrom_factors.emplace_back(size);
        if (options.output_inverse_residuals)
            report.residuals = &output.inverse_residuals.emplace_back(size);
        report.check_finite = options.check_finite;
        report.layer = layer;
        return report;
    }

    /// softmax(q k' scale) of a head with exact attention.
    void add_exact(const AttentionHead<Scalar>& head, Scalar scale) const {
        if (attentions == nullptr) return;
        Scratch scratch;
        const Rows<Scalar> kernel = scratch.rows<Scalar>(head.q.rows, head.q.rows);
        SoftmaxKernel<Scalar>{head.q, head.k, scale, head.key_mask}.form(kernel);
        (*attentions)[static_cast<std::size_t>(head.task)] = kernel.map();
    }

    /// Of a head with landmarks: what Hugging Face returns, kernel_1 pinv(kernel_2) (n, m), and
    /// ||kernel_2 pinv(kernel_2) - I||.
    void add_nystrom(const AttentionHead<Scalar>& head, const Landmarks<Scalar>& landmarks,
                     ConstRows<Scalar> inverse, Scalar scale) const {
        const auto at = static_cast<std::size_t>(head.task);
        Scratch scratch;
        if (attentions != nullptr) {
            const Rows<Scalar> kernel_1 = scratch.rows<Scalar>(head.q.rows, inverse.rows);
            landmarks.kernel_1(head.q, scale).form(kernel_1);
            const Rows<Scalar> probabilities = scratch.rows<Scalar>(head.q.rows, inverse.rows);
            product<Scalar>(kernel_1, inverse, probabilities);
            (*attentions)[at] = probabilities.map();
        }
        if (factors != nullptr) (*factors)[at] = factors_of(head, landmarks, inverse, scale);
        if (residuals == nullptr && !check_finite) return;
        const Rows<Scalar> difference = scratch.rows<Scalar>(inverse.rows, inverse.rows);
        product<Scalar>(landmarks.kernel_2, inverse, difference);
        subtract_from_identity(Scalar(1), difference);
        const auto residual = static_cast<double>(difference.map().norm());
        if (residuals != nullptr) (*residuals)[at] = residual;
        if (check_finite) check_inverse(head, residual, inverse.rows);
    }

private:
    static NystromFactors<Scalar> factors_of(const AttentionHead<Scalar>& head,
                                             const Landmarks<Scalar>& landmarks,
                                             ConstRows<Scalar> inverse, Scalar scale) {
        Scratch scratch;
        const Rows<Scalar> kernel_1 = scratch.rows<Scalar>(head.q.rows, inverse.rows);
        const Rows<Scalar> kernel_3 = scratch.rows<Scalar>(inverse.rows, head.k.rows);
        landmarks.kernel_1(head.q, scale).form(kernel_1);
        landmarks.kernel_3(head.k, scale, head.key_mask).form(kernel_3);
        return {kernel_1.map(), inverse.map(), kernel_3.map()};
    }

    /// A start has a residual of at most sqrt(m); one that has doubled grows without end.
    void check_inverse(const AttentionHead<Scalar>& head, double residual, Index size) const {
        const double max_residual = 2 * std::sqrt(static_cast<double>(size));
        if (is_finite(residual) && residual <= max_residual) return;
        throw NumericError({"",
                            "layer " + std::to_string(layer) + " sequence " +
                                std::to_string(head.sequence) + " head " +
                                std::to_string(head.number),
                            "an inverse with a residual of at most " + std::to_string(max_residual),
                            std::to_string(residual)});
    }
};

/// NumericError for a state that is NaN or infinite; `rows` are those of the input that `states`
/// has, or none for all.
template <typename Scalar>
void check_states(ConstRows<Scalar> states, const ForwardPlan& plan, std::span<const Index> rows,
                  const std::string& what) {
    for (Index i = 0; i < states.rows; ++i) {
        const Scalar* end = states.row(i) + states.cols;
        const Scalar* found = std::find_if_not(states.row(i), end, is_finite<Scalar>);
        if (found == end) continue;
        const Index row = rows.empty() ? i : rows[static_cast<std::size_t>(i)];
        const Index sequence = plan.sequence_of(row);
        throw NumericError({"",
                            what + " sequence " + std::to_string(sequence) + " row " +
                                std::to_string(row - plan.first_row(sequence)),
                            "finite states (check_finite)", std::to_string(*found)});
    }
}

}  // namespace nystromformer::inline v0_2::detail
