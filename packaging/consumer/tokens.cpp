// SPDX-License-Identifier: MIT
// Encodes a text with the tokenizer of the folder given, and says whether the answer is the
// expected one.
#include <nystromformer/tokenizer.hpp>
#include <nystromformer/version.hpp>

#include <iostream>

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const auto tokenizer = nystromformer::Tokenizer::from_pretrained(argv[1]);
    const auto encoding = tokenizer.encode("She opened the door.");
    std::cout << "nystromformer " << nystromformer::version() << ": " << encoding.ids.size()
              << " tokens\n";
    return encoding.tokens.at(4) == "\u2581door" ? 0 : 1;
}
