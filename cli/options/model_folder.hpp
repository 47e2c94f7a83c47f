// SPDX-License-Identifier: MIT
// The folder that a --model names.
#pragma once

#include <string>

namespace command_line {

/// `model` itself if that is there. Else, of a plain name, the first that exists of NAME in the
/// folders of NYSTROMFORMER_MODELS (separated as PATH is) and in share/nystromformer/models beside
/// the program's bin/; of a name or org/name, the snapshot that the Hugging Face cache has of it
/// (HF_HUB_CACHE, HF_HOME, or ~/.cache/huggingface). Else `model` as it is. No network is used.
/// Source: huggingface_hub 1.0, constants.py and file_download.py (the layout of the cache)
std::string model_folder(const std::string& model);

}  // namespace command_line
