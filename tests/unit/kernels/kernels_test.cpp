// SPDX-License-Identifier: MIT
// The ground floor: thread pool, packed matrix product, row kernels and the attention of one head.
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

#include <nystromformer/core/cores.hpp>
#include <nystromformer/core/load_options.hpp>
#include <nystromformer/kernels/activate.hpp>
#include <nystromformer/kernels/attention/blocked_attention.hpp>
#include <nystromformer/kernels/attention/depthwise_convolution.hpp>
#include <nystromformer/kernels/backend.hpp>
#include <nystromformer/kernels/cpu_features.hpp>
#include <nystromformer/kernels/rows.hpp>
#include <nystromformer/kernels/tile_plan.hpp>
#include <nystromformer/kernels/weights/packed_matrix.hpp>
#include <nystromformer/model/nystrom.hpp>
#include <nystromformer/threads.hpp>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <mutex>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#if NYSTROMFORMER_NEON && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace kernels_test {

namespace nf = nystromformer;
using nf::Index;
using nf::Matrix;
using nf::RowVector;

namespace {

template <typename Scalar>
Matrix<Scalar> random_matrix(Index rows, Index cols, unsigned seed, double scale = 1) {
    std::mt19937 generator(seed);
    std::normal_distribution<double> normal(0, scale);
    return Matrix<Scalar>::NullaryExpr(rows, cols,
                                       [&] { return static_cast<Scalar>(normal(generator)); });
}

template <typename Scalar>
Scalar tolerance() {
    return std::is_same_v<Scalar, float> ? Scalar(2e-5) : Scalar(1e-13);
}

template <typename Scalar>
double largest_difference(const Matrix<Scalar>& a, const Matrix<Scalar>& b) {
    REQUIRE(a.rows() == b.rows());
    REQUIRE(a.cols() == b.cols());
    return a.size() == 0 ? 0.0 : static_cast<double>((a - b).cwiseAbs().maxCoeff());
}

}  // namespace

TEST_CASE("a parallel loop visits every index once, also from many threads and inside another loop",
          "[threads]") {
    for (const Index num_threads : {1, 2, 5}) {
        nf::ThreadPool pool(num_threads);
        CHECK(pool.num_threads() == num_threads);
        std::vector<std::atomic<int>> visits(1000);
        auto visit_all = [&] {
            pool.parallel_for(10, [&](Index i) {
                pool.parallel_for(
                    100, [&](Index j) { ++visits[static_cast<std::size_t>(i * 100 + j)]; });
            });
        };
        std::vector<std::thread> callers;
        for (int i = 0; i < 4; ++i) callers.emplace_back(visit_all);
        for (auto& caller : callers) caller.join();
        for (const auto& count : visits) REQUIRE(count == 4);
        pool.parallel_for(0, [&](Index) { FAIL("no index to visit"); });
    }
}

TEST_CASE("an exception in a parallel loop reaches the caller and the pool goes on", "[threads]") {
    nf::ThreadPool pool(3);
    for (int round = 0; round < 50; ++round) {
        CHECK_THROWS_AS(pool.parallel_for(100,
                                          [](Index i) {
                                              if (i == 17) throw std::runtime_error("17");
                                          }),
                        std::runtime_error);
        std::atomic<int> count = 0;
        pool.parallel_for(100, [&](Index) { ++count; });
        CHECK(count == 100);
    }
}

