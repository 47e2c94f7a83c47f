// SPDX-License-Identifier: MIT
// Prints the tokens of a text with their ids and the bytes that they stand for.
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer.hpp>

#include <iostream>
#include <string>

namespace nf = nystromformer;

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: tokenizer_only FOLDER TEXT\n";
        return 2;
    }
    try {
        const auto tokenizer = nf::Tokenizer::from_pretrained(argv[1]);
        const std::string text = argv[2];
        const nf::Encoding encoding = tokenizer.encode(text);
        for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
            const auto begin = static_cast<std::size_t>(encoding.byte_offsets[i].first);
            const auto end = static_cast<std::size_t>(encoding.byte_offsets[i].second);
            std::cout << encoding.ids[i] << '\t' << encoding.tokens[i] << '\t'
                      << text.substr(begin, end - begin) << '\n';
        }
        std::cout << tokenizer.decode(encoding.ids) << '\n';
    } catch (const nf::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
