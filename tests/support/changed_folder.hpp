// SPDX-License-Identifier: MIT
// A copy of a model folder, for tests that change its files.
#pragma once

#include "support/temporary_folder.hpp"

#include <nystromformer/core/file.hpp>
#include <nystromformer/core/json.hpp>

#include <cstdint>
#include <filesystem>

struct ChangedFolder : TemporaryFolder {
    using Json = nystromformer::detail::Json;

    explicit ChangedFolder(const std::filesystem::path& of) {
        std::filesystem::copy(of, path, std::filesystem::copy_options::recursive);
    }
    Json read(const std::filesystem::path& file) const {
        return nystromformer::detail::read_json_file(path / file, std::uint64_t{1} << 24).value;
    }
    /// Merges `values` into one of its files, or writes them into a new one.
    void change(const std::filesystem::path& file, const Json& values) const {
        Json content = values;
        if (exists(path / file)) {
            content = read(file);
            content.update(values);
        }
        nystromformer::detail::write_file(path / file, content.dump());
    }
};