TEST_CASE("a pool of an executor starts no thread and waits for no task that has not begun",
          "[threads]") {
    std::vector<std::thread> threads;
    std::mutex mutex;
    std::vector<std::function<void()>> never_run;
    {
        nf::ThreadPool pool({.num_threads = 3, .submit = [&](std::function<void()> task) {
                                 const std::lock_guard lock(mutex);
                                 threads.emplace_back(std::move(task));
                             }});
        nf::ThreadPool idle({.num_threads = 3, .submit = [&](std::function<void()> task) {
                                 never_run.push_back(std::move(task));
                             }});
        CHECK(pool.num_threads() == 3);
        std::atomic<int> count = 0;
        for (int round = 0; round < 20; ++round) {
            pool.parallel_for(50, [&](Index) { ++count; });
            idle.parallel_for(50, [&](Index) { ++count; });
        }
        CHECK(count == 2000);
        CHECK(threads.size() == 40);
        CHECK_THROWS_AS(idle.parallel_for(5, [](Index) { throw std::runtime_error("5"); }),
                        std::runtime_error);
    }
    for (const auto& task : never_run) task();  // after the pool and its loops have gone
    for (std::thread& thread : threads) thread.join();
    CHECK_THROWS_AS(nf::ThreadPool(nf::Executor{2, {}}), nf::InputError);
    CHECK_THROWS_AS(nf::ThreadPool(nf::Executor{0, [](const std::function<void()>&) {}}),
                    nf::InputError);
}

TEST_CASE("models that ask for no threads of their own share one pool", "[threads]") {
    const auto first = nf::ThreadPool::shared(), second = nf::ThreadPool::shared();
    CHECK(first == second);
    CHECK(nf::detail::threads_of({}) == first);
    CHECK(nf::detail::threads_of({.num_threads = 1})->num_threads() == 1);
    CHECK(nf::detail::threads_of({.threads = second}) == second);
}

TEST_CASE("the least CPU quota of the control groups around a process counts", "[threads]") {
    const TemporaryFolder root;
    const auto write = [&](const std::string& name, const std::string& text) {
        std::filesystem::create_directories((root.path / name).parent_path());
        std::ofstream(root.path / name) << text;
    };
    CHECK(!nf::detail::cpu_quota(root.path.string()));
    write("proc/self/cgroup", "0::/system.slice/a.service\n");
    write("sys/fs/cgroup/system.slice/a.service/cpu.max", "max 100000\n");
    CHECK(!nf::detail::cpu_quota(root.path.string()));
    write("sys/fs/cgroup/system.slice/cpu.max", "150000 100000\n");
    write("sys/fs/cgroup/cpu.max", "400000 100000\n");
    CHECK(nf::detail::cpu_quota(root.path.string()) == 1.5);
    write("proc/self/cgroup", "4:memory:/x\n3:cpu,cpuacct:/docker/1\n");
    CHECK(!nf::detail::cpu_quota(root.path.string()));
    write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
    write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    CHECK(!nf::detail::cpu_quota(root.path.string()));
    write("sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us", "50000\n");
    write("sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_period_us", "100000\n");
    CHECK(nf::detail::cpu_quota(root.path.string()) == 0.5);
    CHECK(nf::detail::available_cores() >= 1);
}

TEST_CASE("a thread count out of range is an InputError", "[threads]") {
    CHECK_THROWS_AS(nf::ThreadPool(-1), nf::InputError);
    CHECK_THROWS_AS(nf::ThreadPool(nf::ThreadPool::max_threads + 1), nf::InputError);
}

namespace {

/// The CPU's own word; false for a feature that this test does not know.
bool cpu_has(std::string_view feature) {
#if NYSTROMFORMER_X86
    if (feature == "avx2") return __builtin_cpu_supports("avx2");
    if (feature == "fma") return __builtin_cpu_supports("fma");
    if (feature == "avx512f") return __builtin_cpu_supports("avx512f");
    if (feature == "avx512vl") return __builtin_cpu_supports("avx512vl");
    if (feature == "avx512bw") return __builtin_cpu_supports("avx512bw");
    if (feature == "avx512dq") return __builtin_cpu_supports("avx512dq");
    if (feature == "avx512vnni") return __builtin_cpu_supports("avx512vnni");
    if (feature == "avx512bf16") return __builtin_cpu_supports("avx512bf16");
#if defined(__linux__)
    // Linux's word, and its leave for this process.
    if (feature.starts_with("amx-")) {
        std::string flag(feature);
        std::replace(flag.begin(), flag.end(), '-', '_');
        std::ifstream file("/proc/cpuinfo");
        const std::string text(std::istreambuf_iterator<char>(file), {});
        return text.find(' ' + flag) != text.npos && nf::detail::ask_for_tiles();
    }
#endif
#elif NYSTROMFORMER_NEON && defined(__linux__)
    // AT_HWCAP and AT_HWCAP2. The version of the architecture only names what its features tell.
    if (feature.ends_with("8.2-a") || feature == "v8.2a") return true;
    if (feature == "dotprod") return (getauxval(16) >> 20 & 1) != 0;
    if (feature == "i8mm") return (getauxval(26) >> 13 & 1) != 0;
    if (feature == "bf16") return (getauxval(26) >> 14 & 1) != 0;
#endif
    (void)feature;
    return false;
}

}  // namespace

