// SPDX-License-Identifier: MIT
// For mutants.py: every malformed file that write_tables.cpp wrote is refused as
// tests/robustness/malformed_test.cpp wants it: judge_tables FOLDER.
#include <nystromformer/checkpoint.hpp>

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <typeinfo>

int main(int, char** arguments) {
    const std::filesystem::path target = arguments[1];
    std::ifstream stream(target / "list.json");
    for (const auto& file : nlohmann::json::parse(stream)) {
        const std::string folder = file["folder"];
        const auto require = [&](bool holds, const std::string& what) {
            if (holds) return;
            std::cout << folder << ": " << what << std::endl;
            std::_Exit(1);
        };
        try {
            (void)nystromformer::Checkpoint::open(folder);
            require(false, "opened");
        } catch (const nystromformer::Error& error) {
            const std::string message = error.what(), type = typeid(error).name();
            require(type.find(file["kind"].get<std::string>()) != std::string::npos, type);
            require(message.find(file["file"].get<std::string>()) != std::string::npos ||
                        message.find(folder) == 0,
                    "no file in " + message);
            require(!error.place().empty() || !error.found().empty(), "no place in " + message);
            require(!error.expected().empty() && message.size() < 1000, message);
            for (const std::string part : file["parts"])
                require(message.find(part) != std::string::npos, part + " not in " + message);
        }
    }
}
