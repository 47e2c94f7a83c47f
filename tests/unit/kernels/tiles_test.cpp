// SPDX-License-Identifier: MIT
// Products of bf16 and of bytes by every instruction set that runs here: every shape of rows and
// depth against its definition, row by row the same bits. AMX's tiles, or the model of them where
// there are none, and the model's arithmetic.
#include "support/catch.hpp"
#include "unit/kernels/tile_instructions.hpp"

#include <nystromformer/kernels/backend.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <vector>

namespace tiles_test {

namespace nf = nystromformer;
namespace detail = nystromformer::detail;
using nf::Index;

namespace {

/// The instruction sets that run here.
std::vector<nf::Isa> sets_here() {
    std::vector<nf::Isa> sets;
    for (const detail::Backend& backend : detail::backends)
        if (backend.runs_here()) sets.push_back(backend.isa);
    return sets;
}
/// Those on tiles.
std::vector<nf::Isa> sets_on_tiles() {
    std::vector<nf::Isa> sets = sets_here();
    std::erase_if(sets, [](nf::Isa isa) { return detail::bfloat_kernels(isa).step == 1; });
    return sets;
}
/// Those that multiply unsigned bytes by signed ones.
std::vector<nf::Isa> sets_of_bytes() {
    std::vector<nf::Isa> sets = sets_here();
    std::erase_if(sets, [](nf::Isa isa) {
        return detail::byte_kernels(isa).group != 4 || isa == nf::Isa::neon_dotprod;
    });
    return sets;
}

std::uint16_t to_bfloat(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    return static_cast<std::uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}
float to_float(std::uint16_t x) { return std::bit_cast<float>(std::uint32_t{x} << 16); }

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// A product of bf16 with random numbers, more of them behind each row and the panel, and room
/// around what it writes.
struct Bfloats {
    static constexpr Index a_gap = 32, c_stride = 48;
    Index rows, depth, columns;  // depth in pairs
    std::vector<std::uint16_t> a, panel;
    std::vector<float> bias, c;

    Bfloats(Index num_rows, Index pairs, Index panel_columns = 32)
        : rows(num_rows), depth(pairs), columns(panel_columns) {
        std::mt19937 generator(static_cast<unsigned>(rows * 1000 + depth));
        std::normal_distribution<float> normal;
        a.resize(at(rows * stride()));
        panel.resize(at((depth + 1) * 2 * columns));
        for (auto* numbers : {&a, &panel})
            for (std::uint16_t& x : *numbers) x = to_bfloat(normal(generator));
        for (Index i = 0; i < columns; ++i) bias.push_back(normal(generator));
        c.assign(at((rows + 1) * c_stride), 77.0f);
    }
    Index stride() const { return depth * 2 + a_gap; }

    detail::BfloatProduct product() {
        return {.a = a.data(),
                .a_stride = stride(),
                .panel = panel.data(),
                .start = bias.data(),
                .c = c.data(),
                .c_stride = c_stride,
                .rows = rows,
                .depth = depth,
                .next = panel.data()};
    }
    double expected(Index row, Index column, double start) const {
        double sum = start;
        for (Index k = 0; k < 2 * depth; ++k)
            sum +=
                static_cast<double>(to_float(a[at(row * stride() + k)])) *
                static_cast<double>(to_float(panel[at(k / 2 * columns * 2 + column * 2 + k % 2)]));
        return sum;
    }
    /// The largest error of the sums; infinity where something beside them was written.
    double error(bool with_bias) const {
        double largest = 0;
        for (Index i = 0; i < static_cast<Index>(c.size()); ++i) {
            const Index row = i / c_stride, column = i % c_stride;
            const auto found = static_cast<double>(c[at(i)]);
            if (row < rows && column < columns) {
                const double start = with_bias ? static_cast<double>(bias[at(column)]) : 0.0;
                largest = std::max(largest, std::abs(found - expected(row, column, start)));
            } else if (found != 77) {
                return std::numeric_limits<double>::infinity();
            }
        }
        return largest;
    }
};

}  // namespace

TEST_CASE(
    "a product of bf16 equals its definition in every number of rows, row by row the same bits",
    "[kernels]") {
    for (const nf::Isa isa : sets_here()) {
        const detail::BfloatKernels kernels = detail::bfloat_kernels(isa);
        for (const Index steps : {1, 2, 12, 13, 25}) {
            for (Index rows = 0; rows <= 96; rows += rows < 40 ? 1 : 7) {
                INFO(nf::name(isa) << ": " << rows << " rows, " << steps << " steps");
                Bfloats all(rows, steps * kernels.step, kernels.columns);
                kernels.multiply(all.product());
                CHECK(all.error(true) < 2e-4);
                if (rows == 0) continue;
                Bfloats last = all;
                last.rows = 1;
                detail::BfloatProduct product = last.product();
                product.a += (rows - 1) * product.a_stride;
                kernels.multiply(product);
                CHECK(std::equal(last.c.begin(), last.c.begin() + last.columns,
                                 all.c.begin() + (rows - 1) * Bfloats::c_stride));
            }
        }
    }
}

TEST_CASE("products of bf16 are added to nothing, or to what is there", "[kernels]") {
    for (const nf::Isa isa : sets_here()) {
        const detail::BfloatKernels kernels = detail::bfloat_kernels(isa);
        for (const Index rows : {1, 16, 17, 33, 80}) {
            Bfloats numbers(rows, 14 * kernels.step, kernels.columns);
            detail::BfloatProduct product = numbers.product();
            product.start = nullptr;
            product.next = nullptr;
            kernels.multiply(product);
            CHECK(numbers.error(false) < 2e-4);
            for (Index row = 0; row < rows; ++row)
                std::copy_n(numbers.bias.data(), numbers.columns,
                            numbers.c.data() + row * Bfloats::c_stride);
            product.start = numbers.c.data();
            product.start_stride = Bfloats::c_stride;
            kernels.multiply(product);
            CHECK(numbers.error(true) < 2e-4);
        }
    }
}

namespace {

/// A product of bytes with random numbers, others behind each row and the panel, and blocks of
/// scales.
struct Bytes {
    static constexpr Index a_gap = 64, c_stride = 40;
    Index rows, numbers, columns, depth, blocks;  // numbers of a row; groups of four, whole steps
    std::vector<std::uint8_t> a;
    std::vector<std::int8_t> panel;
    std::vector<detail::Int8Block> a_blocks;
    std::vector<float> scales, sums, bias, c;

