// SPDX-License-Identifier: MIT
// Options of more than one command.
#pragma once

#include "options/command.hpp"

#include <nystromformer/config.hpp>
#include <nystromformer/options.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace command_line {

/// Options of more than one command. Each add_... declares some of them.
struct CommonOptions {
    std::string model;
    std::filesystem::path folder() const;  ///< `model` as a path
    Index threads = 0;
    std::string precision = "fp32";
    std::string attention = "config";
    Index landmarks = 0;
    Index batch_tokens = 4096;
    std::uint64_t skip = 0;
    std::uint64_t first_line = 1;
    bool json = false;
    std::string corpus;  ///< a file of texts instead of stdin
    std::string split = "auto";

    void add_model(Command& command);
    void add_threads(Command& command);
    void add_precision(Command& command);
    /// --threads, --precision, --attention and --landmarks.
    void add_forward(Command& command);
    void add_json(Command& command);
    /// --json, --skip and --first-line: what a command has that answers JSON lines.
    void add_lines(Command& command);
    /// All that a pipeline's command has: --batch-tokens and those of add_forward and add_lines.
    void add_pipeline(Command& command);

    /// --corpus, with `what` as its help, and --split.
    void add_corpus(Command& command,
                    const std::string& what = "a file of texts, instead of stdin");

    nystromformer::LoadOptions load_options() const;
    nystromformer::Attention attention_mode() const;
    /// --landmarks, or 0 if it has no effect on a model of `config`.
    nystromformer::Index used_landmarks(const nystromformer::NystromformerConfig& config) const;
    /// Notes on stderr if --landmarks has no effect on a model of `config`.
    void note_idle_landmarks(const nystromformer::NystromformerConfig& config) const;
    /// True if answers are written as JSON lines: on request, or if stdout is no terminal.
    bool writes_json() const;
};

/// --truncation: cut what is too long for the model.
void add_truncation(Command& command, bool& truncation);
/// --byte-offsets: places in bytes, too.
void add_byte_offsets(Command& command, bool& byte_offsets);
/// --stride: read what is too long in windows.
void add_stride(Command& command, std::optional<Index>& stride);

}  // namespace command_line
