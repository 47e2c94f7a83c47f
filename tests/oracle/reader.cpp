// SPDX-License-Identifier: MIT
// Reads many files from one stream for tests/oracle/mutate.py and writes a line for each: what the
// library makes of it. Stream: frames of a kind ('b' base, 's' safetensors, 'i' index, 'c' config)
// and three u32, at, removed, inserted, then the inserted bytes: the case is the base with that
// edit.
#include <nystromformer/checkpoint/half.hpp>
#include <nystromformer/checkpoint/shard_index.hpp>
#include <nystromformer/checkpoint/tensor_layout.hpp>
#include <nystromformer/config.hpp>
#include <nystromformer/safetensors.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

namespace {

using namespace nystromformer;

std::string hex(std::string_view bytes) {
    constexpr char digits[] = "0123456789abcdef";
    std::string result;
    for (const char c : bytes) {
        result += digits[static_cast<unsigned char>(c) >> 4];
        result += digits[static_cast<unsigned char>(c) & 15];
    }
    return result;
}

/// The elements as the library converts them: doubles as their bits, integers, or plain bytes.
std::string values(const TensorView& tensor) {
    std::string result;
    if (is_weight(tensor.dtype)) {
        std::vector<double> numbers(static_cast<std::size_t>(tensor.size()));
        convert(tensor, numbers.data());
        for (const double number : numbers) {
            char text[20];
            std::snprintf(text, sizeof text, "%016llx",
                          static_cast<unsigned long long>(std::bit_cast<std::uint64_t>(number)));
            result += std::isnan(number) ? " nan" : std::string(" ") + text;
        }
    } else if (is_integer(tensor.dtype)) {
        for (const std::int64_t number : to_int64(tensor)) result += ' ' + std::to_string(number);
    } else {
        result = ' ' + hex(std::string_view(reinterpret_cast<const char*>(tensor.bytes.data()),
                                            tensor.bytes.size()));
    }
    return result;
}

std::string read_safetensors(const std::string& bytes) {
    const auto file = SafetensorsFile::parse(std::as_bytes(std::span(bytes)), "file");
    std::string result = "accept";
    for (const auto& [key, value] : file.metadata()) result += " @" + hex(key) + '=' + hex(value);
    for (const TensorView& tensor : file.tensors())
        result += " #" + hex(tensor.name) + ' ' + std::string(name(tensor.dtype)) + ' ' +
                  shape_text(tensor.shape) + values(tensor);
    return result;
}

std::string read_index(const std::string& bytes) {
    const auto index = detail::ShardIndex::parse(bytes, "file", ".safetensors");
    std::string result = "accept";
    for (const auto& [tensor, shard] : index.weight_map) result += ' ' + hex(tensor) + '=' + shard;
    return result;
}

std::string optional_text(const std::optional<Index>& value) {
    return value ? std::to_string(*value) : "null";
}

std::string read_config(const std::string& bytes) {
    const auto config = NystromformerConfig::from_json(bytes, "file");
    std::string result = "accept";
    for (const Index value :
         {config.vocab_size, config.hidden_size, config.num_hidden_layers,
          config.num_attention_heads, config.intermediate_size, config.max_position_embeddings,
          config.type_vocab_size, config.segment_means_seq_len, config.num_landmarks,
          config.num_labels})
        result += ' ' + std::to_string(value);
    result += ' ' + optional_text(config.conv_kernel_size) + ' ' + config.hidden_act;
    char number[40];
    std::snprintf(number, sizeof number, " %.17g", config.layer_norm_eps);
    result += number;
    result += config.inv_coeff_init_option ? " true" : " false";
    result += config.tie_word_embeddings ? " true" : " false";
    for (const auto& [id, label] : config.id2label)
        result += " @" + std::to_string(id) + '=' + hex(label);
    return result;
}

std::string verdict(char kind, const std::string& bytes) {
    try {
        return kind == 's'   ? read_safetensors(bytes)
               : kind == 'i' ? read_index(bytes)
                             : read_config(bytes);
    } catch (const FormatError& error) {
        return std::string("refuse FormatError ") + error.what();
    } catch (const UnsafePathError& error) {
        return std::string("refuse UnsafePathError ") + error.what();
    } catch (const ConfigError& error) {
        return std::string("refuse ConfigError ") + error.what();
    } catch (const UnsupportedError& error) {
        return std::string("refuse UnsupportedError ") + error.what();
    } catch (const std::exception& error) {
        return std::string("WRONG ") + typeid(error).name() + ' ' + error.what();
    }
}

std::uint32_t number_at(const std::string& stream, std::size_t at) {
    return detail::load_little<std::uint32_t>(
        reinterpret_cast<const std::byte*>(stream.data() + at));
}

}  // namespace

int main() {
    const std::string stream{std::istreambuf_iterator<char>(std::cin), {}};
    std::string base, output;
    for (std::size_t at = 0; at < stream.size();) {
        const char kind = stream[at];
        const std::size_t begin = number_at(stream, at + 1), removed = number_at(stream, at + 5),
                          inserted = number_at(stream, at + 9);
        const std::string_view bytes(stream.data() + at + 13, inserted);
        at += 13 + inserted;
        if (kind == 'b') {
            base = bytes;
            continue;
        }
        // Of exactly its size, so that a sanitizer sees a read beyond the end.
        std::string file;
        file.reserve(base.size() + inserted - removed);
        file.append(base, 0, begin).append(bytes).append(base, begin + removed);
        file.shrink_to_fit();
        output += verdict(kind, file) + '\n';
        if (output.size() > 1 << 16) {
            std::cout << output;
            output.clear();
        }
    }
    std::cout << output;
}
