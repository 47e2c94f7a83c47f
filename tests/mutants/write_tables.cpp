// SPDX-License-Identifier: MIT
// Writes the malformed weight files of tests/robustness/malformed for judge_tables.cpp:
// write_tables FOLDER. Compiled once, from the headers as they are.
#include "robustness/malformed/index_cases.hpp"
#include "robustness/malformed/safetensors_cases.hpp"
#include "robustness/malformed/torch_cases.hpp"
#include "robustness/malformed/weight_cases.hpp"

#include <nystromformer/core/file.hpp>

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>

using namespace nystromformer::testing;
namespace fs = std::filesystem;

int main(int, char** arguments) {
    const fs::path target = arguments[1];
    nlohmann::json list = nlohmann::json::array();
    for (const auto& table :
         {malformed_lengths(), malformed_headers(), malformed_indexes(), malformed_shards(),
          malformed_calls(), malformed_pickles(), malformed_views(), malformed_zips()}) {
        for (const MalformedFile& file : table) {
            if (file.kind == "TensorError") continue;  // found by the model
            const fs::path folder = target / std::to_string(list.size());
            fs::create_directories(folder);
            for (const auto& [name, bytes] : file.others)
                nystromformer::detail::write_file(folder / name, bytes);
            nystromformer::detail::write_file(folder / file.file, file.bytes);
            list.push_back({{"folder", folder.string()},
                            {"file", (folder / file.file).string()},
                            {"kind", file.kind},
                            {"parts", file.parts}});
        }
    }
    nystromformer::detail::write_file(target / "list.json", list.dump());
}
