// SPDX-License-Identifier: MIT
// The corpus of `nystromformer search`: texts to be found, with their embeddings.
#pragma once

#include "options/embed_options.hpp"

#include <nystromformer/sentence_embedding.hpp>

#include <optional>
#include <string>
#include <vector>

namespace search_command {

struct Options : command_line::EmbedOptions {
    command_line::Index top_k = 10;
    std::optional<std::string> similarity;
    std::string rerank;                              ///< a folder, or empty
    std::optional<command_line::Index> rerank_from;  ///< hits that are reranked
};

struct Corpus {
    std::vector<std::string> texts;
    std::vector<float> embeddings;    ///< (texts, columns)
    command_line::Index columns = 0;  ///< of one of them
};

/// Reads --corpus: takes the embeddings that `embed` wrote, and embeds the other texts as
/// documents. Throws for the first text that is wrong, with its line.
Corpus load_corpus(const Options& options,
                   const nystromformer::SentenceEmbeddingPipeline& pipeline);

}  // namespace search_command
