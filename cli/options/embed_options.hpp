// SPDX-License-Identifier: MIT
// The options that the commands embed and search share.
#pragma once

#include "options/common_options.hpp"

#include <nystromformer/sentence_embedding.hpp>

#include <optional>
#include <string>

namespace command_line {

struct EmbedOptions : CommonOptions {
    std::optional<std::string> prompt, prompt_name;
    std::optional<Index> truncate_dim, max_seq_length, stride;
    bool truncation = false;

    void add_embedding(Command& command);

    nystromformer::SentenceEmbeddingOptions embedding_options() const;

    /// Loads the folder, and notes on stderr if it is no sentence-transformers folder.
    nystromformer::SentenceEmbeddingPipeline load() const;
};

}  // namespace command_line
