// SPDX-License-Identifier: MIT
// Malformed files of sentence-transformers: modules.json and what it leads to.
#pragma once

#include "robustness/malformed/malformed.hpp"

#include <string>
#include <vector>

namespace nystromformer::testing {

inline std::vector<MalformedFile> malformed_modules() {
    std::vector<MalformedFile> files;
    const auto add = [&](const char* kind, const std::string& file, const std::string& text,
                         const std::string& place) {
        files.push_back(
            {"sentences: " + file + ' ' + text.substr(0, 60), file, text, kind, {place}});
    };
    const std::string pool =
        R"({"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"})";
    const std::string first = R"({"type": "sentence_transformers.models.Transformer", "path": ""})";
    const auto modules = [&](const std::string& text) { return "[" + text + "]"; };
    const std::string file = "modules.json";
    add("FormatError", file, "[", "byte 2");
    add("ConfigError", file, "{}", "/");
    add("ConfigError", file, "[5]", "/0");
    add("ConfigError", file, R"([{"path": ""}])", "/0/type");
    add("ConfigError", file, R"([{"type": "sentence_transformers.models.Pooling"}])", "/0/path");
    add("UnsupportedError", file, "[]", "/0");
    add("UnsupportedError", file, modules(first), "/1");
    add("UnsupportedError", file, modules(pool + "," + first), "/0");
    add("UnsupportedError", file, modules(first + "," + pool + "," + pool), "/2");
    for (const char* path : {"..", "a/../..", "/etc", "..\\\\x", "C:", "./.."}) {
        add("UnsafePathError", file,
            modules(first + R"(,{"type": "sentence_transformers.models.Pooling", "path": ")" +
                    path + "\"}"),
            "/1/path");
    }
    for (const char* type :
         {"sentence_transformers.models.CNN", "my.models.Pooling", "Pooling",
          "sentence_transformers.models.", "sentence_transformers.models.Trans"}) {
        add("UnsupportedError", file,
            modules(R"({"path": "", "type": ")" + std::string(type) + "\"}"), "/0/type");
    }
    const std::string pooling = "1_Pooling/config.json";
    add("ConfigError", pooling, "[]", "/");
    add("ConfigError", pooling, "{}", "/word_embedding_dimension");
    add("ConfigError", pooling, R"({"embedding_dimension": 0})", "/embedding_dimension");
    add("ConfigError", pooling, R"({"embedding_dimension": 8, "pooling_mode": "min"})",
        "/pooling_mode");
    add("ConfigError", pooling, R"({"embedding_dimension": 8, "pooling_mode": []})",
        "/pooling_mode");
    add("ConfigError", pooling, R"({"embedding_dimension": 8, "pooling_mode": ["cls", 5]})",
        "/pooling_mode/1");
    add("ConfigError", pooling, R"({"word_embedding_dimension": 8, "pooling_mode_cls_token": 1})",
        "/pooling_mode_cls_token");
    add("ConfigError", pooling, R"({"embedding_dimension": 8, "include_prompt": "no"})",
        "/include_prompt");
    const std::string dense = "2_Dense/config.json";
    add("ConfigError", dense, R"({"in_features": 9, "out_features": 5})", "/in_features");
    add("ConfigError", dense, R"({"in_features": 8, "out_features": 0})", "/out_features");
    add("ConfigError", dense, R"({"in_features": 8})", "/out_features");
    const auto with = [](const std::string& more) {
        return R"({"in_features": 8, "out_features": 5, )" + more + "}";
    };
    add("UnsupportedError", dense,
        with(R"("activation_function": "torch.nn.modules.activation.Threshold")"),
        "/activation_function");
    add("UnsupportedError", dense, with(R"("activation_function": "os.GELU")"),
        "/activation_function");
    add("UnsupportedError", dense, with(R"("module_input_name": "token_embeddings")"),
        "/module_input_name");
    add("ConfigError", dense, with(R"("use_residual": 0)"), "/use_residual");
    const std::string limits = "sentence_bert_config.json";
    add("ConfigError", limits, R"({"max_seq_length": 0})", "/max_seq_length");
    add("ConfigError", limits, R"({"do_lower_case": "yes"})", "/do_lower_case");
    add("UnsupportedError", limits, R"({"transformer_task": "fill-mask"})", "/transformer_task");
    add("UnsupportedError", limits, R"({"processing_kwargs": {"text": {"max_length": 5}}})",
        "/processing_kwargs");
    const std::string defaults = "config_sentence_transformers.json";
    add("ConfigError", defaults, R"({"prompts": []})", "/prompts");
    add("ConfigError", defaults, R"({"prompts": {"a": 1}})", "/prompts/a");
    add("ConfigError", defaults, R"({"default_prompt_name": "a"})", "/default_prompt_name");
    add("ConfigError", defaults, R"({"truncate_dim": 0})", "/truncate_dim");
    add("ConfigError", defaults, R"({"similarity_fn_name": 1})", "/similarity_fn_name");
    return files;
}

}  // namespace nystromformer::testing
