// SPDX-License-Identifier: MIT
// The whole library.
#pragma once

// A BERT or RoBERTa folder to a Nystromformer one.
#include <nystromformer/conversion/convert.hpp>

// Text in, answers out.
#include <nystromformer/pipelines/feature_extraction.hpp>
#include <nystromformer/pipelines/fill_mask.hpp>
#include <nystromformer/pipelines/multiple_choice.hpp>
#include <nystromformer/pipelines/question_answering.hpp>
#include <nystromformer/pipelines/sentence/semantic_search.hpp>
#include <nystromformer/pipelines/sentence/sentence_embedding.hpp>
#include <nystromformer/pipelines/text_classification.hpp>
#include <nystromformer/pipelines/token_classification.hpp>
#include <nystromformer/pipelines/zero_shot_classification.hpp>

// Text to token ids with offsets, and back.
#include <nystromformer/tokenizer.hpp>

// The encoder and its heads, by Hugging Face's names.
#include <nystromformer/model/classification.hpp>
#include <nystromformer/model/config.hpp>
#include <nystromformer/model/input.hpp>
#include <nystromformer/model/masked_lm.hpp>
#include <nystromformer/model/model.hpp>
#include <nystromformer/model/options.hpp>
#include <nystromformer/model/outputs.hpp>
#include <nystromformer/model/question_answering.hpp>

// Files to named tensors.
#include <nystromformer/checkpoint/checkpoint.hpp>
#include <nystromformer/checkpoint/safetensors.hpp>
#include <nystromformer/checkpoint/safetensors_writer.hpp>
#include <nystromformer/checkpoint/tensor.hpp>
#include <nystromformer/model/state_dict.hpp>

// Instruction sets, threads, errors, matrices.
#include <nystromformer/core/index.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/kernels/isa.hpp>
#include <nystromformer/threads.hpp>
