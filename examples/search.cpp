// SPDX-License-Identifier: MIT
// Finds the lines of a file whose meaning is closest to that of a query.
#include <nystromformer/error.hpp>
#include <nystromformer/semantic_search.hpp>
#include <nystromformer/sentence_embedding.hpp>
#include <nystromformer/threads.hpp>

#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace nf = nystromformer;

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: search FOLDER FILE QUERY\n";
        return 2;
    }
    try {
        const nf::SentenceEmbeddingPipeline embed(argv[1]);
        std::vector<std::string> lines;
        std::ifstream file(argv[2]);
        for (std::string line; std::getline(file, line);)
            if (!line.empty()) lines.push_back(line);
        const std::vector<std::string> queries{argv[3]};
        nf::ThreadPool threads;
        const nf::SemanticIndex index(embed.batch(lines, {.long_text = {.truncation = true}}));
        const auto hits = index(embed.batch(queries), 3, threads);  // (queries)
        for (const auto& [line, score] : hits.front())
            std::cout << score << '\t' << lines[static_cast<std::size_t>(line)] << '\n';
    } catch (const nf::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
