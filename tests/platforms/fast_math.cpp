// SPDX-License-Identifier: MIT
// The kernels of every backend that the CPU has, compiled with -Ofast: the compiler may reorder
// sums, and believes that no number is infinite or NaN. Compares them with their definitions in
// double.
#include <nystromformer/kernels/attention/bfloat_attention.hpp>
#include <nystromformer/kernels/attention/blocked_attention.hpp>
#include <nystromformer/kernels/rows.hpp>
#include <nystromformer/kernels/weights/linear_weights.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace nf = nystromformer;
using nf::Index;

namespace {

int failures = 0;

void expect(bool holds, std::string_view backend, const std::string& what) {
    if (holds) return;
    std::printf("%.*s: %s\n", static_cast<int>(backend.size()), backend.data(), what.c_str());
    ++failures;
}

void expect_below(double error, double limit, std::string_view backend, const std::string& what) {
    // NaN is not below anything, and -Ofast may not decide so.
    expect(nf::detail::is_finite(error) && error < limit, backend,
           what + " has an error of " + std::to_string(error * 1e6) + "e-6");
}

float not_a_number() { return std::bit_cast<float>(0x7FC00000u); }

/// Numbers from -scale to scale, the same in every run.
std::vector<float> numbers(Index count, float scale, std::uint32_t seed) {
    std::vector<float> result;
    for (Index i = 0; i < count; ++i) {
        seed = seed * 1664525u + 1013904223u;
        result.push_back((static_cast<float>(seed >> 8) / 8388608.0f - 1) * scale);
    }
    return result;
}

void check_exponentials(const nf::detail::RowKernels& kernels, std::string_view backend) {
    std::vector<float> row;
    for (int i = 0; i <= 87'000; i += 7) row.push_back(static_cast<float>(i) * -1e-3f);
    const std::vector<float> x = row;
    const double sum =
        static_cast<double>(kernels.exponentials(row.data(), static_cast<Index>(row.size()), 0));
    double error = 0, expected_sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double expected = std::exp(static_cast<double>(x[i]));
        error = std::max(error, std::abs(static_cast<double>(row[i]) - expected) / expected);
        expected_sum += expected;
    }
    expect_below(error, 3e-7, backend, "e^x");
    expect_below(std::abs(sum / expected_sum - 1), 3e-6, backend, "the sum of e^x");
}

void check_activations(const nf::detail::RowKernels& kernels, std::string_view backend) {
    for (const auto& [name, activation] : nf::detail::named_activations) {
        std::vector<float> row;
        for (int i = -100'000; i <= 100'000; i += 7) row.push_back(static_cast<float>(i) * 1e-3f);
        std::vector<double> expected(row.begin(), row.end());
        const std::vector<double> x = expected;
        row.push_back(not_a_number());
        if (!kernels.activate(activation, row.data(), static_cast<Index>(row.size()))) continue;
        nf::detail::activate_row(activation, expected.data(), static_cast<Index>(x.size()));
        double error = 0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            error = std::max(
                error, std::abs(static_cast<double>(row[i]) - expected[i]) / (1 + std::abs(x[i])));
        }
        expect_below(error, 4e-7, backend, std::string(name));
        expect(!nf::detail::is_finite(row.back()), backend, std::string(name) + " loses NaN");
    }
}

