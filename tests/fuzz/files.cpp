// SPDX-License-Identifier: MIT
// Fuzz targets: safetensors, shard_index, torch_archive, pickle, config.
#include "fuzz.hpp"

#include "checkpoint/bytes.hpp"
#include "safetensors_check.hpp"

#include <nystromformer/checkpoint/shard_index.hpp>
#include <nystromformer/checkpoint/torch_archive.hpp>
#include <nystromformer/config.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/safetensors.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::fuzz {
namespace {

/// Reads every tensor: all of its bytes are where they should be, and nothing else is read.
void read_all(const std::vector<TensorView>& tensors, std::size_t file_size) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const TensorView& tensor = tensors[i];
        require(i == 0 || tensors[i - 1].name < tensor.name, "tensors sorted, no name twice");
        require(tensor.shape.size() <= 8, "at most 8 dimensions");
        if (is_weight(tensor.dtype)) {
            require(static_cast<std::uint64_t>(tensor.size()) <= file_size,
                    "no more elements than bytes");
            std::vector<float> floats(static_cast<std::size_t>(tensor.size()));
            convert(tensor, floats.data());
            std::vector<double> doubles(floats.size());
            convert(tensor, doubles.data());
            for (std::size_t k = 0; k < floats.size(); ++k) {
                const bool same = static_cast<float>(doubles[k]) == floats[k];
                require(same || (doubles[k] != doubles[k] && floats[k] != floats[k]),
                        "float is the double, rounded");
            }
        } else if (is_integer(tensor.dtype)) {
            require(to_int64(tensor).size() == static_cast<std::size_t>(tensor.size()),
                    "an integer an element");
        }
    }
}

void safetensors(std::string_view data) {
    const auto file = SafetensorsFile::parse(as_bytes(data), "f");
    check_safetensors(data, file);
    read_all(file.tensors(), data.size());
    for (const TensorView& tensor : file.tensors())
        require(file.find(tensor.name) == &tensor, "find finds each");
}

/// The header changes, its length follows.
void mutate_safetensors(std::string& data, unsigned seed, std::size_t most) {
    if (data.size() < 8) return;
    std::uint64_t length = 0;
    for (std::size_t i = 8; i-- > 0;) length = length << 8 | static_cast<unsigned char>(data[i]);
    length = std::min<std::uint64_t>(length, data.size() - 8);
    std::string header = data.substr(8, static_cast<std::size_t>(length));
    const std::string rest = data.substr(8 + header.size());
    if (seed % 3 == 0) {
        mutate_number(header, seed / 3);
    } else {
        const std::size_t room = std::max(header.size(), most - std::min(most, rest.size() + 8));
        header.resize(room);
        header.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(header.data()),
                                       static_cast<std::size_t>(length), room));
    }
    data = testing::little(header.size(), 8) + header + rest;
}

void shard_index(std::string_view data) {
    const auto index = detail::ShardIndex::parse(data, "f", ".safetensors");
    require(!index.weight_map.empty(), "some tensor");
    for (const auto& [tensor, shard] : index.weight_map) {
        require(index.shards.contains(shard), "every file is among the shards");
        require(tensor.find('\0') == tensor.npos, "no NUL in a name");
    }
    for (const std::string& shard : index.shards) {
        require(shard.ends_with(".safetensors") && shard.front() != '.' &&
                    shard.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                            "0123456789._-") == shard.npos,
                "a plain file name");
    }
    const auto json = nlohmann::json::parse(data);
    require(json.at("weight_map").size() == index.weight_map.size(), "as many as the JSON has");
}

void torch_archive(std::string_view data) {
    const auto archive = TorchArchive::parse(as_bytes(data), "f");
    read_all(archive.tensors(), data.size());
}

/// A pickle in an archive that is right, with storages "0" (64 bytes) and "1" (none).
void pickle(std::string_view data) {
    const std::string bytes = testing::zip({{"a/data.pkl", std::string(data)},
                                            {"a/data/0", std::string(64, '\x3C')},
                                            {"a/data/1", ""}});
    const auto archive = TorchArchive::parse(as_bytes(bytes), "f");
    read_all(archive.tensors(), bytes.size());
}

void config(std::string_view data) {
    allow_errors([&] {
        const auto config = NystromformerConfig::from_json(data, "f");
        require(config.hidden_size % config.num_attention_heads == 0, "whole heads");
        require(static_cast<Index>(config.id2label.size()) == config.num_labels, "labels named");
        const std::string written = config.to_json();
        const auto again = NystromformerConfig::from_json(written, "g");
        require(again == config, "written and read again it is the same");
    });
    allow_errors([&] {
        const auto json = detail::parse_json(data, "f");
        require(json.value == nlohmann::json::parse(data), "the strict parser reads the same");
    });
}

constexpr Target all[] = {{"safetensors", safetensors, mutate_safetensors},
                          {"shard_index", shard_index},
                          {"torch_archive", torch_archive},
                          {"pickle", pickle},
                          {"config", config}};

}  // namespace

std::span<const Target> targets() { return all; }

}  // namespace nystromformer::fuzz