    Bytes(Index num_rows, Index num_cols, Index panel_columns = 32, Index step = 16)
        : rows(num_rows),
          numbers(num_cols),
          columns(panel_columns),
          depth((num_cols + 4 * step - 1) / (4 * step) * step),
          blocks((num_cols + detail::int8_block - 1) / detail::int8_block) {
        std::mt19937 generator(static_cast<unsigned>(rows * 1000 + numbers));
        std::uniform_int_distribution<int> byte(0, 255);
        std::normal_distribution<float> normal;
        a.assign(at(rows * stride()), 99);
        panel.resize(at(depth * 4 * columns));
        panel.resize(at((depth + 1) * 4 * columns), 99);
        for (Index row = 0; row < rows; ++row)
            for (Index k = 0; k < depth * 4; ++k)
                a[at(row * stride() + k)] =
                    k < numbers ? static_cast<std::uint8_t>(byte(generator)) : std::uint8_t{0};
        for (Index k = 0; k < numbers; ++k)
            for (Index column = 0; column < columns; ++column)
                weight(k, column) = static_cast<std::int8_t>(byte(generator) - 128);
        for (Index i = 0; i < rows * blocks; ++i) {
            const Index block = i % blocks, left = numbers - block * detail::int8_block;
            a_blocks.push_back({normal(generator), normal(generator), normal(generator),
                                byte(generator) % static_cast<int>(std::min<Index>(left, 256))});
        }
        for (auto* values : {&scales, &sums})
            for (Index i = 0; i < blocks * columns; ++i) values->push_back(normal(generator));
        for (Index i = 0; i < columns; ++i) bias.push_back(normal(generator));
        c.assign(at((rows + 1) * c_stride), 77.0f);
    }
    Index stride() const { return depth * 4 + a_gap; }
    std::int8_t& weight(Index k, Index column) {
        return panel[at(k / 4 * columns * 4 + column * 4 + k % 4)];
    }

