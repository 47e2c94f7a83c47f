// SPDX-License-Identifier: MIT
// The whole library except json.hpp. A program that needs one part compiles faster with the header
// of that part.
#pragma once

// Text in, answers out, also as JSON.
#include <nystromformer/answers_json.hpp>
#include <nystromformer/feature_extraction.hpp>
#include <nystromformer/fill_mask.hpp>
#include <nystromformer/multiple_choice.hpp>
#include <nystromformer/question_answering.hpp>
#include <nystromformer/rerank.hpp>
#include <nystromformer/semantic_search.hpp>
#include <nystromformer/sentence_embedding.hpp>
#include <nystromformer/text_classification.hpp>
#include <nystromformer/token_classification.hpp>
#include <nystromformer/zero_shot_classification.hpp>

// Text to token ids with offsets, and back.
#include <nystromformer/encoding.hpp>
#include <nystromformer/tokenizer.hpp>

// The encoder and its heads, by Hugging Face's names.
#include <nystromformer/config.hpp>
#include <nystromformer/forward_options.hpp>
#include <nystromformer/heads.hpp>
#include <nystromformer/model_input.hpp>
#include <nystromformer/model_output.hpp>
#include <nystromformer/models.hpp>

// Files to named tensors.
#include <nystromformer/checkpoint.hpp>
#include <nystromformer/dtype.hpp>
#include <nystromformer/safetensors.hpp>
#include <nystromformer/state_dict.hpp>
#include <nystromformer/tensor.hpp>
#include <nystromformer/tensor_view.hpp>

// A BERT-family folder to a Nystromformer one.
#include <nystromformer/conversion.hpp>

// Options, threads, errors, matrices, text.
#include <nystromformer/embeddings.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/file_bytes.hpp>
#include <nystromformer/isa.hpp>
#include <nystromformer/matrix.hpp>
#include <nystromformer/options.hpp>
#include <nystromformer/scratch.hpp>
#include <nystromformer/text.hpp>
#include <nystromformer/threads.hpp>
#include <nystromformer/version.hpp>
