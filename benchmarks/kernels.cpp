// SPDX-License-Identifier: MIT
// The kernels one by one on one thread, with how much of the measured FMA peak of this CPU they
// reach. Shapes are those of the base model. NYSTROMFORMER_ISA forces an instruction set.
//   cmake --preset benchmarks && cmake --build --preset benchmarks
//   build/benchmarks/bin/nystromformer_kernels --benchmark_filter=linear
#include <nystromformer/kernels/attention/blocked_attention.hpp>
#include <nystromformer/kernels/attention/depthwise_convolution.hpp>
#include <nystromformer/kernels/weights/linear_weights.hpp>
#include <nystromformer/model/nystrom.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#if NYSTROMFORMER_X86
#include <immintrin.h>
#endif

namespace nf = nystromformer;
using nf::Index;
using nf::Matrix;
using nf::detail::Rows;
using nf::detail::Scratch;

namespace {

Matrix<float> filled(Index rows, Index cols) {
    return Matrix<float>::NullaryExpr(rows, cols, [](Index row, Index col) {
        return static_cast<float>((row * 7919 + col * 104729) % 1000) / 1000 - 0.5f;
    });
}

// As many independent chains of multiply-adds as keep the units busy; 2 operations a lane each.
// The functions differ in the instructions that they are compiled for.
#define NYSTROMFORMER_FMA_CHAINS(name, bytes, chains, attributes)                \
    attributes float name(std::int64_t steps, float factor) {                    \
        typedef float Floats __attribute__((vector_size(bytes)));                \
        Floats sums[chains];                                                     \
        for (Floats & sum : sums) sum = Floats{} + 1.0f;                         \
        const Floats multiplier = Floats{} + factor, summand = Floats{} + 1e-6f; \
        for (std::int64_t step = 0; step < steps; ++step) {                      \
            _Pragma("GCC unroll 24") for (int i = 0; i < chains; ++i) sums[i] =  \
                sums[i] * multiplier + summand;                                  \
        }                                                                        \
        float total = 0;                                                         \
        for (const Floats& sum : sums) total += sum[0];                          \
        return total;                                                            \
    }

NYSTROMFORMER_FMA_CHAINS(portable_chains, 16, 12, __attribute__((noinline)))
#if NYSTROMFORMER_X86
NYSTROMFORMER_FMA_CHAINS(avx2_chains, 32, 12, __attribute__((noinline, target("avx2,fma"))))
NYSTROMFORMER_FMA_CHAINS(avx512_chains, 64, 24, __attribute__((noinline, target("avx512f"))))

/// The same for products of bytes, four in a lane. Spelt out, as GCC 12 copies the sums of the
/// intrinsic from register to register.
__attribute__((noinline, target("avx512f,avx512vnni"))) int byte_chains(std::int64_t steps,
                                                                        int factor) {
    for (std::int64_t step = 0; step < steps; ++step) {
        __asm__ volatile(
            ".irp i,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23\n"
            "vpdpbusd %%zmm31, %%zmm31, %%zmm\\i\n"
            ".endr" ::
                : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                  "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18",
                  "xmm19", "xmm20", "xmm21", "xmm22", "xmm23");
    }
    return factor;
}
#endif

/// The most operations a second that `chains` was seen to do in several tries.
template <typename Chains, typename Factor>
double peak_of(Chains chains, Factor factor, double operations_a_step) {
    using Clock = std::chrono::steady_clock;
    constexpr std::int64_t steps = 5'000'000;
    double best = 0;
    for (int i = 0; i < 9; ++i) {
        const auto start = Clock::now();
        benchmark::DoNotOptimize(chains(steps, factor));
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
        best = std::max(best, static_cast<double>(steps) * operations_a_step / seconds);
    }
    return best;
}

/// Operations a second of multiply-adds of floats with the active instruction set.
double fma_peak() {
    static const double peak = [] {
#if NYSTROMFORMER_X86
        if (nf::active_isa() >= nf::Isa::avx512) return peak_of(avx512_chains, 0.999f, 24 * 16 * 2);
        if (nf::active_isa() == nf::Isa::avx2) return peak_of(avx2_chains, 0.999f, 12 * 8 * 2);
#endif
        return peak_of(portable_chains, 0.999f, 12 * 4 * 2);
    }();
    return peak;
}

void report_operations(benchmark::State& state, double operations) {
    using benchmark::Counter;
    state.counters["operations"] =
        Counter(operations, Counter::kIsIterationInvariantRate, Counter::kIs1000);
    state.counters["% of FMA peak"] =
        Counter(operations / fma_peak() * 100, Counter::kIsIterationInvariantRate);
}

void linear(benchmark::State& state, nf::Precision precision) {
    const Index rows = state.range(0), out = state.range(1), in = state.range(2);
    nf::ThreadPool one(1);
    const Matrix<float> weight = filled(out, in);
    const nf::LinearWeights<float> packed(
        out, in,
        [&](Index first, Index count, float* to) {
            std::copy_n(weight.row(first).data(), count * in, to);
        },
        {}, precision, one);
    Scratch scratch;  // as in the model: rows do not share one set of the cache
    const Rows<float> x = scratch.rows<float>(rows, in), result = scratch.rows<float>(rows, out);
    x.map() = filled(rows, in);
    for (auto _ : state) packed.multiply(x, result, one);
    report_operations(state, 2.0 * static_cast<double>(rows * out * in));
}

void exact_attention(benchmark::State& state) {
    const Index n = state.range(0), d = 64;
    const Matrix<float> q = filled(n, d), k = filled(n, d), v = filled(n, d);
    Scratch scratch;
    const Rows<float> context = scratch.rows<float>(n, d);
    for (auto _ : state) nf::detail::exact_attention<float>(q, k, v, 0.125f, {}, context);
    report_operations(state, 4.0 * static_cast<double>(n * n * d));
}

void nystrom_attention(benchmark::State& state) {
    const Index n = state.range(0), m = 64, d = 64;
    const Matrix<float> q = filled(n, d), k = filled(n, d), v = filled(n, d);
    Scratch scratch;
    const Rows<float> context = scratch.rows<float>(n, d), inverse = scratch.rows<float>(m, m);
    auto landmarks = nf::detail::Landmarks<float>::in(scratch, m, d);
    for (auto _ : state) {
        landmarks.find(q, k, 0.125f);
        landmarks.find_inverse(6, inverse);
        landmarks.find_values(landmarks.kernel_3(k, 0.125f, {}), v, inverse, false);
        nf::detail::exact_attention<float>(q, landmarks.k, landmarks.values, 0.125f, {}, context);
    }
    report_operations(state, 8.0 * static_cast<double>(n * m * d) + 6 * 8.0 * m * m * m);
}

void inverse(benchmark::State& state) {
    const Index m = state.range(0);
    const Matrix<float> x = filled(m, m);
    Scratch scratch;
    const Rows<float> kernel = scratch.rows<float>(m, m), result = scratch.rows<float>(m, m);
    nf::detail::softmax_kernel<float>(x, x, 1, {}, kernel);
    const float divisor = nf::detail::largest_column_sum(kernel);
    for (auto _ : state) nf::detail::iterative_inverse<float>(kernel, divisor, 6, result);
    report_operations(state, 6 * 8.0 * static_cast<double>(m * m * m));
}

void convolution(benchmark::State& state) {
    const Index n = state.range(0), taps = 65, d = 64;
    const Matrix<float> v = filled(n, d), weights = filled(1, taps);
    Scratch scratch;
    const auto values = nf::detail::pack<float>(v, scratch);
    const Rows<float> context = scratch.rows<float>(n, d);
    context.map().setZero();
    for (auto _ : state) {
        nf::detail::add_depthwise_convolution(values, weights.data(), taps, 0, context);
    }
    report_operations(state, 2.0 * static_cast<double>(n * taps * d));
}

constexpr Index row_size = 3072;

void report_numbers(benchmark::State& state) {
    state.counters["numbers"] = benchmark::Counter(
        row_size, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}

void activation(benchmark::State& state, nf::Activation function) {
    const Matrix<float> x = filled(1, row_size) * 8;
    Matrix<float> row = x;
    for (auto _ : state) {
        row = x;
        nf::detail::activate_row(function, row.data(), row_size);
        benchmark::DoNotOptimize(row.data());
    }
    report_numbers(state);
}

void softmax(benchmark::State& state) {
    const Matrix<float> x = filled(1, row_size) * 8;
    Matrix<float> row = x;
    for (auto _ : state) {
        row = x;
        nf::detail::softmax_row(row.data(), row_size);
        benchmark::DoNotOptimize(row.data());
    }
    report_numbers(state);
}

void layer_norm(benchmark::State& state) {
    const Matrix<float> x = filled(1, row_size), weight = filled(1, row_size);
    Matrix<float> out = x;
    for (auto _ : state) {
        nf::detail::float_kernels<float>().layer_norm(
            {x.data(), x.data(), weight.data(), weight.data(), out.data(), row_size, 1e-5f});
        benchmark::DoNotOptimize(out.data());
    }
    report_numbers(state);
}

void quantize_row(benchmark::State& state) {
    const Matrix<float> x = filled(1, row_size);
    std::vector<std::int16_t> out(row_size);
    std::vector<nf::detail::Int8Block> blocks(row_size / nf::detail::int8_block);
    for (auto _ : state) {
        nf::detail::byte_kernels().quantize_row(x.data(), row_size, out.data(), blocks.data());
        benchmark::DoNotOptimize(out.data());
    }
    report_numbers(state);
}

void register_all() {
    constexpr std::array<std::pair<Index, Index>, 4> shapes{
        {{768, 768}, {2304, 768}, {3072, 768}, {768, 3072}}};
    for (const auto precision : {nf::Precision::fp32, nf::Precision::bf16, nf::Precision::int8}) {
        auto* one = benchmark::RegisterBenchmark(
            ("linear/" + std::string(nf::name(precision))).c_str(), linear, precision);
        one->ArgNames({"rows", "out", "in"});
        for (const auto& [out, in] : shapes)
            for (const Index rows : {1, 8, 16, 32, 63, 64, 128, 512}) one->Args({rows, out, in});
    }
    benchmark::RegisterBenchmark("exact_attention", exact_attention)->Arg(128)->Arg(512)->Arg(4096);
    benchmark::RegisterBenchmark("nystrom_attention", nystrom_attention)->Arg(512)->Arg(4096);
    benchmark::RegisterBenchmark("inverse", inverse)->Arg(32)->Arg(64)->Arg(128);
    benchmark::RegisterBenchmark("convolution", convolution)->Arg(128)->Arg(4096);
    for (const auto& [name, function] : nf::detail::named_activations)
        benchmark::RegisterBenchmark(std::string(name).c_str(), activation, function);
    benchmark::RegisterBenchmark("softmax", softmax);
    benchmark::RegisterBenchmark("layer_norm", layer_norm);
    benchmark::RegisterBenchmark("quantize_row", quantize_row);
}

}  // namespace

int main(int argc, char** argv) {
    register_all();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::AddCustomContext("isa", std::string(nf::name(nf::active_isa())));
    benchmark::AddCustomContext("FMA peak, GF/s", std::to_string(fma_peak() / 1e9));
#if NYSTROMFORMER_X86
    if (nf::is_supported(nf::Isa::avx512vnni)) {
        const double bytes = peak_of(byte_chains, 1, 24 * 64 * 2);
        benchmark::AddCustomContext("VNNI peak / FMA peak", std::to_string(bytes / fma_peak()));
    }
#endif
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
