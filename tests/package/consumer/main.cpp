// SPDX-License-Identifier: MIT
// Fills a mask with the model of the folder given; the tokens are counted in another source.
#include <nystromformer/fill_mask.hpp>
#include <nystromformer/tokenizer.hpp>

#include <iostream>
#include <string>

namespace nf = nystromformer;

std::size_t count_tokens(const nf::Tokenizer& tokenizer, const std::string& text);

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const std::string text = "She opened the [MASK] and walked into the garden.";
    const nf::FillMaskPipeline fill_mask(argv[1]);
    // GCC 12 at -O3 must not warn of options that are copied into others.
    const nf::RunOptions run{.on_error = [](const nf::InputError& e) { std::cerr << e.what(); }};
    const auto answers = fill_mask(text, {.top_k = 3, .run = run});
    for (const auto& answer : answers) std::cout << answer.token_str << ' ' << answer.score << '\n';
    const std::size_t tokens = count_tokens(fill_mask.tokenizer(), text);
    std::cout << tokens << " tokens\n";
    return answers.size() == 3 && answers[0].token_str == "door" && tokens > 10 ? 0 : 1;
}
