// SPDX-License-Identifier: MIT
// What the commands embed and search share.
#pragma once

#include "command_line.hpp"

#include <nystromformer/sentence_embedding.hpp>

#include <optional>
#include <string>

namespace command_line {

struct EmbedOptions : CommonOptions {
    std::optional<std::string> prompt, prompt_name;
    std::optional<Index> truncate_dim, max_seq_length, stride;
    bool truncation = false;

    void add_embedding(CLI::App& command);

    nystromformer::SentenceEmbeddingOptions embedding_options() const {
        nystromformer::SentenceEmbeddingOptions options;
        options.prompt = prompt;
        options.prompt_name = prompt_name;
        options.truncate_dim = truncate_dim;
        options.max_seq_length = max_seq_length;
        options.long_text.truncation = truncation;
        options.long_text.stride = stride;
        return options;
    }

    /// Loads the folder, and notes on stderr where it is no sentence-transformers folder.
    nystromformer::SentenceEmbeddingPipeline load() const {
        nystromformer::SentenceEmbeddingPipeline pipeline(model, load_options());
        if (!pipeline.has_modules())
            print_message(model + " has no modules.json: an embedding is the mean of all tokens");
        return pipeline;
    }
};

inline void EmbedOptions::add_embedding(CLI::App& command) {
    add_text_option(command, "--prompt", prompt, "put before each text");
    add_text_option(command, "--prompt-name", prompt_name, "one of the folder's prompts")
        ->excludes("--prompt");
    command.add_option("--truncate-dim", truncate_dim, "columns of an embedding to keep")
        ->type_name("N");
    command
        .add_option("--max-seq-length", max_seq_length,
                    "most tokens of a text (default: as the folder says)")
        ->type_name("N");
    add_truncation(command, truncation);
    add_stride(command, stride);
}

}  // namespace command_line
