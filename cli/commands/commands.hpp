// SPDX-License-Identifier: MIT
// The commands. Each function declares one, which runs when the arguments name it.
#pragma once

#include "options/program.hpp"

void add_fill_mask(command_line::Program& program);
void add_classify(command_line::Program& program);
void add_zero_shot(command_line::Program& program);
void add_tag(command_line::Program& program);
void add_answer(command_line::Program& program);
void add_choose(command_line::Program& program);
void add_embed(command_line::Program& program);
void add_rerank(command_line::Program& program);
void add_search(command_line::Program& program);
void add_features(command_line::Program& program);
void add_tokenize(command_line::Program& program);
void add_run(command_line::Program& program);
void add_bench(command_line::Program& program);
void add_compare(command_line::Program& program);
void add_attention(command_line::Program& program);
void add_info(command_line::Program& program);
void add_convert(command_line::Program& program);
void add_describe(command_line::Program& program);  ///< completion and manual

/// All of them, in the order in which --help lists them.
constexpr void (*add_command[])(command_line::Program&) = {
    add_fill_mask, add_classify, add_zero_shot, add_tag,      add_answer,   add_choose,
    add_embed,     add_rerank,   add_search,    add_features, add_tokenize, add_run,
    add_bench,     add_compare,  add_attention, add_info,     add_convert,  add_describe};
