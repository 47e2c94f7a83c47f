// SPDX-License-Identifier: MIT
// Weights in bf16 and int8: the kernels of every instruction set against their definition, and the
// models that are loaded so.
#include "support/catch.hpp"
#include "support/library.hpp"

#include <nystromformer/kernels/backend.hpp>
#include <nystromformer/kernels/weights/linear_weights.hpp>

#include <nystromformer/nystromformer.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace precision_test {

namespace nf = nystromformer;
using nf::Index;
using nf::Matrix;
using nf::RowVector;

namespace {

const std::filesystem::path data = NYSTROMFORMER_TEST_DATA;
const std::filesystem::path bundled =
    std::filesystem::path(NYSTROMFORMER_MODELS) / "nystromformer-small-en";

Matrix<float> random_matrix(Index rows, Index cols, unsigned seed, float scale = 1) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal(0, scale);
    return Matrix<float>::NullaryExpr(rows, cols, [&] { return normal(generator); });
}

nf::WeightRows<float> rows_of(const Matrix<float>& weight) {
    return [&weight](Index first, Index count, float* to) {
        std::copy_n(weight.row(first).data(), count * weight.cols(), to);
    };
}

template <typename Packed>
Matrix<float> product(const Packed& packed, Matrix<float> x, nf::ThreadPool& threads) {
    Matrix<float> out(x.rows(), packed.rows());
    packed.multiply(x, out, threads);
    return out;
}

/// The nearest bf16, ties to even.
float bfloat(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    return std::bit_cast<float>((bits + 0x7FFFu + ((bits >> 16) & 1u)) & 0xFFFF0000u);
}

/// x w' + bias as int8 defines it, block by block: weights in 127 steps of the largest of their
/// channel, activations but for the largest in 255 steps of their range.
Matrix<double> int8_product(const Matrix<float>& x, const Matrix<float>& weight,
                            const RowVector<float>& bias) {
    Matrix<double> a = x.cast<double>(), b = weight.cast<double>();
    for (Index first = 0; first < a.cols(); first += nf::detail::int8_block) {
        const Index size = std::min<Index>(nf::detail::int8_block, a.cols() - first);
        for (Index row = 0; row < b.rows(); ++row) {
            auto block = b.row(row).segment(first, size);
            const double scale = block.cwiseAbs().maxCoeff() / 127;
            if (scale > 0) block = (block / scale).array().round() * scale;
        }
        for (Index row = 0; row < a.rows(); ++row) {
            auto block = a.row(row).segment(first, size);
            Index place;
            block.cwiseAbs().maxCoeff(&place);
            const double largest = block(place);
            block(place) = 0;
            const double low = std::min(0.0, block.minCoeff());
            const double scale = (std::max(0.0, block.maxCoeff()) - low) / 255;
            if (scale > 0) {
                const double zero = std::floor(-low / scale + 0.5);
                block = ((block.array() / scale + zero + 0.5).floor().min(255.0).max(0.0) - zero) *
                        scale;
            }
            block(place) = largest;
        }
    }
    Matrix<double> result = a * b.transpose();
    result.rowwise() += bias.cast<double>();
    return result;
}

double cosine(const Matrix<float>& a, const Matrix<float>& b) {
    const Matrix<double> x = a.cast<double>(), y = b.cast<double>();
    return x.cwiseProduct(y).sum() / (x.norm() * y.norm());
}

std::vector<std::int64_t> some_ids(Index count, Index vocab_size) {
    std::vector<std::int64_t> ids;
    for (Index i = 0; i < count; ++i) ids.push_back((i * 7919 + 13) % vocab_size);
    return ids;
}

}  // namespace

