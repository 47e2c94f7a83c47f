// SPDX-License-Identifier: MIT
// Malformed config.json files: wrong values, what this library does not run, what is no JSON.
#pragma once

#include "robustness/malformed/malformed.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::testing {

inline std::vector<MalformedFile> malformed_configs() {
    struct BadConfig {
        std::string json, place;
    };
    // Of an attacker or of a slip of the pen.
    const std::vector<BadConfig> wrong_values{
        {R"({"vocab_size": null})", "/vocab_size"},
        {R"({"vocab_size": "30000"})", "/vocab_size"},
        {R"({"vocab_size": 30000.0})", "/vocab_size"},
        {R"({"vocab_size": true})", "/vocab_size"},
        {R"({"vocab_size": 0})", "/vocab_size"},
        {R"({"vocab_size": -1})", "/vocab_size"},
        {R"({"vocab_size": 2147483648})", "/vocab_size"},
        {R"({"vocab_size": 9223372036854775808})", "/vocab_size"},
        {R"({"hidden_size": 0})", "/hidden_size"},
        {R"({"hidden_size": 1000000000})", "/hidden_size"},
        {R"({"hidden_size": 770})", "/hidden_size"},
        {R"({"num_hidden_layers": 1000000000})", "/num_hidden_layers"},
        {R"({"num_hidden_layers": -1})", "/num_hidden_layers"},
        {R"({"num_attention_heads": 0})", "/num_attention_heads"},
        {R"({"intermediate_size": []})", "/intermediate_size"},
        {R"({"max_position_embeddings": {}})", "/max_position_embeddings"},
        {R"({"type_vocab_size": 0})", "/type_vocab_size"},
        {R"({"num_landmarks": 0})", "/num_landmarks"},
        {R"({"num_landmarks": 65})", "/num_landmarks"},
        {R"({"num_landmarks": 48})", "/num_landmarks"},
        {R"({"segment_means_seq_len": 0})", "/segment_means_seq_len"},
        {R"({"conv_kernel_size": 0})", "/conv_kernel_size"},
        {R"({"conv_kernel_size": -3})", "/conv_kernel_size"},
        {R"({"inv_coeff_init_option": "original"})", "/inv_coeff_init_option"},
        {R"({"layer_norm_eps": 0})", "/layer_norm_eps"},
        {R"({"layer_norm_eps": -1e-5})", "/layer_norm_eps"},
        {R"({"layer_norm_eps": 1e30})", "/layer_norm_eps"},
        {R"({"layer_norm_eps": "1e-5"})", "/layer_norm_eps"},
        {R"({"initializer_range": -1})", "/initializer_range"},
        {R"({"hidden_dropout_prob": 1.5})", "/hidden_dropout_prob"},
        {R"({"hidden_act": null})", "/hidden_act"},
        {R"({"hidden_act": {}})", "/hidden_act"},
        {R"({"pad_token_id": 1.5})", "/pad_token_id"},
        {R"({"eos_token_id": [1, "2"]})", "/eos_token_id/1"},
        {R"({"num_labels": 100000000})", "/num_labels"},
        {R"({"num_labels": -1})", "/num_labels"},
        {R"({"num_labels": "2"})", "/num_labels"},
        {R"({"id2label": {"a": "a"}})", "/id2label/a"},
        {R"({"vocab_size": NaN})", "/vocab_size"},
        {R"({"vocab_size": 3, "vocab_size": "4"})", "/vocab_size"},
        {R"({"layer_norm_eps": NaN})", "found NaN"},
        {R"({"layer_norm_eps": Infinity})", "found Infinity"},
        {R"({"layer_norm_eps": 1e400})", "found Infinity"},
        {R"({"hidden_act": NaN})", "/hidden_act"},
        {R"({"model_type": "roberta", "pad_token_id": null})", "/pad_token_id"},
        {R"({"model_type": "roberta", "pad_token_id": 511})", "/pad_token_id"},
        {R"({"model_type": "distilbert", "dim": 770})", "/dim"},
        {R"({"model_type": "distilbert", "n_heads": 0})", "/n_heads"},
        {R"({"model_type": "electra", "embedding_size": 0})", "/embedding_size"},
        {R"({"id2label": ["a"]})", "/id2label"},
        {R"({"problem_type": 3})", "/problem_type"},
        {R"({"architectures": 1})", "/architectures"},
        {R"({"architectures": [1]})", "/architectures/0"},
        {R"({"tie_word_embeddings": 1})", "/tie_word_embeddings"},
        {R"({"is_decoder": null})", "/is_decoder"},
        {R"({"model_type": 3})", "/model_type"},
        {R"([])", "/"},
        {R"(3)", "/"},
    };
    const std::vector<BadConfig> not_run_here{
        {R"({"model_type": "albert"})", "/model_type"},
        {R"({"model_type": "bert", "position_embedding_type": "relative_key"})", "relative_key"},
        {R"({"model_type": "bert", "quantization_config": {}})", "/quantization_config"},
        {R"({"model_type": "electra", "pruned_heads": {"0": [1]}})", "/pruned_heads"},
        {R"({"model_type": "distilbert", "activation": "prelu"})", "/activation"},
        {R"({"head_model_type": "albert"})", "/head_model_type"},
        {R"({"is_decoder": true})", "causal"},
        {R"({"conv_kernel_size": 64})", "odd"},
        {R"({"hidden_act": "prelu"})", "gelu_new"},
        {R"({"hidden_act": ""})", "/hidden_act"},
    };
    const std::vector<BadConfig> not_json{
        {"", "byte"},
        {"{", "byte"},
        {R"({"vocab_size": 3,})", "byte"},
        {R"({"a": Nan})", "byte"},
        {R"({"a": +Infinity})", "byte"},
        {R"({"a": -NaN})", "byte"},
        {R"({"a": 01e400})", "byte"},
        {R"({NaN: 1})", "found \"NaN\""},
        {"{} {}", "byte"},
        {"\xEF\xBB\xBF{}", "byte order mark"},
        {"{\"a\xFF\": 1}", "byte"},
        {std::string("{}\0{", 4), "byte 2"},
        {"{\"a\":" + std::string(100, '['), "depth"},
        {std::string((1 << 20) + 1, ' '), "1048576 bytes"},
    };
    std::vector<MalformedFile> files;
    const auto add = [&](const std::vector<BadConfig>& cases, const char* kind) {
        for (const BadConfig& bad : cases) {
            files.push_back(
                {"config: " + bad.json.substr(0, 60), "config.json", bad.json, kind, {bad.place}});
        }
    };
    add(wrong_values, "ConfigError");
    add(not_run_here, "UnsupportedError");
    add(not_json, "FormatError");
    return files;
}

}  // namespace nystromformer::testing
