// SPDX-License-Identifier: MIT
// Eight threads that share one const model and tokenizer, each with 1,000 forward passes of mixed
// shapes: the results are those of one thread, to the bit. Made for the thread sanitizer.
// Usage: nystromformer_threads TESTS_FOLDER [PASSES]
#include "support/library.hpp"

#include <nystromformer/models.hpp>
#include <nystromformer/tokenizer.hpp>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace nf = nystromformer;

namespace {

constexpr int num_threads = 8;

struct Case {
    nf::ModelInput<float> input;
    nf::ForwardOptions options;
    nf::Matrix<float> expected;
};

bool same(const nf::Matrix<float>& a, const nf::Matrix<float>& b) {
    return a.rows() == b.rows() && a.cols() == b.cols() &&
           std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(float)) == 0;
}

/// Texts of one to thirty rows, one to three in a call, in both attentions.
std::vector<Case> cases_of(const nf::NystromformerModel<float>& serial) {
    std::vector<Case> cases;
    for (std::int64_t i = 0; i < 24; ++i) {
        std::vector<std::vector<std::int64_t>> texts;
        for (std::int64_t text = 0; text <= i % 3; ++text) {
            texts.emplace_back();
            for (std::int64_t k = 0; k < 1 + (i * 7 + text * 11) % 30; ++k)
                texts.back().push_back((i * 31 + text * 17 + k * 13) % 309);
        }
        Case one{nf::ModelInput<float>::stacked(texts), {}, {}};
        if (i % 4 == 1) one.options = {.attention = nf::Attention::nystrom, .num_landmarks = 5};
        if (i % 4 == 2) one.options.output_attentions = true;
        if (i % 4 == 3) {
            one.input.attention_mask.assign(one.input.input_ids.size(), 1);
            one.input.attention_mask.back() = 0;
        }
        one.expected = serial(one.input, one.options).last_hidden_state;
        cases.push_back(std::move(one));
    }
    return cases;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    const std::filesystem::path folder =
        std::filesystem::path(argv[1]) / "reference" / "sentences" / "dense";
    const int passes = argc > 2 ? std::atoi(argv[2]) : 1000;
    const auto serial = nf::NystromformerModel<float>::from_pretrained(folder, {.num_threads = 1});
    const auto cases = cases_of(serial);
    const auto tokenizer = nf::Tokenizer::from_pretrained(folder);
    const std::string text = "She opened the door and walked into the garden.";
    const auto ids = tokenizer.encode(text).ids;
    std::atomic<int> wrong = 0;
    // A pool of its own, one of two, and one that the threads fight for.
    for (const nf::Index pool : {1, 2, 4}) {
        const auto model =
            nf::NystromformerModel<float>::from_pretrained(folder, {.num_threads = pool});
        std::vector<std::thread> threads;
        for (int thread = 0; thread < num_threads; ++thread) {
            threads.emplace_back([&, thread] {
                nf::BaseModelOutput<float> output;
                for (int pass = 0; pass < passes; ++pass) {
                    const Case& one =
                        cases[static_cast<std::size_t>(pass * 5 + thread * 3) % cases.size()];
                    model(one.input, one.options, output);
                    if (!same(output.last_hidden_state, one.expected)) ++wrong;
                    if (pass % 50 == 0 && tokenizer.encode(text).ids != ids) ++wrong;
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
    }
    // Pools and models that come and go.
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 2; ++thread) {
        threads.emplace_back([&] {
            for (int round = 0; round < passes / 20; ++round) {
                const auto model =
                    nf::NystromformerModel<float>::from_pretrained(folder, {.num_threads = 2});
                if (!same(model(cases[0].input).last_hidden_state, cases[0].expected)) ++wrong;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    std::printf("%d threads, %d passes each: %d wrong results\n", num_threads, passes,
                wrong.load());
    return wrong == 0 ? 0 : 1;
}
