// SPDX-License-Identifier: MIT
// A single short text on one thread: seconds of a forward pass, and of reading as many bytes as the
// weights of its linear layers have, which nothing can be faster than. Both take turns, in every
// precision. Seconds are the thread's own, so that a busy machine disturbs less.
//   cmake --preset benchmarks && cmake --build --preset benchmarks
//   build/benchmarks/bin/nystromformer_short_text MODEL_DIR [ROUNDS]
#include <nystromformer/core/memory.hpp>
#include <nystromformer/isa.hpp>
#include <nystromformer/models.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "timed.hpp"

namespace nf = nystromformer;
using nf::Index;

namespace {

/// Of the encoder's linear layers; int8 has two floats for each 256 numbers of a channel.
double bytes_of_weights(const nf::NystromformerConfig& config, nf::Precision precision) {
    const auto hidden = static_cast<double>(config.hidden_size),
               inner = static_cast<double>(config.intermediate_size);
    const double numbers =
        static_cast<double>(config.num_hidden_layers) * (4 * hidden * hidden + 2 * hidden * inner);
    switch (precision) {
        case nf::Precision::bf16:
            return 2 * numbers;
        case nf::Precision::int8:
            return (1 + 8.0 / 256) * numbers;
        default:
            return 4 * numbers;
    }
}

/// Memory as large as the weights, which is read from one end to the other.
class Reader {
public:
    explicit Reader(double bytes)
        : vectors_(static_cast<Index>(bytes) / Index{sizeof(Vector)}), memory_(vectors_) {
        std::fill_n(memory_.data(), vectors_, Vector{1, 2, 3, 4, 5, 6, 7, 8});
    }
    void read() {
        Vector sums[4] = {};
        const Vector* from = memory_.data();
        for (Index i = 0; i + 4 <= vectors_; i += 4)
            for (Index j = 0; j < 4; ++j) sums[j] += from[i + j];
        const Vector sum = sums[0] + sums[1] + sums[2] + sums[3];
        result_ = sum[0] + sum[7];
    }

private:
    typedef std::uint64_t Vector __attribute__((vector_size(64)));
    Index vectors_;
    nf::detail::AlignedBuffer<Vector> memory_;
    volatile std::uint64_t result_ = 0;
};

void measure(const std::string& folder, nf::Precision precision, int rounds) {
    const auto model = nf::NystromformerModel<float>::from_pretrained(
        folder, {.num_threads = 1, .precision = precision});
    const double bytes = bytes_of_weights(model.config(), precision);
    Reader reader(bytes);
    nf::BaseModelOutput<float> output;
    for (const Index tokens : {1, 8, 16, 32, 64, 128}) {
        const auto input = timed::input_of(model.config().vocab_size, tokens);
        std::vector<double> forward, read;
        model(input, {}, output);
        for (int round = 0; round < rounds; ++round) {
            read.push_back(timed::seconds_of([&] { reader.read(); }));
            forward.push_back(timed::seconds_of([&] { model(input, {}, output); }));
        }
        const double least_forward = timed::least(forward), least_read = timed::least(read);
        std::printf(
            "{\"precision\":\"%s\",\"isa\":\"%s\",\"tokens\":%d,\"forward\":%.5f,\"read\":%.5f,"
            "\"ratio\":%.3f,\"median_ratio\":%.3f,\"gb_per_second\":%.2f}\n",
            std::string(nf::name(precision)).c_str(),
            std::string(nf::name(nf::active_isa())).c_str(), static_cast<int>(tokens),
            least_forward, least_read, least_forward / least_read,
            timed::median(forward) / timed::median(read), bytes / least_read / 1e9);
        std::fflush(stdout);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    try {
        for (const auto precision : {nf::Precision::fp32, nf::Precision::bf16, nf::Precision::int8})
            measure(argv[1], precision, argc > 2 ? std::stoi(argv[2]) : 15);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
