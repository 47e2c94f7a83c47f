// SPDX-License-Identifier: MIT
// Loads, runs and destroys models, tokenizers and pipelines for some seconds, good folders and bad
// ones; tests/robustness/soak.py watches it. Usage: nystromformer_soak TESTS_FOLDER SECONDS
#include <nystromformer/sentence_embedding.hpp>
#include <nystromformer/text_classification.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace nf = nystromformer;

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const std::filesystem::path tests = argv[1], reference = tests / "reference";
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::duration<double>(std::atof(argv[2]));
    const nf::Precision precisions[] = {nf::Precision::fp32, nf::Precision::bf16,
                                        nf::Precision::int8};
    long rounds = 0, refused = 0;
    for (; Clock::now() < end; ++rounds) {
        const nf::LoadOptions options{.num_threads = 1 + rounds % 3,
                                      .precision = precisions[rounds % 3]};
        const nf::SentenceEmbeddingPipeline sentences(reference / "sentences" / "dense", options);
        (void)sentences("A garden and a ship.");
        const nf::TextClassificationPipeline classes(reference / "pipelines" / "classes", options);
        (void)classes("A garden and a ship.");
        for (const auto& bad : {tests / "checkpoint" / "data", tests / "none", tests}) {
            try {
                (void)nf::SentenceEmbeddingPipeline(bad, options);
            } catch (const nf::Error&) {
                ++refused;
            }
        }
        try {
            (void)sentences("word " + std::string(3000, 'x') + std::string(3000, ' ') +
                            "y z x y z " + std::string(90, '!'));
        } catch (const nf::InputError&) {
            ++refused;
        }
    }
    std::printf("%ld rounds, %ld refusals\n", rounds, refused);
    return 0;
}
