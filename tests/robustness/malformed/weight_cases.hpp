// SPDX-License-Identifier: MIT
// Weights that are well-formed files, but not those of the model in config.json; and shards that
// contradict their index.
#pragma once

#include "robustness/malformed/malformed.hpp"

#include <nystromformer/safetensors.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::testing {

/// The bytes of a safetensors file of `tensors`.
inline std::string bytes_of(const std::vector<TensorView>& tensors) {
    const TemporaryFolder folder;
    save_safetensors(folder / "x", tensors);
    return detail::read_file(folder / "x", std::uint64_t{1} << 24);
}

/// Changes of the tensors of `whole`, a model.safetensors of a small model.
inline std::vector<MalformedFile> malformed_weights(const std::filesystem::path& whole) {
    const auto good = SafetensorsFile::open(whole);
    std::vector<MalformedFile> files;
    const auto add = [&](const char* title, const char* name, const char* kind,
                         const std::vector<std::string>& parts,
                         const std::function<void(TensorView&)>& change) {
        std::vector<TensorView> tensors;
        for (TensorView tensor : good.tensors()) {
            if (tensor.name == name) change(tensor);
            if (!tensor.name.empty()) tensors.push_back(tensor);
        }
        files.push_back({std::string("weights: ") + title, "model.safetensors", bytes_of(tensors),
                         kind, parts});
    };
    const char* word = "embeddings.word_embeddings.weight";
    const char* query = "encoder.layer.0.attention.self.query.weight";
    const char* bias = "encoder.layer.0.attention.self.query.bias";
    const char* conv = "encoder.layer.0.attention.self.conv.weight";
    const char* norm = "encoder.layer.0.output.LayerNorm.weight";
    for (const char* name : {word, query, bias, conv, norm, "embeddings.position_embeddings.weight",
                             "embeddings.token_type_embeddings.weight"}) {
        add((std::string("no ") + name).c_str(), name, "TensorError",
            {"tensor \"" + std::string(name) + "\"", "found nothing"},
            [](TensorView& tensor) { tensor.name.clear(); });
        add((std::string("another name for ") + name).c_str(), name, "TensorError",
            {name, "found nothing"}, [](TensorView& tensor) { tensor.name += "_"; });
    }
    add("a transposed table", word, "TensorError", {word, "found [8, 309]"},
        [](TensorView& tensor) { std::swap(tensor.shape[0], tensor.shape[1]); });
    add("a flat matrix", query, "TensorError", {query, "found [64]"},
        [](TensorView& tensor) { tensor.shape = {64}; });
    add("a matrix of another shape", query, "TensorError", {query, "found [4, 16]"},
        [](TensorView& tensor) {
            tensor.shape = {4, 16};
        });
    add("a bias of two dimensions", bias, "TensorError", {bias, "found [1, 8]"},
        [](TensorView& tensor) {
            tensor.shape = {1, 8};
        });
    add("a convolution of three dimensions", conv, "TensorError", {conv, "found [2, 3, 1]"},
        [](TensorView& tensor) {
            tensor.shape = {2, 3, 1};
        });
    add("half a bias", bias, "TensorError", {bias, "found [4]"}, [](TensorView& tensor) {
        tensor.shape = {4};
        tensor.bytes = tensor.bytes.first(tensor.bytes.size() / 2);
    });
    add("an empty bias", bias, "TensorError", {bias, "found [0]"}, [](TensorView& tensor) {
        tensor.shape = {0};
        tensor.bytes = {};
    });
    for (const auto& [dtype, kind] :
         {std::pair(DType::i32, "TensorError"), std::pair(DType::u32, "TensorError"),
          std::pair(DType::i16, "TensorError"), std::pair(DType::u16, "TensorError"),
          std::pair(DType::f8_e4m3, "UnsupportedError"),
          std::pair(DType::f8_e5m2, "UnsupportedError")}) {
        add(("numbers of the type " + std::string(name(dtype))).c_str(), norm, kind,
            {norm, std::string(name(dtype))}, [&, dtype = dtype](TensorView& tensor) {
                const auto width = bits(dtype) / 8;
                tensor.dtype = dtype;
                // As many numbers as before; the bytes are of no matter.
                static const std::string zeros(64, '\0');
                tensor.bytes =
                    as_bytes(zeros).first(static_cast<std::size_t>(tensor.size()) * width);
            });
    }
    return files;
}

/// An index whose shards are not there or hold no model.
inline std::vector<MalformedFile> malformed_shards() {
    const auto shard = [](const std::vector<std::string>& names) {
        std::vector<TensorView> tensors;
        for (const std::string& name : names)
            tensors.push_back({name, DType::u8, {1}, as_bytes("x"), {}});
        return bytes_of(tensors);
    };
    const std::map<std::string, std::string> shards = {{"1.safetensors", shard({"a", "b"})},
                                                       {"2.safetensors", shard({"c"})},
                                                       {"3.safetensors", shard({"b"})}};
    std::vector<MalformedFile> files;
    const auto add = [&](const char* title, const std::string& map, const char* kind,
                         const std::vector<std::string>& parts) {
        files.push_back({std::string("shards: ") + title,
                         "model.safetensors.index.json",
                         "{\"weight_map\":{" + map + "}}",
                         kind,
                         parts,
                         {"model.safetensors"},
                         shards});
    };
    add("a shard that is missing", R"("a":"4.safetensors")", "IoError",
        {"4.safetensors", "nothing"});
    add("tensors of no model", R"("a":"1.safetensors","b":"1.safetensors")", "TensorError",
        {"embeddings", "found nothing"});
    files.push_back({"shards: one that is cut",
                     "1.safetensors",
                     shard({"a", "b"}).substr(0, 40),
                     "FormatError",
                     {"byte 0"},
                     {"model.safetensors"},
                     {{"model.safetensors.index.json",
                       R"({"weight_map":{"a":"1.safetensors","b":"1.safetensors"}})"}}});
    return files;
}

}  // namespace nystromformer::testing
