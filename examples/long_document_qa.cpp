// SPDX-License-Identifier: MIT
// Answers a question from a document of any length, read in windows that overlap.
#include <nystromformer/error.hpp>
#include <nystromformer/question_answering.hpp>

#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

namespace nf = nystromformer;

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: long_document_qa FOLDER DOCUMENT QUESTION\n";
        return 2;
    }
    try {
        const nf::QuestionAnsweringPipeline answer(argv[1]);
        std::ifstream file(argv[2], std::ios::binary);
        const std::string document(std::istreambuf_iterator<char>(file), {});
        const auto report = [](const nf::TruncationNotice& notice) {
            std::cerr << notice.tokens << " tokens in " << notice.windows << " windows\n";
        };
        for (const auto& found : answer(argv[3], document, {.top_k = 3, .on_truncation = report}))
            std::cout << found.score << '\t' << found.answer << '\n';
    } catch (const nf::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
