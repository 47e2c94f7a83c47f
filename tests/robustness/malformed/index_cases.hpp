// SPDX-License-Identifier: MIT
// Malformed indexes of sharded checkpoints: what is no index, and names that leave the folder.
#pragma once

#include "robustness/malformed/malformed.hpp"

#include <string>
#include <utility>
#include <vector>

namespace nystromformer::testing {

inline std::vector<MalformedFile> malformed_indexes() {
    std::vector<MalformedFile> files;
    const auto add = [&](const std::string& title, const std::string& text, const char* kind,
                         const std::vector<std::string>& parts) {
        files.push_back(
            {title, "pytorch_model.bin.index.json", text, kind, parts, {"model.safetensors"}});
    };
    for (const std::string& name :
         std::vector<std::string>{"../x.safetensors",
                                  "/etc/x.safetensors",
                                  "a/../../x.safetensors",
                                  "a/x.safetensors",
                                  "a\\\\x.safetensors",
                                  "C:x.safetensors",
                                  "\\\\\\\\srv\\\\x.safetensors",
                                  ".",
                                  "..",
                                  "",
                                  ".safetensors",
                                  "x\\u0000.safetensors",
                                  "x.safetensors ",
                                  "x.safetensors.",
                                  "CON",
                                  "x:s.safetensors",
                                  "~/x.safetensors",
                                  "x.bin",
                                  "x.SAFETENSORS",
                                  "x.safetensors/",
                                  "..safetensors",
                                  "x y.safetensors",
                                  "\xC3\xA9.safetensors",
                                  "%2e%2e%2fx.safetensors",
                                  "x\\n.safetensors",
                                  "-\\u202e.safetensors",
                                  std::string(300, 'x') + ".safetensors"}) {
        files.push_back({"a path: " + name.substr(0, 40),
                         "model.safetensors.index.json",
                         "{\"weight_map\":{\"t\":\"" + name + "\"}}",
                         "UnsafePathError",
                         {"/weight_map/t", "plain file name ending in .safetensors"},
                         {"model.safetensors"}});
    }
    std::string many = "{\"weight_map\":{";
    for (int i = 0; i < 5000; ++i)
        many +=
            (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":\"" + std::to_string(i) + ".bin\"";
    for (const auto& [text, part] : std::vector<std::pair<std::string, std::string>>{
             {"", "JSON"},
             {"[]", "an object"},
             {"{}", "names tensors"},
             {"null", "an object"},
             {R"({"weight_map":{}})", "names tensors"},
             {R"({"weight_map":[]})", "/weight_map"},
             {R"({"weight_map":null})", "/weight_map"},
             {R"({"weight_map":"x.bin"})", "/weight_map"},
             {R"({"weight_map":{"a":1}})", "/weight_map/a"},
             {R"({"weight_map":{"a":null}})", "/weight_map/a"},
             {R"({"weight_map":{"a":{}}})", "/weight_map/a"},
             {R"({"weight_map":{"a":["x.bin"]}})", "/weight_map/a"},
             {R"({"weight_map":{"a":"x.bin","a":"x.bin"}})", "\"a\" twice"},
             {R"({"weight_map":{"a":"x.bin"},"weight_map":{"a":"x.bin"}})", "weight_map twice"},
             {R"({"weight_map":{"a\u0000":"x.bin"}})", "NUL"},
             {R"({"weight_map":{"a":"x.bin"}}x)", "JSON"},
             {R"({"x":)" + std::string(100'000, '['), "depth"},
             {many + "}}", "4096 files"}}) {
        add("an index: " + text.substr(0, 60), text, "FormatError", {part});
    }
    return files;
}

}  // namespace nystromformer::testing
