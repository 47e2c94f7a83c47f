// SPDX-License-Identifier: MIT
// One competitor of compare.py: this library. Loads a model once, then answers each line of its
// input: "run" with the seconds of one forward pass, "write FILE" with the last hidden state of one
// as raw floats in FILE.
// Usage: forward MODEL_DIR LENGTH THREADS exact|nystrom LANDMARKS fp32|bf16|int8
#include <nystromformer/models.hpp>

#include <chrono>
#include <fstream>
#include <iostream>
#include <string>

#include "timed.hpp"

namespace nf = nystromformer;

namespace {

nf::LoadOptions load_options(const std::string& threads, const std::string& precision) {
    return {.num_threads = std::stol(threads), .precision = nf::precision_named(precision).value()};
}

void answer_lines(const nf::NystromformerModel<float>& model, const nf::ModelInput<float>& input,
                  const nf::ForwardOptions& options) {
    using Clock = std::chrono::steady_clock;
    std::cout << "ready" << std::endl;
    nf::BaseModelOutput<float> output;
    for (std::string line; std::getline(std::cin, line);) {
        const Clock::time_point start = Clock::now();
        model(input, options, output);
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
        if (line.starts_with("write ")) {
            const auto& state = output.last_hidden_state;
            std::ofstream(line.substr(6), std::ios::binary)
                .write(reinterpret_cast<const char*>(state.data()),
                       static_cast<std::streamsize>(state.size() * nf::Index{sizeof(float)}));
        }
        std::cout << seconds << std::endl;
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 7) return 2;
    try {
        const auto model =
            nf::NystromformerModel<float>::from_pretrained(argv[1], load_options(argv[3], argv[6]));
        const bool nystrom = std::string(argv[4]) == "nystrom";
        answer_lines(model, timed::input_of(model.config().vocab_size, std::stol(argv[2])),
                     {.attention = nystrom ? nf::Attention::nystrom : nf::Attention::exact,
                      .num_landmarks = std::stol(argv[5])});
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
    return 0;
}
