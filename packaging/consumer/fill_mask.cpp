// SPDX-License-Identifier: MIT
// Fills a mask with the model of the folder given, and says whether the answer is the expected one.
#include <nystromformer/fill_mask.hpp>
#include <nystromformer/version.hpp>

#include <iostream>

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const nystromformer::FillMaskPipeline fill_mask(argv[1]);
    const auto answers = fill_mask("She opened the [MASK].", {.top_k = 1});
    std::cout << "nystromformer " << nystromformer::version() << ": " << answers.at(0).token_str
              << '\n';
    return answers.at(0).token_str == "door" ? 0 : 1;
}
