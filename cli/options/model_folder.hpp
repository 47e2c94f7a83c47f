// SPDX-License-Identifier: MIT
// The folder that a --model names.
#pragma once

#include <string>

namespace command_line {

/// Finds the folder of `model` without a network. The first of these that exists:
/// 1. `model` as a path;
/// 2. for a plain name, that name in a folder of NYSTROMFORMER_MODELS (separated like PATH), then
///    in share/nystromformer/models beside the program's bin/;
/// 3. for a plain name or org/name, its snapshot in the Hugging Face cache (HF_HUB_CACHE, HF_HOME,
///    or ~/.cache/huggingface).
/// Returns `model` unchanged if there is none, so that the error names what the user wrote.
/// Source: huggingface_hub 1.0, constants.py and file_download.py (the layout of the cache)
std::string model_folder(const std::string& model);

}  // namespace command_line