TEST_CASE("a product of 8-bit numbers equals its definition, row by row the same bits",
          "[kernels][precision]") {
    nf::ThreadPool one(1), three(3);
    for (const Index out : {1, 15, 33, 70}) {
        for (const Index in : {1, 2, 3, 5, 64, 97, 128, 131, 300}) {
            const auto weight = random_matrix(out, in, 1);
            const RowVector<float> bias = random_matrix(1, out, 2);
            const nf::Int8Matrix packed(out, in, rows_of(weight), bias, three);
            for (const Index n : {0, 1, 2, 7, 14, 29, 84, 170}) {
                const auto x = random_matrix(n, in, 3, 5);
                const auto found = product(packed, x, one);
                INFO(out << " x " << in << ", " << n << " rows");
                const Matrix<double> expected = int8_product(x, weight, bias);
                // A number half way between two steps can go to the other one in float.
                const Matrix<double> error = (found.cast<double>() - expected).cwiseAbs();
                CHECK((error.array() > 1e-4).rowwise().any().count() <= 2 + n / 100);
                if (n > 0) CHECK(error.maxCoeff() < 0.3);
                CHECK(product(packed, x, three) == found);
                if (n > 0) CHECK(product(packed, x.bottomRows(1), one) == found.bottomRows(1));
            }
        }
    }
}

TEST_CASE("8-bit products of the largest numbers do not saturate", "[kernels][precision]") {
    nf::ThreadPool one(1);
    const Index in = 4097;
    for (const float sign : {1.0f, -1.0f}) {
        const Matrix<float> weight = Matrix<float>::Constant(3, in, 2 * sign);
        const Matrix<float> x = Matrix<float>::Constant(5, in, 3);
        const nf::Int8Matrix packed(3, in, rows_of(weight), {}, one);
        const auto found = product(packed, x, one);
        CHECK(found(4, 2) == Approx(6 * sign * static_cast<float>(in)));
    }
}

TEST_CASE("8-bit rows of zeros stay zero, tiny ones are zero, lost ones become NaN",
          "[kernels][precision]") {
    nf::ThreadPool one(1);
    const Index in = 37;
    Matrix<float> weight = random_matrix(20, in, 4), x = random_matrix(5, in, 5);
    const float infinity = std::numeric_limits<float>::infinity();
    weight.row(1).setZero();
    weight(2, 36) = infinity;
    x.row(0).setZero();
    x.row(1) *= 1e-40f;  // counts as 0
    x(2, 3) = std::numeric_limits<float>::quiet_NaN();
    x(3, 36) = -infinity;
    const nf::Int8Matrix packed(20, in, rows_of(weight), {}, one);
    const auto found = product(packed, x, one);
    CHECK(found(0, 0) == 0);
    CHECK(found(4, 1) == 0);
    CHECK(std::abs(found(1, 0)) < 1e-36f);
    CHECK(std::isnan(found(4, 2)));
    CHECK(std::isnan(found(2, 5)));
    CHECK_FALSE(std::isfinite(found(3, 5)));
    CHECK(std::isfinite(found(4, 5)));
}

TEST_CASE("a product of bf16 weights is the float product of the rounded weights",
          "[kernels][precision]") {
    nf::ThreadPool one(1), three(3);
    for (const Index out : {1, 16, 33}) {
        for (const Index in : {1, 2, 65}) {
            const auto weight = random_matrix(out, in, 6);
            const RowVector<float> bias = random_matrix(1, out, 7);
            const Matrix<float> rounded = weight.unaryExpr(&bfloat);
            const nf::PackedMatrix<float> reference(rounded, bias);
            const nf::BfloatMatrix stored(out, in, rows_of(weight), bias, three, false);
            const nf::BfloatMatrix both(out, in, rows_of(weight), bias, one, true);
            for (const Index n : {0, 1, 7, 29, 170}) {
                const auto x = random_matrix(n, in, 8);
                CHECK(product(stored, x, three) == product(reference, x, one));
                Matrix<double> expected =
                    x.unaryExpr(&bfloat).cast<double>() * rounded.transpose().cast<double>();
                expected.rowwise() += bias.cast<double>();
                const auto found = product(both, x, three);
                CHECK(product(both, x, one) == found);
                if (n == 0) continue;
                CHECK((found.cast<double>() - expected).cwiseAbs().maxCoeff() < 2e-5);
                CHECK(product(both, x.bottomRows(1), one) == found.bottomRows(1));
            }
        }
    }
    std::uint16_t rounded[4];
    const float special[3] = {std::numeric_limits<float>::quiet_NaN(),
                              std::numeric_limits<float>::infinity(), 1.00390625f};
    nf::detail::bfloat_kernels().round_row(special, 3, 4, rounded);
    CHECK((rounded[0] & 0x7FFF) > 0x7F80);
    CHECK(rounded[1] == 0x7F80);
    CHECK(rounded[2] == 0x3F80);  // half way: to even
    CHECK(rounded[3] == 0);
}

