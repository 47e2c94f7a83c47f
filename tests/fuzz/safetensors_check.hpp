// SPDX-License-Identifier: MIT
// A second reading of a safetensors file that was accepted: by another JSON reader, with 128-bit
// numbers, from the format's README alone.
#pragma once

#include "fuzz.hpp"

#include <nystromformer/safetensors.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::fuzz {

using Wide = unsigned __int128;

/// Bits of an element; 0 for a name that the format does not know.
inline unsigned bits_named(const std::string& name) {
    static const std::map<std::string, unsigned> bits = {
        {"BOOL", 8}, {"F4", 4},          {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},
        {"I8", 8},   {"F8_E5M2", 8},     {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
        {"F16", 16}, {"F8_E5M2FNUZ", 8}, {"I16", 16},    {"U16", 16},    {"BF16", 16},
        {"I32", 32}, {"U32", 32},        {"F32", 32},    {"C64", 64},    {"F64", 64},
        {"I64", 64}, {"U64", 64}};
    const auto found = bits.find(name);
    return found == bits.end() ? 0 : found->second;
}

/// Reports a finding unless `file`, read from `data`, is what the format says.
inline void check_safetensors(std::string_view data, const SafetensorsFile& file) {
    require(data.size() >= 8, "the length is there");
    Wide length = 0;
    for (std::size_t i = 8; i-- > 0;) length = length << 8 | static_cast<unsigned char>(data[i]);
    require(length <= data.size() - 8 && length <= 100'000'000, "the header is in the file");
    const std::string_view header = data.substr(8, static_cast<std::size_t>(length));
    const std::string_view body = data.substr(8 + header.size());
    const auto json = nlohmann::json::parse(header);
    require(json.is_object(), "an object");
    const bool has_metadata = json.contains("__metadata__");
    const bool has_strings = has_metadata && !json["__metadata__"].is_null();
    require(json.size() == file.tensors().size() + has_metadata, "a tensor for each key");
    if (has_strings) {
        require(json["__metadata__"].size() == file.metadata().size(), "all metadata");
        for (const auto& [key, value] : file.metadata())
            require(json["__metadata__"].at(key) == value, "the same metadata");
    }
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    for (const TensorView& tensor : file.tensors()) {
        const auto& entry = json.at(tensor.name);
        const std::string dtype = entry.at("dtype");
        const auto shape = entry.at("shape").get<std::vector<std::uint64_t>>();
        const auto offsets = entry.at("data_offsets").get<std::vector<std::uint64_t>>();
        require(bits_named(dtype) != 0 && dtype == name(tensor.dtype), "the dtype");
        require(offsets.size() == 2 && offsets[0] <= offsets[1] && offsets[1] <= body.size(),
                "offsets in the data");
        require(shape.size() == tensor.shape.size(), "the rank");
        Wide elements = 1;
        for (std::size_t i = 0; i < shape.size(); ++i) {
            require(shape[i] == static_cast<std::uint64_t>(tensor.shape[i]), "the shape");
            elements *= shape[i];
            require(elements < Wide{1} << 64, "elements that can be counted");
        }
        require(elements * bits_named(dtype) == Wide{8} * (offsets[1] - offsets[0]),
                "bytes as many as the shape needs");
        require(tensor.bytes.data() == as_bytes(body).data() + offsets[0] &&
                    tensor.bytes.size() == offsets[1] - offsets[0],
                "the bytes at the offsets");
        ranges.emplace_back(offsets[0], offsets[1]);
    }
    std::sort(ranges.begin(), ranges.end());
    std::uint64_t covered = 0;
    for (const auto& [begin, end] : ranges) {
        require(begin == covered, "no hole and no overlap");
        covered = end;
    }
    require(covered == body.size(), "all bytes covered");
}

/// Replaces a whole number of a JSON text by one of those where arithmetic breaks.
inline void mutate_number(std::string& text, unsigned seed) {
    static const char* const numbers[] = {"0",
                                          "1",
                                          "2",
                                          "3",
                                          "4",
                                          "7",
                                          "8",
                                          "9",
                                          "16",
                                          "127",
                                          "128",
                                          "255",
                                          "256",
                                          "65535",
                                          "65536",
                                          "2147483647",
                                          "2147483648",
                                          "4294967295",
                                          "4294967296",
                                          "9223372036854775807",
                                          "9223372036854775808",
                                          "18446744073709551615",
                                          "18446744073709551616",
                                          "-1",
                                          "1.5",
                                          "1e3"};
    std::vector<std::pair<std::size_t, std::size_t>> places;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::size_t begin = i;
        while (i < text.size() && std::isdigit(static_cast<unsigned char>(text[i])) != 0) ++i;
        if (i != begin) places.emplace_back(begin, i - begin);
    }
    if (places.empty()) return;
    const auto [begin, size] = places[seed % places.size()];
    text.replace(begin, size, numbers[seed / places.size() % std::size(numbers)]);
}

}  // namespace nystromformer::fuzz
