// SPDX-License-Identifier: MIT
// Encodes files once for each line of its input and prints the seconds of processor time: the
// measured half of tokenizer.py. Usage: tokenizer_encode MODEL_DIR whole|paragraphs FILE...
#include <nystromformer/tokenizer.hpp>

#include <ctime>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

int main(int argc, char** argv) {
    if (argc < 4) return 2;
    try {
        const auto tokenizer = nystromformer::Tokenizer::from_pretrained(argv[1]);
        std::vector<std::string> files;
        std::vector<std::string_view> texts;
        for (int i = 3; i < argc; ++i)
            files.push_back(nystromformer::detail::read_file(argv[i], std::uint64_t{1} << 30));
        for (const std::string_view file : files) {
            const bool whole = std::string_view(argv[2]) == "whole";
            for (std::size_t at = 0; at < file.size();) {
                const std::size_t end =
                    whole ? file.size() : std::min(file.find('\n', at), file.size());
                if (end > at) texts.push_back(file.substr(at, end - at));
                at = end + 1;
            }
        }
        std::string line;
        while (std::getline(std::cin, line)) {
            const std::clock_t started = std::clock();
            std::size_t tokens = 0;
            for (const std::string_view text : texts) tokens += tokenizer.encode(text).ids.size();
            const double seconds = static_cast<double>(std::clock() - started) / CLOCKS_PER_SEC;
            std::cout << seconds << ' ' << tokens << std::endl;
        }
    } catch (const nystromformer::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
    return 0;
}