namespace {

/// softmax(q k' / 8) v with everything rounded to bf16 that is multiplied, for one block of keys.
Matrix<double> bfloat_attention(const Matrix<float>& q, const Matrix<float>& k,
                                const Matrix<float>& v, nf::detail::KeyMask key_mask) {
    auto rounded = [](const Matrix<float>& x) {
        return Matrix<double>(x.unaryExpr(&bfloat).cast<double>());
    };
    Matrix<double> weights = rounded(q) * rounded(0.125f * k).transpose();
    for (std::size_t i = 0; i < key_mask.size(); ++i)
        if (key_mask[i] == 0) weights.col(static_cast<Index>(i)).setConstant(-1e30);
    for (auto row : weights.rowwise()) row = (row.array() - row.maxCoeff()).exp().matrix().eval();
    const auto sums = weights.rowwise().sum().eval();
    const Matrix<double> context = rounded(weights.cast<float>()) * rounded(v);
    return sums.cwiseInverse().asDiagonal() * context;
}

}  // namespace

TEST_CASE("attention in bf16 is that of the rounded numbers", "[attention][precision]") {
    nf::detail::Scratch scratch;
    for (const Index n : {1, 2, 31, 32, 33, 515, 1024, 1025, 2090}) {
        for (const Index dim : {1, 2, 33, 64}) {
            const auto q = random_matrix(29, dim, 20), k = random_matrix(n, dim, 21),
                       v = random_matrix(n, dim, 22);
            std::vector<std::int64_t> mask(static_cast<std::size_t>(n), 1);
            for (std::size_t i = 1; i < mask.size(); i += 3) mask[i] = 0;
            for (const nf::detail::KeyMask key_mask :
                 {nf::detail::KeyMask(), nf::detail::KeyMask(mask)}) {
                INFO(n << " keys of " << dim << (key_mask.empty() ? "" : ", masked"));
                const nf::detail::BfloatOperands operands(k, v, 0.125f, scratch);
                const auto context = scratch.rows<float>(29, dim);
                nf::detail::BlockedAttention(operands, key_mask)(q, context);
                const Matrix<float> found = context.map();
                const auto expected = bfloat_attention(q, k, v, key_mask);
                // A later block of keys may be weighed, and so rounded, by another largest score.
                CHECK((found.cast<double>() - expected).cwiseAbs().maxCoeff() <
                      (n <= 1024 ? 5e-4 : 3e-3));
            }
        }
    }
}

TEST_CASE("the bundled model keeps its hidden states in bf16 and in int8", "[model][precision]") {
    const auto exact = nf::NystromformerModel<float>::from_pretrained(bundled);
    const auto input = nf::ModelInput<float>::batch(some_ids(64, 8000), 1, 64);
    const auto expected = exact(input).last_hidden_state;
    CHECK(exact.precision() == nf::Precision::fp32);
    auto load = [&](nf::Precision precision, std::vector<std::string> keep = {}) {
        return nf::NystromformerModel<float>::from_pretrained(
            bundled, {.precision = precision, .keep_fp32 = std::move(keep)});
    };
    // The file is bf16 already, so nothing is lost where products are of floats.
    const double bf16 = cosine(load(nf::Precision::bf16)(input).last_hidden_state, expected);
    CHECK((nf::detail::bfloat_kernels().beats_float ? bf16 > 0.9999 : bf16 == Approx(1.0)));
    const auto quantized = load(nf::Precision::int8);
    const double int8 = cosine(quantized(input).last_hidden_state, expected);
    CHECK(quantized.precision() == nf::Precision::int8);
    CHECK(int8 > 0.999);
    CHECK(int8 < 1.0);
    const auto first_kept = load(nf::Precision::int8, {"layer.0", "output.dense"});
    CHECK(cosine(first_kept(input).last_hidden_state, expected) > int8);
    const auto all_kept = load(nf::Precision::int8, {"encoder", "layer.0"});
    CHECK(all_kept(input).last_hidden_state == expected);
}

