// SPDX-License-Identifier: MIT
// A long text with Nyström attention, on one thread, beside one of 4,096 tokens: CPU time per token
// of both, which take turns, and the peak memory of the process.
//   python benchmarks/models.py CACHE folder nystrom 65536
//   cmake --preset benchmarks && cmake --build --preset benchmarks
//   build/benchmarks/bin/nystromformer_long_text CACHE/base-65536-nystrom-65536 [TOKENS [ROUNDS]]
#include <nystromformer/isa.hpp>
#include <nystromformer/models.hpp>

#include <sys/resource.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "timed.hpp"

namespace nf = nystromformer;
using nf::Index;

namespace {

constexpr Index short_text = 4096;

/// The largest resident size of this process, in MiB.
double peak_mib() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
}

void measure(const std::string& folder, Index long_text, int rounds) {
    const auto model = nf::NystromformerModel<float>::from_pretrained(folder, {.num_threads = 1});
    const nf::ForwardOptions options{.attention = nf::Attention::nystrom, .num_landmarks = 64};
    nf::BaseModelOutput<float> output;
    const auto per_token = [&](Index tokens) {
        const auto input = timed::input_of(model.config().vocab_size, tokens);
        return timed::seconds_of([&] { model(input, options, output); }) /
               static_cast<double>(tokens);
    };
    per_token(short_text);  // reads the weights
    std::vector<double> shorter, longer;
    for (int round = 0; round < rounds; ++round) {
        shorter.push_back(per_token(short_text));
        longer.push_back(per_token(long_text));
    }
    std::printf(
        "{\"isa\":\"%s\",\"tokens\":%td,\"ms_per_token\":%.4f,\"ms_per_token_of_4096\":%.4f,"
        "\"ratio\":%.3f,\"median_ratio\":%.3f,\"peak_mib\":%.0f}\n",
        std::string(nf::name(nf::active_isa())).c_str(), long_text, 1e3 * timed::least(longer),
        1e3 * timed::least(shorter), timed::least(longer) / timed::least(shorter),
        timed::median(longer) / timed::median(shorter), peak_mib());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    try {
        measure(argv[1], argc > 2 ? std::stol(argv[2]) : 65536, argc > 3 ? std::stoi(argv[3]) : 3);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