TEST_CASE("an instruction set that is unknown is refused", "[kernels]") {
    CHECK(nf::detail::choose_isa("portable") == nf::Isa::portable);
    CHECK(nf::is_supported(nf::detail::choose_isa(nullptr)));
    CHECK_THROWS_AS(nf::detail::choose_isa("sse9"), nf::UnsupportedError);
    CHECK_THROWS_AS(nf::detail::choose_isa(""), nf::UnsupportedError);
    for (const char* name : {"neon", "avx512bf16", "amx"}) {
        INFO(name);
        const auto* backend =
            std::find_if(std::begin(nf::detail::backends), std::end(nf::detail::backends),
                         [&](const auto& each) { return nf::name(each.isa) == name; });
        if (backend != std::end(nf::detail::backends) && backend->runs_here()) {
            CHECK(nf::detail::choose_isa(name) == backend->isa);
        } else {
            CHECK_THROWS_AS(nf::detail::choose_isa(name), nf::UnsupportedError);
        }
    }
}

TEST_CASE("a backend runs where the CPU has every feature that its kernels are compiled with",
          "[kernels]") {
    // What a region is compiled with is made of the same list; targets.hpp asserts that a backend
    // takes no kernels from a region that has more.
    for (const nf::detail::Backend& backend : nf::detail::backends) {
        INFO(nf::name(backend.isa) << ": " << backend.features);
        CHECK(nf::is_supported(backend.isa) == backend.runs_here());
        bool all = true;
        std::string features(backend.features);
        std::replace(features.begin(), features.end(), '+', ',');  // of GCC for AArch64
        std::istringstream words(features);
        for (std::string word; std::getline(words, word, ',');) all = all && cpu_has(word);
        CHECK(backend.runs_here() == all);
    }
    const auto* portable =
        std::find_if(std::begin(nf::detail::backends), std::end(nf::detail::backends),
                     [](const auto& backend) { return backend.isa == nf::Isa::portable; });
    REQUIRE(portable != std::end(nf::detail::backends));
    CHECK(portable->features.empty());
}

TEST_CASE("the families of a backend fit together", "[kernels]") {
    for (const nf::detail::Backend& backend : nf::detail::backends) {
        INFO(nf::name(backend.isa));
        const auto floats = nf::detail::float_kernels<float>(backend.isa);
        const auto doubles = nf::detail::float_kernels<double>(backend.isa);
        const auto bfloats = nf::detail::bfloat_kernels(backend.isa);
        const auto bytes = nf::detail::byte_kernels(backend.isa);
        for (const Index columns : {floats.columns, doubles.columns, bytes.columns})
            CHECK((columns > 0 && nf::detail::max_columns % columns == 0));
        for (const Index rows :
             {floats.rows_at_once, doubles.rows_at_once, bfloats.rows_at_once, bytes.rows_at_once})
            CHECK((rows > 0 && rows <= nf::detail::max_rows_at_once));
        CHECK((bytes.widen == nullptr) == (bytes.group == 4));
        CHECK(bfloats.columns == floats.columns);
        for (const Index step : {bfloats.step, bytes.step}) CHECK((step == 1 || step == 16));
    }
}

