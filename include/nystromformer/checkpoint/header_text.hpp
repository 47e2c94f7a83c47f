// SPDX-License-Identifier: MIT
// The header of a safetensors file as text, with the bytes that Hugging Face's own writer chooses.
#pragma once

#include <nystromformer/checkpoint/safetensors_header.hpp>
#include <nystromformer/checkpoint/tensor_layout.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tensor.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// `text` as a JSON string. Throws InputError for invalid UTF-8.
inline std::string json_string(const std::string& text) {
    try {
        return nlohmann::json(text).dump();
    } catch (const nlohmann::json::exception&) {
        throw InputError({"", "name", "UTF-8", in_quotes(text)});
    }
}

/// The bytes that a tensor takes in a file. Throws InputError if `bytes` does not hold its
/// shape.
inline std::uint64_t stored_bytes(const TensorView& tensor) {
    const auto size = checked_size(tensor.shape);
    const auto bytes = size ? checked_bytes(*size, tensor.dtype) : std::nullopt;
    if (!bytes) {
        throw InputError({"", in_quotes(tensor.name), "a shape of whole bytes below 2^63",
                          shape_text(tensor.shape)});
    }
    const bool strided = !tensor.strides.empty();
    if (strided ? tensor.strides.size() != tensor.shape.size() || bits(tensor.dtype) % 8 != 0
                : tensor.bytes.size() != *bytes) {
        throw InputError({"", in_quotes(tensor.name),
                          std::to_string(*bytes) + " bytes for shape " + shape_text(tensor.shape),
                          std::to_string(tensor.bytes.size())});
    }
    return *bytes;
}

/// Length and JSON, padded with spaces to a multiple of 8.
inline std::string safetensors_header(const std::vector<const TensorView*>& tensors,
                                      const std::map<std::string, std::string>& metadata) {
    std::string json = "{";
    if (!metadata.empty()) {
        json += "\"__metadata__\":{";
        for (const auto& [key, value] : metadata) {
            if (json.back() != '{') json += ',';
            json += json_string(key) + ':' + json_string(value);
        }
        json += '}';
    }
    std::uint64_t begin = 0;
    for (const TensorView* tensor : tensors) {
        const auto end = checked_add(begin, stored_bytes(*tensor));
        if (!end) throw InputError({"", in_quotes(tensor->name), "less than 2^64 bytes", "more"});
        if (json.size() > 1) json += ',';
        json += json_string(tensor->name) + ":{\"dtype\":\"" + std::string(name(tensor->dtype)) +
                "\",\"shape\":[";
        for (std::size_t i = 0; i < tensor->shape.size(); ++i) {
            if (i != 0) json += ',';
            json += std::to_string(tensor->shape[i]);
        }
        json += "],\"data_offsets\":[" + std::to_string(begin) + ',' + std::to_string(*end) + "]}";
        begin = *end;
    }
    json += '}';
    json.resize((json.size() + 7) / 8 * 8, ' ');
    if (json.size() > max_safetensors_header) {
        throw InputError({"", "header",
                          "at most " + std::to_string(max_safetensors_header) + " bytes",
                          std::to_string(json.size())});
    }
    std::string length(8, '\0');
    for (std::size_t i = 0; i < 8; ++i)
        length[i] = static_cast<char>((std::uint64_t{json.size()} >> (8 * i)) & 0xFF);
    return length + json;
}

}  // namespace nystromformer::inline v0_2::detail
