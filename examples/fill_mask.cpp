// SPDX-License-Identifier: MIT
// Prints the most likely tokens for the mask of a text.
#include <nystromformer/error.hpp>
#include <nystromformer/fill_mask.hpp>

#include <iostream>

namespace nf = nystromformer;

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: fill_mask FOLDER TEXT\n";
        return 2;
    }
    try {
        const nf::FillMaskPipeline fill_mask(argv[1]);
        for (const auto& answer : fill_mask(argv[2], {.top_k = 3}))
            std::cout << answer.token_str << '\t' << answer.score << '\n';
    } catch (const nf::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
