// SPDX-License-Identifier: MIT
// The library's faces, and the rooms below them that tests look into.
#pragma once

#include <nystromformer/checkpoint/header_text.hpp>
#include <nystromformer/checkpoint/mapped_file.hpp>
#include <nystromformer/checkpoint/safetensors_header.hpp>
#include <nystromformer/checkpoint/shard_index.hpp>
#include <nystromformer/checkpoint/tensor_elements.hpp>
#include <nystromformer/checkpoint/tensor_layout.hpp>
#include <nystromformer/checkpoint/torch_archive.hpp>
#include <nystromformer/core/embeddings.hpp>
#include <nystromformer/core/file.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/memory.hpp>
#include <nystromformer/kernels/activations.hpp>
#include <nystromformer/kernels/attention/bfloat_attention.hpp>
#include <nystromformer/kernels/attention/blocked_attention.hpp>
#include <nystromformer/kernels/attention/depthwise_convolution.hpp>
#include <nystromformer/kernels/backend.hpp>
#include <nystromformer/kernels/rows.hpp>
#include <nystromformer/kernels/tile_plan.hpp>
#include <nystromformer/kernels/weights/linear_weights.hpp>
#include <nystromformer/model/config_reader.hpp>
#include <nystromformer/model/model_body.hpp>
#include <nystromformer/model/nystrom.hpp>
#include <nystromformer/model/weight_loader.hpp>
#include <nystromformer/nystromformer.hpp>
#include <nystromformer/pipelines/answer_spans.hpp>
#include <nystromformer/pipelines/batches.hpp>
#include <nystromformer/pipelines/windows.hpp>
#include <nystromformer/tokenizer/loaders/folder_files.hpp>
#include <nystromformer/tokenizer/rust_numbers.hpp>
#include <nystromformer/tokenizer/tokenizer_parts.hpp>