TEST_CASE("tiles of every plan fill the rows exactly", "[kernels]") {
    constexpr auto plan = nf::detail::plan_tiles<1, 2, 4, 7, 14>();
    for (Index rows = 0; rows <= 300; ++rows) {
        Index tiles = 0, rest = rows;
        while (rest > 0) {
            const int height = plan.next(rest);
            REQUIRE((height >= 1 && height <= 14));
            rest -= height;
            ++tiles;
        }
        CHECK(rest == 0);
        CHECK(tiles == plan.count(rows));
    }
    CHECK(plan.count(84) == 6);
    CHECK(plan.count(8) == 2);  // 4 and 4 are faster than 7 and 1
    CHECK(plan.next(8) == 4);
}

namespace {

// The operations on rows in scratch memory, as functions of matrices.

template <typename Scalar>
Matrix<Scalar> softmax(Matrix<Scalar> scores, nf::detail::KeyMask key_mask = {}) {
    nf::detail::softmax_rows(nf::detail::Rows<Scalar>(scores), key_mask);
    return scores;
}

Matrix<double> means(const Matrix<double>& x, Index num_landmarks) {
    Matrix<double> result(num_landmarks, x.cols());
    nf::detail::segment_means<double>(x, result);
    return result;
}

template <typename Scalar>
Matrix<Scalar> attention(const Matrix<Scalar>& q, const Matrix<Scalar>& k, const Matrix<Scalar>& v,
                         nf::detail::KeyMask key_mask) {
    nf::detail::Scratch scratch;
    const auto context = scratch.rows<Scalar>(q.rows(), v.cols());
    nf::detail::exact_attention<Scalar>(q, k, v, 1, key_mask, context);
    return context.map();
}

}  // namespace

TEMPLATE_TEST_CASE("a packed product equals Eigen's for every size, row by row the same bits",
                   "[kernels]", float, double) {
    nf::ThreadPool one(1), three(3);
    for (const Index out : {1, 2, 15, 16, 17, 33, 70}) {
        for (const Index in : {1, 3, 64}) {
            const auto weight = random_matrix<TestType>(out, in, 1);
            const RowVector<TestType> bias = random_matrix<TestType>(1, out, 2);
            const nf::PackedMatrix<TestType> packed(weight, bias);
            CHECK(packed.weight() == weight);
            CHECK(packed.bias() == bias);
            CHECK(packed.holds(weight));
            for (const Index n : {0, 1, 2, 5, 6, 13, 14, 15, 29, 84, 85, 170}) {
                const auto x = random_matrix<TestType>(n, in, 3);
                Matrix<TestType> expected = x * weight.transpose();
                expected.rowwise() += bias;
                const auto found = packed.multiply(x, one);
                INFO(out << " x " << in << ", " << n << " rows");
                CHECK(largest_difference(found, expected) < tolerance<TestType>() * 10);
                CHECK(packed.multiply(x, three) == found);
                if (n > 0) CHECK(packed.multiply(x.bottomRows(1), one) == found.bottomRows(1));
            }
        }
    }
}

TEMPLATE_TEST_CASE(
    "softmax rows sum to one, masked keys get nothing, a fully masked row is uniform", "[kernels]",
    float, double) {
    auto scores = random_matrix<TestType>(5, 9, 4, 30);
    const Matrix<TestType> open = softmax<TestType>(scores);
    for (Index i = 0; i < 5; ++i) CHECK(open.row(i).sum() == Approx(1));
    const std::vector<std::int64_t> some{1, 0, 1, 1, 0, 1, 1, 1, 0}, none(9, 0);
    const Matrix<TestType> masked = softmax<TestType>(scores, some);
    CHECK(masked.col(1).isZero());
    CHECK(masked.col(8).isZero());
    CHECK(masked.row(2).sum() == Approx(1));
    const Matrix<TestType> uniform = softmax<TestType>(scores, none);
    CHECK(largest_difference<TestType>(uniform, Matrix<TestType>::Constant(5, 9, TestType(1) / 9)) <
          tolerance<TestType>());
}

