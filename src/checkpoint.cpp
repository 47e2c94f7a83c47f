// SPDX-License-Identifier: MIT
#define NYSTROMFORMER_BODIES
#include <nystromformer/checkpoint/convert.hpp>
#include <nystromformer/checkpoint/safetensors_reader.hpp>
#include <nystromformer/checkpoint/safetensors_writer.hpp>
#include <nystromformer/checkpoint/weight_files.hpp>
#include <nystromformer/model/config_json.hpp>
#include <nystromformer/model/held_heads.hpp>
#include <nystromformer/model/state_scopes.hpp>
