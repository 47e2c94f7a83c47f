// SPDX-License-Identifier: MIT
// What a folder holds instead of a model that runs here. The errors for a wrong folder say so.
#pragma once

#include <nystromformer/core/error_text.hpp>
#include <nystromformer/core/file.hpp>
#include <nystromformer/core/path_text.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// The files that hold the weights of a folder, in the order in which they are looked for.
inline constexpr std::array<const char*, 4> weight_names{
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
    "pytorch_model.bin.index.json"};

/// True where one of them is there, even as a dangling link.
inline bool has_weights(const std::filesystem::path& folder, const FileOptions& files) {
    return std::any_of(weight_names.begin(), weight_names.end(),
                       [&](const char* name) { return is_there(folder / name, files); });
}

/// The names of files and folders in a folder, sorted; at most 10,000 of them.
inline std::vector<std::string> names_in(const std::filesystem::path& folder) {
    constexpr std::size_t most = 10'000;
    std::vector<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(folder, error), end;
         !error && entry != end && names.size() < most; entry.increment(error))
        names.push_back(path_to_utf8(entry->path().filename()));
    std::sort(names.begin(), names.end());
    return names;
}

/// A kind of file that is no model for this library, and what to do about it.
struct OtherFile {
    std::string_view ending;  ///< of its name, which is all of it after '/'
    std::string_view what, advice;
};

inline constexpr std::string_view save_anew =
    "load it in Python and save it with save_pretrained, as model.safetensors";

/// The error names the first that a folder has. The endings of TensorFlow, Flax and ONNX are those
/// that transformers and optimum write.
inline constexpr std::array<OtherFile, 13> other_files{{
    {"adapter_config.json", "a PEFT adapter, which is a part of a model",
     "merge it into its base model in Python (merge_and_unload) and save that"},
    {".gguf", "GGUF weights", "take the folder that they were made from"},
    {".onnx", "ONNX weights", save_anew},
    {"/onnx", "ONNX weights", save_anew},
    {"tf_model.h5", "TensorFlow weights", save_anew},
    {".ckpt.index", "TensorFlow weights", save_anew},
    {"saved_model.pb", "TensorFlow weights", save_anew},
    {"flax_model.msgpack", "Flax weights", save_anew},
    {"openvino_model.xml", "OpenVINO weights", save_anew},
    {"rust_model.ot", "weights for Rust", save_anew},
    {".safetensors", "weights under another name", "name the file model.safetensors"},
    {".bin", "weights under another name", "name the file pytorch_model.bin"},
    {".pt", "weights of plain torch", save_anew},
}};

/// What a folder without the wanted files holds, and what to do: "an empty folder", "ONNX
/// weights (model.onnx): load it in Python ...".
inline std::string what_is_there(const std::filesystem::path& folder, const FileOptions& files) {
    if (!files.memory.empty()) {
        return "in memory " + std::to_string(files.memory.size()) + " files, the first " +
               in_quotes(files.memory.begin()->first);
    }
    std::error_code ignored;
    const auto status = std::filesystem::status(folder, ignored);
    if (!std::filesystem::exists(status)) return "no folder of that name";
    if (!std::filesystem::is_directory(status)) return "a file: give the folder that it is in";
    const std::vector<std::string> names = names_in(folder);
    const auto has = [&](std::string_view name) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (names.empty()) return "an empty folder";
    if (has("snapshots") && has("refs"))
        return "a folder of the Hugging Face cache: the model is in one of its snapshots";
    for (const std::string& name : names) {
        if (std::filesystem::is_regular_file(folder / name / "config.json", ignored) &&
            (name.starts_with("checkpoint-") || name.ends_with("_Transformer")))
            return "a folder around the model, which is in " + in_quotes(name) +
                   (has("modules.json") ? ": embed and search run it whole" : "");
    }
    if (has("model.safetensors") || has("pytorch_model.bin"))
        return "weights without a config.json";
    for (const std::string& name : names) {
        if (name.find("-of-") != name.npos &&
            (name.ends_with(".safetensors") || name.ends_with(".bin")))
            return "shards without their index (" + printable(name) + "): get the index, too";
    }
    for (const OtherFile& file : other_files) {
        const auto found = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
            return ('/' + name).ends_with(file.ending) && !name.starts_with("training_args") &&
                   !name.starts_with("optimizer");
        });
        if (found == names.end()) continue;
        return std::string(file.what) + " (" + printable(*found) + "): " + std::string(file.advice);
    }
    if (has("tokenizer.json") || has("vocab.txt") || has("tokenizer_config.json"))
        return has("config.json") ? "a config and a tokenizer without weights"
                                  : "a tokenizer without a model: tokenize runs it";
    return "other files (" + printable(names.front()) + ", ...)";
}

}  // namespace nystromformer::inline v0_2::detail