TEST_CASE("layer norm gives mean 0 and variance 1 before weight and bias", "[kernels]") {
    auto x = random_matrix<double>(1, 37, 5, 3);
    const RowVector<double> ones = RowVector<double>::Ones(37), zeros = RowVector<double>::Zero(37);
    auto norm = [](Matrix<double>& row, const double* residual, const RowVector<double>& weight,
                   const RowVector<double>& bias, double eps) {
        nf::detail::float_kernels<double>().layer_norm(
            {row.data(), residual, weight.data(), bias.data(), row.data(), row.size(), eps});
    };
    const Matrix<double> residual = random_matrix<double>(1, 37, 6);
    Matrix<double> sum = x + residual, added = x;
    norm(sum, nullptr, ones, zeros, 1e-5);
    norm(added, residual.data(), ones, zeros, 1e-5);
    CHECK(sum == added);
    norm(x, nullptr, ones, zeros, 0.0);
    CHECK(x.mean() == Approx(0).margin(1e-14));
    CHECK(x.squaredNorm() / 37 == Approx(1));
    Matrix<double> constant = Matrix<double>::Constant(1, 4, 7);
    norm(constant, nullptr, ones, ones, 1e-5);
    CHECK(constant == Matrix<double>::Ones(1, 4));
}

TEST_CASE("the convolution equals its definition for sequences shorter and longer than the kernel",
          "[kernels]") {
    for (const Index n : {1, 2, 3, 7, 40}) {
        for (const Index taps : {1, 3, 65}) {
            const auto v = random_matrix<double>(n, 3, 6);
            const auto kernel = random_matrix<double>(1, taps, 7);
            Matrix<double> expected = Matrix<double>::Ones(n, 3);
            for (Index i = 0; i < n; ++i) {
                for (Index tap = 0; tap < taps; ++tap) {
                    const Index at = i + tap - taps / 2;
                    if (at >= 0 && at < n) expected.row(i) += kernel(0, tap) * v.row(at);
                }
            }
            nf::detail::Scratch scratch;
            const auto values = nf::detail::pack<double>(v, scratch);
            const auto context = scratch.rows<double>(n, 3);
            context.map().setOnes();
            for (Index row = 0; row < n; row += 9) {  // by blocks of any height
                nf::detail::add_depthwise_convolution(
                    values, kernel.data(), taps, row,
                    context.middle_rows(row, std::min<Index>(9, n - row)));
            }
            CHECK(largest_difference<double>(context.map(), expected) < 1e-13);
        }
    }
}

TEST_CASE("landmarks are the means of the authors' uneven segments", "[attention]") {
    Matrix<double> x(7, 1);
    x << 1, 2, 3, 4, 5, 6, 7;
    // 7 rows, 3 landmarks: s = 2, the first (2 + 1) 3 - 7 = 2 segments have 2 rows, the last has 3.
    Matrix<double> expected(3, 1);
    expected << 1.5, 3.5, 6;
    CHECK(means(x, 3) == expected);
    CHECK(means(x, 7) == x);
    CHECK(means(x, 1)(0, 0) == Approx(4));
    expected << 2, 3.5, 5.5;  // six rows: even segments
    Matrix<double> even(6, 1);
    even << 1, 3, 3, 4, 5, 6;
    CHECK(means(even, 3) == expected);
}

TEMPLATE_TEST_CASE("exact attention by blocks equals softmax(q k') v with the whole matrix",
                   "[attention]", float, double) {
    for (const Index n : {1, 2, 63, 64, 65, 130, 600, 1100}) {
        const auto q = random_matrix<TestType>(n, 8, 8), k = random_matrix<TestType>(n, 8, 9);
        const auto v = random_matrix<TestType>(n, 5, 10);
        std::vector<std::int64_t> mask(static_cast<std::size_t>(n), 1);
        mask.back() = 0;
        for (const nf::detail::KeyMask key_mask :
             {nf::detail::KeyMask{}, nf::detail::KeyMask(mask)}) {
            const Matrix<TestType> whole = softmax<TestType>(q * k.transpose(), key_mask);
            const auto context = attention<TestType>(q, k, v, key_mask);
            CHECK(largest_difference<TestType>(context, whole * v) < tolerance<TestType>());
        }
    }
}

