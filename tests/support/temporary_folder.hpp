// SPDX-License-Identifier: MIT
// A folder that exists as long as the object.
#pragma once

#include <filesystem>
#include <random>
#include <string>
#include <system_error>

struct TemporaryFolder {
    std::filesystem::path path = std::filesystem::temp_directory_path() /
                                 ("nystromformer-test-" + std::to_string(std::random_device{}()));

    TemporaryFolder() { std::filesystem::create_directories(path); }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
};
