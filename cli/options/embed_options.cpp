// SPDX-License-Identifier: MIT
#include "options/embed_options.hpp"

#include "terminal/terminal.hpp"

namespace command_line {

namespace nf = nystromformer;

void EmbedOptions::add_embedding(Command& command) {
    command.text("--prompt", prompt, "put before each text; of search, before each query");
    command.text("--prompt-name", prompt_name, "one of the folder's prompts").excludes("--prompt");
    command.option("--truncate-dim", truncate_dim, "columns of an embedding to keep").type("N");
    command
        .option("--max-seq-length", max_seq_length,
                "most tokens of a text (default: as the folder says)")
        .type("N");
    add_truncation(command, truncation);
    add_stride(command, stride);
}

nf::SentenceEmbeddingOptions EmbedOptions::embedding_options() const {
    nf::SentenceEmbeddingOptions options;
    options.prompt = prompt;
    options.prompt_name = prompt_name;
    options.truncate_dim = truncate_dim;
    options.max_seq_length = max_seq_length;
    options.long_text.truncation = truncation;
    options.long_text.stride = stride;
    return options;
}

nf::SentenceEmbeddingPipeline EmbedOptions::load() const {
    nf::SentenceEmbeddingPipeline pipeline(folder(), load_options());
    if (!pipeline.has_modules())
        print_message(model + " has no modules.json: an embedding is the mean of all tokens");
    return pipeline;
}

}  // namespace command_line