TEST_CASE("the iteration converges to the inverse of a well-conditioned kernel", "[attention]") {
    Matrix<double> kernel =
        softmax<double>(random_matrix<double>(16, 16, 11) + 6 * Matrix<double>::Identity(16, 16));
    const auto identity = Matrix<double>::Identity(16, 16);
    const double divisor = nf::detail::largest_column_sum(nf::detail::Rows<double>(kernel));
    double last = 1e9;
    for (const Index iterations : {2, 4, 6, 12}) {
        nf::detail::Scratch scratch;
        const auto inverse = scratch.rows<double>(16, 16);
        nf::detail::iterative_inverse<double>(nf::detail::Rows<double>(kernel), divisor, iterations,
                                              inverse);
        const double residual = (kernel * inverse.map() - identity).norm();
        CHECK(residual < last);
        last = residual;
    }
    CHECK(last < 1e-12);
}

TEST_CASE("Nystrom attention with well-separated landmarks approaches exact attention",
          "[attention]") {
    // Six rows in three equal pairs: the landmarks are the rows themselves, so the approximation is
    // exact.
    Matrix<double> q(6, 3), v = random_matrix<double>(6, 4, 12);
    for (Index i = 0; i < 6; ++i) q.row(i) = 3 * RowVector<double>::Unit(3, i / 2);
    const auto exact = attention<double>(q, q, v, {});
    nf::detail::Scratch scratch;
    auto landmarks = nf::detail::Landmarks<double>::in(scratch, 3, 4);
    landmarks.q.cols = landmarks.k.cols = 3;
    const auto inverse = scratch.rows<double>(3, 3);
    const nf::detail::Rows<double> rows(q);
    landmarks.find(rows, rows, 1);
    landmarks.find_inverse(30, inverse);
    landmarks.find_values(landmarks.kernel_3(rows, 1, {}), nf::detail::Rows<double>(v), inverse,
                          false);
    CHECK(largest_difference<double>(landmarks.kernel_2.map() * inverse.map(),
                                     Matrix<double>::Identity(3, 3)) < 1e-12);
    const Matrix<double> nystrom =
        attention<double>(q, landmarks.k.map(), landmarks.values.map(), {});
    CHECK(largest_difference(nystrom, exact) < 1e-12);
}

TEST_CASE("activations equal their formulas and keep NaN", "[kernels]") {
    auto of = [](const char* name, double x) {
        nf::detail::activate_row(*nf::find_activation(name), &x, 1);
        return x;
    };
    // torch.nn.functional, in double
    CHECK(of("gelu", 1.0) == Approx(0.8413447460685429).epsilon(1e-14));
    CHECK(of("gelu", -2.0) == Approx(-0.04550026389635842).epsilon(1e-14));
    CHECK(of("gelu_new", 1.0) == Approx(0.8411919906082768).epsilon(1e-14));
    CHECK(of("gelu_pytorch_tanh", -0.5) == of("gelu_new", -0.5));
    CHECK(of("quick_gelu", 1.0) == Approx(0.8457957659328212).epsilon(1e-13));
    CHECK(of("silu", 2.0) == Approx(1.7615941559557649).epsilon(1e-14));
    CHECK(of("swish", -3.0) == of("silu", -3.0));
    CHECK(of("mish", 1.0) == Approx(0.8650983882673103).epsilon(1e-14));
    CHECK(of("mish", 50.0) == Approx(50.0));
    CHECK(of("gelu_python", -0.5) == of("gelu", -0.5));
    CHECK(of("gelu_python_tanh", -0.5) == of("gelu_new", -0.5));
    CHECK(of("gelu_accurate", -0.5) == of("gelu_new", -0.5));
    CHECK(of("gelu_10", -2.0) == of("gelu", -2.0));
    CHECK(of("gelu_10", 12.0) == 10);
    CHECK(of("relu2", -2.0) == 0);
    CHECK(of("relu2", 12.0) == 144);
    CHECK(of("relu6", -2.0) == 0);
    CHECK(of("relu6", 0.5) == 0.5);
    CHECK(of("relu6", 12.0) == 6);
    CHECK(of("leaky_relu", -2.0) == Approx(-0.02));
    CHECK(of("leaky_relu", 12.0) == 12);
    CHECK(of("hardswish", -2.0) == Approx(-0.3333333333333333).epsilon(1e-14));
    CHECK(of("hardswish", 0.5) == Approx(0.2916666666666667).epsilon(1e-14));
    CHECK(of("hardswish", 12.0) == 12);
    CHECK(of("sqrtsoftplus", -2.0) == Approx(0.3562695763645452).epsilon(1e-14));
    CHECK(of("sqrtsoftplus", 25.0) == 5);
    CHECK(of("laplace", 0.5) == Approx(0.23142114841057387).epsilon(1e-14));
    CHECK(of("laplace", 12.0) == 1);
    CHECK(of("relu", -1.0) == 0);
    CHECK(of("linear", -1.5) == -1.5);
    CHECK(of("sigmoid", 0.0) == 0.5);
    CHECK(of("tanh", 0.5) == Approx(0.46211715726000975).epsilon(1e-14));
    for (const auto& entry : nf::detail::named_activations) {
        float x = std::numeric_limits<float>::quiet_NaN();
        nf::detail::activate_row(entry.activation, &x, 1);
        CHECK(std::isnan(x));
    }
}