TEST_CASE("automatic precision is bf16 where the CPU multiplies it faster, else fp32",
          "[model][precision]") {
    const auto input = nf::ModelInput<float>::batch(some_ids(40, 8000), 1, 40);
    const auto load = [](nf::Precision precision) {
        return nf::NystromformerModel<float>::from_pretrained(bundled, {.precision = precision});
    };
    const auto model = load(nf::Precision::automatic);
    const bool faster = nf::detail::bfloat_kernels().beats_float;
    const auto expected = faster ? nf::Precision::bf16 : nf::Precision::fp32;
    CHECK(model.precision() == expected);
    CHECK(model(input).last_hidden_state == load(expected)(input).last_hidden_state);
    const auto exact = nf::NystromformerModel<double>::from_pretrained(
        bundled, {.precision = nf::Precision::automatic});
    CHECK(exact.precision() == nf::Precision::fp32);
    CHECK(nf::precision_named("auto") == nf::Precision::automatic);
    CHECK(nf::name(nf::Precision::automatic) == "auto");
}

TEST_CASE("fill-mask in bf16 and int8 has the words of fp32, alone, in a batch and on threads",
          "[model][precision]") {
    const std::vector<std::string> texts{
        "She opened the [MASK] and walked into the garden.", "He sat down at the [MASK].",
        "It was a [MASK] night, and the wind blew from the sea. The old man had been waiting for "
        "many hours when the ship at last came into the harbour."};
    const auto load = [](nf::Precision precision, Index threads) {
        return nf::FillMaskPipeline(bundled, {.num_threads = threads, .precision = precision});
    };
    for (const auto precision : {nf::Precision::bf16, nf::Precision::int8}) {
        const auto exact = load(nf::Precision::fp32, 1), one = load(precision, 1),
                   three = load(precision, 3);
        for (const auto attention : {nf::Attention::exact, nf::Attention::nystrom}) {
            const nf::FillMaskOptions options{.run = {.attention = attention, .num_landmarks = 8}};
            const auto found = one.batch(texts, options), threaded = three.batch(texts, options);
            for (std::size_t i = 0; i < texts.size(); ++i) {
                INFO(nf::name(precision) << ", " << nf::name(attention) << ": " << texts[i]);
                const auto alone = one(texts[i], options);
                CHECK(alone[0].token == exact(texts[i], options)[0].token);
                for (std::size_t rank = 0; rank < alone.size(); ++rank) {
                    CHECK(found[i][0][rank].score == alone[rank].score);
                    CHECK(threaded[i][0][rank].score == alone[rank].score);
                }
            }
        }
    }
}

TEST_CASE("a precision that cannot be is refused: double, unknown layers, saving",
          "[model][precision]") {
    const auto folder = data / "reference" / "data" / "models" / "mlm-exact";
    CHECK_THROWS_AS(
        nf::NystromformerModel<double>::from_pretrained(folder, {.precision = nf::Precision::int8}),
        nf::InputError);
    CHECK_THROWS_AS(nf::NystromformerModel<float>::from_pretrained(
                        folder, {.precision = nf::Precision::int8, .keep_fp32 = {"layer.77"}}),
                    nf::InputError);
    for (const auto precision : {nf::Precision::bf16, nf::Precision::int8}) {
        const auto model = nf::NystromformerModel<float>::from_pretrained(
            folder, {.num_threads = 2, .precision = precision});
        CHECK_THROWS_AS(model.save_pretrained(std::filesystem::temp_directory_path() /
                                              "nystromformer-never-written"),
                        nf::UnsupportedError);
    }
}

TEST_CASE("8-bit answers do not depend on neighbours or threads", "[model][precision]") {
    const auto folder = data / "reference" / "data" / "models" / "mlm-exact";
    auto load = [&](Index threads) {
        return nf::NystromformerForMaskedLM<float>::from_pretrained(
            folder, {.num_threads = threads, .precision = nf::Precision::int8});
    };
    const auto one = load(1), three = load(3);
    const Index vocab = one.config().vocab_size;
    const auto texts = std::vector{some_ids(9, vocab), some_ids(4, vocab)};
    const auto both = one(nf::ModelInput<float>::stacked(texts)).logits;
    CHECK(three(nf::ModelInput<float>::stacked(texts)).logits == both);
    CHECK(one(nf::ModelInput<float>::stacked({texts[1]})).logits == both.bottomRows(4));
}

}  // namespace precision_test