/// With the backend of this process: weights of every precision, a row of them with NaN.
void check_weights(nf::Precision precision, std::string_view backend) {
    constexpr Index n = 29, in = 300, out = 70;
    nf::ThreadPool one(1);
    std::vector<float> weight = numbers(out * in, 1, 1), x = numbers(n * in, 1, 2);
    weight[2 * in + 5] = not_a_number();
    x[3 * in + 7] = not_a_number();
    const nf::LinearWeights<float> packed(
        out, in,
        [&](Index first, Index count, float* to) {
            std::copy_n(weight.data() + first * in, count * in, to);
        },
        {}, precision, one);
    std::vector<float> found(n * out);
    packed.multiply(nf::detail::Rows<const float>(x.data(), n, in, in),
                    nf::detail::Rows<float>(found.data(), n, out, out), one);
    double error = 0;
    bool lost = false;
    for (Index row = 0; row < n; ++row) {
        for (Index col = 0; col < out; ++col) {
            const float value = found[static_cast<std::size_t>(row * out + col)];
            if (row == 3 || col == 2) {
                lost = lost || nf::detail::is_finite(value);
                continue;
            }
            double expected = 0;
            for (Index i = 0; i < in; ++i)
                expected += static_cast<double>(x[static_cast<std::size_t>(row * in + i)]) *
                            static_cast<double>(weight[static_cast<std::size_t>(col * in + i)]);
            error = std::max(error, std::abs(static_cast<double>(value) - expected));
        }
    }
    const std::string what = "a product with weights in " + std::string(name(precision));
    expect_below(error, precision == nf::Precision::fp32 ? 2e-5 : 0.2, backend, what);
    expect(!lost, backend, what + " loses NaN");
}

template <typename Operands>
void check_attention(double limit, std::string_view backend) {
    constexpr Index n = 1100, d = 32, queries = 29;
    std::vector<float> q = numbers(queries * d, 3, 3), k = numbers(n * d, 3, 4),
                       v = numbers(n * d, 1, 5);
    const nf::detail::Rows<const float> rows_q(q.data(), queries, d, d), rows_k(k.data(), n, d, d),
        rows_v(v.data(), n, d, d);
    nf::detail::Scratch scratch;
    const Operands operands(rows_k, rows_v, 1, scratch);
    const nf::detail::Rows<float> context = scratch.rows<float>(queries, d);
    std::vector<std::int64_t> mask(n, 1);
    for (std::size_t i = 0; i < mask.size(); i += 3) mask[i] = 0;
    nf::detail::BlockedAttention<Operands>(operands, mask)(rows_q, context);
    double error = 0;
    for (Index row = 0; row < queries; ++row) {
        std::vector<double> weights(n), expected(d);
        double largest = -1e30, sum = 0;
        for (Index key = 0; key < n; ++key) {
            double& score = weights[static_cast<std::size_t>(key)];
            for (Index i = 0; i < d; ++i)
                score += static_cast<double>(rows_q.row(row)[i]) *
                         static_cast<double>(rows_k.row(key)[i]);
            if (mask[static_cast<std::size_t>(key)] != 0) largest = std::max(largest, score);
        }
        for (Index key = 0; key < n; ++key) {
            if (mask[static_cast<std::size_t>(key)] == 0) continue;
            const double weight = std::exp(weights[static_cast<std::size_t>(key)] - largest);
            sum += weight;
            for (Index i = 0; i < d; ++i)
                expected[static_cast<std::size_t>(i)] +=
                    weight * static_cast<double>(rows_v.row(key)[i]);
        }
        for (Index i = 0; i < d; ++i)
            error = std::max(error, std::abs(static_cast<double>(context.row(row)[i]) -
                                             expected[static_cast<std::size_t>(i)] / sum));
    }
    expect_below(error, limit, backend, "attention");
}

}  // namespace

int main() {
    for (const nf::detail::Backend& backend : nf::detail::backends) {
        if (!backend.runs_here()) continue;
        check_exponentials(nf::detail::row_kernels(backend.isa), nf::name(backend.isa));
        check_activations(nf::detail::row_kernels(backend.isa), nf::name(backend.isa));
    }
    const std::string_view active = nf::name(nf::active_isa());
    for (const auto precision : {nf::Precision::fp32, nf::Precision::bf16, nf::Precision::int8})
        check_weights(precision, active);
    check_attention<nf::detail::AttentionOperands<float>>(1e-5, active);
    check_attention<nf::detail::BfloatOperands>(0.3, active);
    std::printf("%d failures, products by %.*s\n", failures, static_cast<int>(active.size()),
                active.data());
    return failures == 0 ? 0 : 1;
}