namespace {

/// The largest error in units in the last place over a sample of all floats, NaN and infinity
/// included.
template <typename Function, typename Reference>
double largest_ulp_error(const Function& function, const Reference& reference,
                         float above = std::numeric_limits<float>::infinity()) {
    constexpr std::uint32_t step =
        10007;  // prime; NYSTROMFORMER_SWEEP=1 in the environment: every float
    const bool every = std::getenv("NYSTROMFORMER_SWEEP") != nullptr;
    double largest = 0;
    std::vector<float> inputs, outputs;
    auto compare = [&] {
        std::erase_if(inputs, [above](float x) { return x > above; });
        outputs = inputs;
        function(outputs.data(), static_cast<Index>(outputs.size()));
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            const double expected = reference(static_cast<double>(inputs[i]));
            const double found = static_cast<double>(outputs[i]);
            if (std::isnan(expected) && std::isnan(found)) continue;
            const auto rounded = static_cast<float>(expected);
            if (std::isinf(rounded) && rounded == outputs[i]) continue;
            int exponent;
            std::frexp(rounded, &exponent);
            const double ulp = std::ldexp(1.0, std::max(exponent - 24, -149));
            const double error = std::abs(found - expected) / ulp;
            if (!(error <= largest)) largest = error;
        }
        inputs.clear();
    };
    for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += every ? 1 : step) {
        inputs.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
        if (inputs.size() == 4099) compare();
    }
    inputs.push_back(std::numeric_limits<float>::infinity());
    inputs.push_back(-std::numeric_limits<float>::infinity());
    compare();
    return largest;
}

}  // namespace

TEST_CASE("exp and tanh keep their stated error over all floats on every instruction set",
          "[kernels]") {
    for (const nf::detail::Backend& backend : nf::detail::backends) {
        if (!backend.runs_here()) continue;
        INFO(nf::name(backend.isa));
        const auto kernels = nf::detail::row_kernels(backend.isa);
        auto exponentials = [&](float* row, Index size) { kernels.exponentials(row, size, 0); };
        auto exp_negative = [](double x) { return x < -87.3f ? 0.0 : std::exp(x); };
        CHECK(largest_ulp_error(exponentials, exp_negative, 0) < 1.3);
        auto tanh = [&](float* row, Index size) {
            REQUIRE(kernels.activate(nf::Activation::tanh, row, size));
        };
        CHECK(largest_ulp_error(tanh, [](double x) { return std::tanh(x); }) < 1.4);
    }
}

