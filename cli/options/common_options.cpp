// SPDX-License-Identifier: MIT
#include "options/common_options.hpp"

#include "platform/platform.hpp"
#include "terminal/terminal.hpp"

#include <nystromformer/config.hpp>
#include <nystromformer/text.hpp>
#include <nystromformer/threads.hpp>

namespace command_line {

namespace nf = nystromformer;

std::filesystem::path CommonOptions::folder() const { return nf::path_from_utf8(model); }

void CommonOptions::add_model(Command& command) {
    command
        .option("--model", model,
                "Hugging Face folder, or the name of a model in NYSTROMFORMER_MODELS, beside the "
                "program or in the Hugging Face cache")
        .required()
        .names_model()
        .type("DIR");
}

void CommonOptions::add_threads(Command& command) {
    command.option("--threads", threads, "threads to compute on (default, and 0: every core)")
        .in_range(Index{0}, nf::ThreadPool::max_threads)
        .type("N");
}

void CommonOptions::add_precision(Command& command) {
    command
        .option("--precision", precision,
                "precision of the encoder's weights: fp32 (the default), bf16, int8, or auto (bf16 "
                "if the CPU multiplies it faster than fp32, else fp32)")
        .one_of({"fp32", "bf16", "int8", "auto"})
        .type("NAME");
}

void CommonOptions::add_forward(Command& command) {
    add_threads(command);
    add_precision(command);
    command
        .option("--attention", attention,
                "config (what Hugging Face runs, the default), exact or nystrom")
        .one_of({"config", "exact", "nystrom"})
        .type("NAME");
    command
        .option("--landmarks", landmarks, "landmarks of nystrom attention (default: the config's)")
        .in_range(Index{1}, Index{1} << 20)
        .type("N");
}

void CommonOptions::add_json(Command& command) {
    command.flag("--json", json, "JSON lines even on a terminal");
}

void CommonOptions::add_lines(Command& command) {
    add_json(command);
    command.option("--skip", skip, "skip the first N lines of stdin, to resume a run").type("N");
    command
        .option(
            "--first-line", first_line,
            "number of the first line of stdin in errors (default: 1), if stdin is part of a file")
        .in_range(std::uint64_t{1}, std::uint64_t{1} << 62)
        .type("N");
}

void CommonOptions::add_pipeline(Command& command) {
    add_forward(command);
    command
        .option("--batch-tokens", batch_tokens,
                "tokens computed at once (default: 4096); answers do not depend on it")
        .in_range(Index{1}, Index{1} << 30)
        .type("N");
    add_lines(command);
}

void CommonOptions::add_corpus(Command& command, const std::string& what) {
    command.option("--corpus", corpus, what).type("FILE");
    command
        .option("--split", split,
                "what a text is: lines, paragraphs, or json for JSON lines with \"text\" (default: "
                "json if the name ends in .jsonl, else paragraphs, or lines if no line is blank)")
        .one_of({"auto", "lines", "paragraphs", "json"})
        .type("NAME");
}

nf::LoadOptions CommonOptions::load_options() const {
    return {.num_threads = threads,
            .precision = nf::precision_named(precision).value(),
            .on_notice = notice_printer()};
}

nf::Attention CommonOptions::attention_mode() const {
    if (attention == "exact") return nf::Attention::exact;
    return attention == "nystrom" ? nf::Attention::nystrom : nf::Attention::config;
}

Index CommonOptions::used_landmarks(const nf::NystromformerConfig& config) const {
    const bool exact =
        attention == "exact" || (attention == "config" && config.uses_exact_attention());
    return exact ? 0 : landmarks;
}

void CommonOptions::note_idle_landmarks(const nf::NystromformerConfig& config) const {
    if (landmarks != used_landmarks(config)) {
        print_message("--landmarks has no effect on exact attention; give --attention nystrom");
    }
}

bool CommonOptions::writes_json() const { return json || !stdout_is_terminal(); }

void add_truncation(Command& command, bool& truncation) {
    command.flag("--truncation", truncation, "truncate texts that are too long for the model");
}

void add_byte_offsets(Command& command, bool& byte_offsets) {
    command.flag("--byte-offsets", byte_offsets,
                 "also byte_start and byte_end; start and end count code points");
}

void add_stride(Command& command, std::optional<Index>& stride) {
    command
        .option("--stride", stride,
                "split texts that are too long into windows that share N tokens")
        .type("N");
}

}  // namespace command_line