    detail::ByteProduct product() {
        return {.a = a.data(),
                .a_stride = stride(),
                .a_blocks = a_blocks.data(),
                .panel = panel.data(),
                .column_scales = scales.data(),
                .column_sums = sums.data(),
                .bias = bias.data(),
                .c = c.data(),
                .c_stride = c_stride,
                .rows = rows,
                .depth = depth,
                .blocks = blocks,
                .next = panel.data(),
                .next_bytes = static_cast<Index>(panel.size())};
    }
    /// What ByteProduct says of one number, and how large its terms are.
    std::pair<double, double> expected(Index row, Index column) {
        auto result = static_cast<double>(bias[at(column)]), size = std::abs(result);
        for (Index block = 0; block < blocks; ++block) {
            const detail::Int8Block& of_row = a_blocks[at(row * blocks + block)];
            const Index first = block * detail::int8_block;
            int sum = 0;
            for (Index k = first; k < std::min(numbers, first + detail::int8_block); ++k)
                sum += a[at(row * stride() + k)] * weight(k, column);
            const auto scale = static_cast<double>(scales[at(block * columns + column)]);
            for (const double term :
                 {static_cast<double>(of_row.scale) * sum * scale,
                  static_cast<double>(of_row.largest) * weight(first + of_row.place, column) *
                      scale,
                  -static_cast<double>(of_row.shift) *
                      static_cast<double>(sums[at(block * columns + column)])}) {
                result += term;
                size += std::abs(term);
            }
        }
        return {result, size};
    }
    /// The largest relative error; infinity where something beside the result was written.
    double error() {
        double largest = 0;
        for (Index i = 0; i < static_cast<Index>(c.size()); ++i) {
            const Index row = i / c_stride, column = i % c_stride;
            const auto found = static_cast<double>(c[at(i)]);
            if (row < rows && column < columns) {
                const auto [value, size] = expected(row, column);
                largest = std::max(largest, std::abs(found - value) / size);
            } else if (found != 77) {
                return std::numeric_limits<double>::infinity();
            }
        }
        return largest;
    }
};

}  // namespace

TEST_CASE(
    "a product of bytes equals its definition in every number of rows, row by row the same bits",
    "[kernels]") {
    for (const nf::Isa isa : sets_of_bytes()) {
        const detail::ByteKernels kernels = detail::byte_kernels(isa);
        for (const Index numbers : {1, 63, 64, 65, 255, 256, 257, 768, 1000}) {
            for (Index rows = 0; rows <= 96; rows += rows < 40 ? 1 : 7) {
                INFO(nf::name(isa) << ": " << rows << " rows of " << numbers);
                Bytes all(rows, numbers, kernels.columns, kernels.step);
                kernels.multiply(all.product());
                CHECK(all.error() < 1e-6);
                if (rows == 0) continue;
                Bytes last = all;
                last.rows = 1;
                detail::ByteProduct product = last.product();
                product.a = all.a.data() + (rows - 1) * all.stride();
                product.a_blocks += (rows - 1) * all.blocks;
                kernels.multiply(product);
                CHECK(std::equal(last.c.begin(), last.c.begin() + last.columns,
                                 all.c.begin() + (rows - 1) * Bytes::c_stride));
            }
        }
    }
}

TEST_CASE("products of bytes take the largest numbers without saturation", "[kernels]") {
    for (const nf::Isa isa : sets_of_bytes()) {
        const detail::ByteKernels kernels = detail::byte_kernels(isa);
        for (const int sign : {1, -1}) {
            Bytes numbers(17, 512, kernels.columns, kernels.step);
            std::fill(numbers.a.begin(), numbers.a.end(), std::uint8_t{255});
            std::fill(numbers.panel.begin(), numbers.panel.end(),
                      static_cast<std::int8_t>(127 * sign));
            kernels.multiply(numbers.product());
            CHECK(numbers.error() < 1e-6);
        }
    }
}

namespace {

/// One sum of pairs of bf16, the others 0.
float sum_of_pairs(nf::Isa isa, const std::vector<float>& x, const std::vector<float>& y,
                   float start) {
    Bfloats numbers(1, 16);
    std::fill(numbers.a.begin(), numbers.a.end(), std::uint16_t{0});
    std::fill(numbers.panel.begin(), numbers.panel.end(), std::uint16_t{0});
    for (Index k = 0; k < static_cast<Index>(x.size()); ++k) {
        numbers.a[at(k)] = to_bfloat(x[at(k)]);
        numbers.panel[at(k / 2 * 64 + 2 * 3 + k % 2)] = to_bfloat(y[at(k)]);
    }
    numbers.bias[3] = start;
    detail::bfloat_kernels(isa).multiply(numbers.product());
    return numbers.c[3];
}

}  // namespace

TEST_CASE("tiles add the first numbers of all pairs, then the second ones, then what was there",
          "[kernels]") {
    const float tiny = 0x1p-24f;  // half of the last place of 1
    for (const nf::Isa isa : sets_on_tiles()) {
        INFO(nf::name(isa));
        // Each tiny number is lost beside a 1, and not beside another: to the even one where half.
        CHECK(sum_of_pairs(isa, {1, 0, tiny, 0, tiny, 0}, {1, 0, 1, 0, 1, 0}, 0) == 1);
        CHECK(sum_of_pairs(isa, {1, tiny, 0, tiny}, {1, 1, 0, 1}, 0) == 1 + 2 * tiny);
        CHECK(sum_of_pairs(isa, {tiny, 0, tiny, 0}, {1, 0, 1, 0}, 1) == 1 + 2 * tiny);
        CHECK(sum_of_pairs(isa, {tiny, tiny}, {1, 1}, 1) == 1 + 2 * tiny);
        // A product is not rounded before it is added.
        CHECK(sum_of_pairs(isa, {1, 0, 0x1.02p0f, 0}, {-1, 0, 0x1.02p0f, 0}, 0) ==
              0x1.02p0f * 0x1.02p0f - 1);
    }
}

TEST_CASE("tiles of bf16 count denormals as 0 and keep infinity and NaN", "[kernels]") {
    const float least = std::numeric_limits<float>::min();
    const float infinity = std::numeric_limits<float>::infinity();
    for (const nf::Isa isa : sets_on_tiles()) {
        INFO(nf::name(isa));
        CHECK(sum_of_pairs(isa, {least / 2}, {0x1p30f}, 0) == 0);
        CHECK(sum_of_pairs(isa, {0x1p-70f}, {0x1p-70f}, 0) == 0);
        CHECK(sum_of_pairs(isa, {least}, {1}, 0) == least);
        CHECK(sum_of_pairs(isa, {least, 0}, {-1.5f, 0}, 2 * least) == 0);
        CHECK(sum_of_pairs(isa, {0}, {0}, least / 2) == 0);
        CHECK(sum_of_pairs(isa, {1}, {infinity}, 0) == infinity);
        CHECK(std::isnan(sum_of_pairs(isa, {1, 1}, {infinity, -infinity}, 0)));
    }
}

#if defined(NYSTROMFORMER_TILE_MODEL) && defined(NYSTROMFORMER_TILE_EMULATOR)
TEST_CASE("the machine code for tiles, emulated where the CPU has none, and the model agree",
          "[kernels]") {
    const tile_emulator::Emulator emulator;
    for (const Index rows : {1, 15, 16, 17, 31, 32, 33, 50, 64, 96}) {
        INFO(rows << " rows");
        for (const Index steps : {1, 12, 13, 30}) {
            Bfloats code(rows, steps * 16), model = code;
            detail::tile_instructions::multiply_bfloat_tiles(code.product());
            detail::bfloat_kernels(nf::Isa::tile_model).multiply(model.product());
            CHECK(code.error(true) < 2e-4);
            CHECK(code.c == model.c);
        }
        for (const Index numbers : {1, 64, 300, 768}) {
            Bytes code(rows, numbers), model = code;
            detail::tile_instructions::multiply_byte_tiles(code.product());
            detail::byte_kernels(nf::Isa::tile_model).multiply(model.product());
            CHECK(code.error() < 1e-6);
            CHECK(code.c == model.c);
        }
    }
    CHECK((emulator.instructions() > 1000 || nf::is_supported(nf::Isa::amx)));
    CHECK(emulator.released());
}

// Where the CPU has all other instructions of these kernels.
TEST_CASE("the kernels of amx, emulated where the CPU has no tiles, and the model agree",
          "[kernels]") {
    if (!nf::is_supported(nf::Isa::avx512bf16)) return;
    const tile_emulator::Emulator emulator;
    for (const Index rows : {1, 16, 31, 32, 50, 96}) {
        for (const Index steps : {1, 12, 30}) {
            Bfloats code(rows, steps * 16), model = code;
            detail::bfloat_kernels(nf::Isa::amx).multiply(code.product());
            detail::bfloat_kernels(nf::Isa::tile_model).multiply(model.product());
            CHECK(code.c == model.c);
        }
        for (const Index numbers : {64, 300, 768}) {
            Bytes code(rows, numbers);
            detail::byte_kernels(nf::Isa::amx).multiply(code.product());
            CHECK(code.error() < 1e-6);
        }
    }
    CHECK((emulator.instructions() > 1000 || nf::is_supported(nf::Isa::amx)));
    CHECK(emulator.released());
}
#endif

#if defined(NYSTROMFORMER_TILE_MODEL)
TEST_CASE("the CPU's tiles and their model have the same bits", "[kernels]") {
    if (!nf::is_supported(nf::Isa::amx)) return;
    for (const Index rows : {1, 16, 31, 32, 50, 96}) {
        for (const Index steps : {1, 12, 30}) {
            Bfloats cpu(rows, steps * 16), model = cpu;
            detail::bfloat_kernels(nf::Isa::amx).multiply(cpu.product());
            detail::bfloat_kernels(nf::Isa::tile_model).multiply(model.product());
            CHECK(cpu.c == model.c);
        }
        for (const Index numbers : {64, 300, 768}) {
            Bytes cpu(rows, numbers);
            // Whole numbers below 2^24: no float is rounded, so it does not matter what is fused.
            std::fill(cpu.a_blocks.begin(), cpu.a_blocks.end(), detail::Int8Block{1, 3, 2, 5});
            for (auto* values : {&cpu.scales, &cpu.sums, &cpu.bias})
                std::fill(values->begin(), values->end(), 1.0f);
            Bytes model = cpu;
            detail::byte_kernels(nf::Isa::amx).multiply(cpu.product());
            detail::byte_kernels(nf::Isa::tile_model).multiply(model.product());
            CHECK(cpu.c == model.c);
        }
    }
}
#endif

}  // namespace tiles_test
