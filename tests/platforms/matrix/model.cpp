// SPDX-License-Identifier: MIT
// A small model on another compiler: its sentence embeddings beside those that
// sentence-transformers recorded. Usage: model TESTS_FOLDER
#include "check.hpp"

#include <nystromformer/sentence_embedding.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

namespace nf = nystromformer;
using nf::detail::Json;

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    return run_checks([&] {
        const std::filesystem::path folder =
            std::filesystem::path(argv[1]) / "reference" / "sentences";
        const Json recorded = nf::detail::read_json_file(folder / "sentences.json", 1 << 22);
        std::vector<std::string> texts;
        for (const Json& text : recorded["texts"]) texts.push_back(text.get<std::string>());
        int cases = 0;
        for (const Json& one : recorded["cases"]) {
            if (one["method"] != "encode" || !one["options"].empty()) continue;
            const nf::SentenceEmbeddingPipeline pipeline(folder / one["folder"].get<std::string>(),
                                                         {.num_threads = 2});
            const auto found = pipeline.batch(texts, {.long_text = {.truncation = true}});
            double difference = 0;
            for (nf::Index i = 0; i < found.rows; ++i) {
                for (nf::Index k = 0; k < found.cols; ++k) {
                    const double expected =
                        one["output"][static_cast<std::size_t>(i)][static_cast<std::size_t>(k)];
                    difference =
                        std::max(difference, std::abs(expected - static_cast<double>(found(i, k))));
                }
            }
            check(difference <= 1e-5, one["folder"].get<std::string>().c_str());
            ++cases;
        }
        check(cases >= 5, "cases are there");
    });
}