namespace {

/// The largest |found - expected| / (1 + |x|) of an activation over a sweep from -100 to 100.
template <typename Reference>
double largest_scaled_error(const nf::detail::RowKernels& kernels, nf::Activation activation,
                            const Reference& reference) {
    std::vector<float> inputs;
    for (int i = -1'000'000; i <= 1'000'000; i += 7)
        inputs.push_back(static_cast<float>(i) * 1e-4f);
    std::vector<float> outputs = inputs;
    REQUIRE(kernels.activate(activation, outputs.data(), static_cast<Index>(outputs.size())));
    double largest = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const double x = static_cast<double>(inputs[i]);
        const double error = std::abs(static_cast<double>(outputs[i]) - reference(x));
        if (!(error / (1 + std::abs(x)) <= largest)) largest = error / (1 + std::abs(x));
    }
    return largest;
}

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

TEST_CASE("the activations keep their stated error on every instruction set", "[kernels]") {
    const double scale = std::sqrt(2 / std::acos(-1.0));
    auto tanh_gelu = [](double x, double factor) {
        return x / 2 * (1 + std::tanh(factor * (x + 0.044715 * x * x * x)));
    };
    for (const nf::detail::Backend& backend : nf::detail::backends) {
        if (!backend.runs_here()) continue;
        INFO(nf::name(backend.isa));
        const auto kernels = nf::detail::row_kernels(backend.isa);
        constexpr double stated = 2e-7;  // of 1 + |x|: less than 4 steps of a float at 1
        CHECK(largest_scaled_error(kernels, nf::Activation::gelu, [](double x) {
                  return x / 2 * std::erfc(-x / std::sqrt(2.0));
              }) < stated);
        CHECK(largest_scaled_error(kernels, nf::Activation::gelu_new,
                                   [&](double x) { return tanh_gelu(x, scale); }) < stated);
        CHECK(largest_scaled_error(kernels, nf::Activation::gelu_fast,
                                   [&](double x) { return tanh_gelu(x, 0.7978845608); }) < stated);
        CHECK(largest_scaled_error(kernels, nf::Activation::quick_gelu,
                                   [](double x) { return x * sigmoid_of(1.702 * x); }) < stated);
        CHECK(largest_scaled_error(kernels, nf::Activation::silu,
                                   [](double x) { return x * sigmoid_of(x); }) < stated);
        CHECK(largest_scaled_error(kernels, nf::Activation::sigmoid, sigmoid_of) < stated);
        CHECK(largest_scaled_error(kernels, nf::Activation::relu,
                                   [](double x) { return std::max(x, 0.0); }) == 0);
    }
}

TEST_CASE("softmax and layer norm in float keep their stated error", "[kernels]") {
    for (const Index size : {1, 7, 64, 768, 3001}) {
        const Matrix<double> x = random_matrix<float>(4, size, 21, 8).cast<double>();
        const Matrix<double> probabilities = softmax<double>(x);
        const Matrix<double> found = softmax<float>(x.cast<float>()).cast<double>();
        // Relative to the probability itself: the differences of the scores are rounded once.
        const double error =
            ((found - probabilities).array().abs() / probabilities.array().max(1e-30)).maxCoeff();
        CHECK(error < 5e-6);
        const RowVector<float> weight = random_matrix<float>(1, size, 22),
                               bias = random_matrix<float>(1, size, 23);
        for (Index row = 0; row < x.rows(); ++row) {
            const RowVector<float> from = x.row(row).cast<float>();
            RowVector<float> out(size);
            nf::detail::float_kernels<float>().layer_norm(
                {from.data(), nullptr, weight.data(), bias.data(), out.data(), size, 1e-5f});
            const double mean = x.row(row).mean();
            const double variance = (x.row(row).array() - mean).square().mean();
            const RowVector<double> expected =
                ((x.row(row).array() - mean) / std::sqrt(variance + 1e-5)) *
                    weight.cast<double>().array() +
                bias.cast<double>().array();
            CHECK((out.cast<double>() - expected).cwiseAbs().maxCoeff() < 3e-6);
        }
    }
}

}  // namespace kernels_test
