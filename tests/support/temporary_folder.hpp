// SPDX-License-Identifier: MIT
// A folder that is there as long as the test that made it.
#pragma once

#include <filesystem>
#include <string>

#include <unistd.h>

struct TemporaryFolder {
    std::filesystem::path path;

    explicit TemporaryFolder(const std::string& name)
        : path(std::filesystem::temp_directory_path() /
               ("nystromformer_" + name + '_' + std::to_string(getpid()))) {
        std::filesystem::create_directories(path);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() { std::filesystem::remove_all(path); }
};
