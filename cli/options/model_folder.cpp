// SPDX-License-Identifier: MIT
#include "options/model_folder.hpp"

#include "platform/platform.hpp"

#include <nystromformer/text.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

namespace command_line {

namespace {

namespace fs = std::filesystem;
namespace nf = nystromformer;

bool is_folder(const fs::path& path) {
    std::error_code ignored;
    return fs::is_directory(path, ignored);
}

/// A name that stays inside the folder that it is looked for in.
bool is_plain(std::string_view name) {
    return !name.empty() && name != "." && name != ".." && name.find_first_of("/\\:") == name.npos;
}

std::vector<fs::path> model_folders() {
    std::vector<fs::path> folders;
    std::string list = environment("NYSTROMFORMER_MODELS").value_or("");
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(list_separator), list.size());
        if (end > 0) folders.push_back(nf::path_from_utf8(list.substr(0, end)));
        list.erase(0, end + 1);
    }
    const fs::path program = program_file();
    if (!program.empty())
        folders.push_back(program.parent_path().parent_path() / "share" / "nystromformer" /
                          "models");
    return folders;
}

fs::path hub_cache() {
    if (const auto cache = environment("HF_HUB_CACHE")) return nf::path_from_utf8(*cache);
    if (const auto home = environment("HF_HOME")) return nf::path_from_utf8(*home) / "hub";
    if (const auto cache = environment("XDG_CACHE_HOME"))
        return nf::path_from_utf8(*cache) / "huggingface" / "hub";
    const fs::path home = home_folder();
    return home.empty() ? home : home / ".cache" / "huggingface" / "hub";
}

/// The snapshot of the branch main, or the only one.
std::optional<fs::path> snapshot_of(const fs::path& repository) {
    std::string commit;
    std::ifstream(repository / "refs" / "main") >> commit;
    if (is_plain(commit) && is_folder(repository / "snapshots" / commit))
        return repository / "snapshots" / commit;
    std::vector<fs::path> snapshots;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(repository / "snapshots", ignored))
        snapshots.push_back(entry.path());
    if (snapshots.size() != 1) return std::nullopt;
    return snapshots.front();
}

std::optional<fs::path> cached(const std::string& model) {
    const std::size_t slash = model.find('/');
    const std::string organisation = slash == model.npos ? "" : model.substr(0, slash);
    const std::string name = slash == model.npos ? model : model.substr(slash + 1);
    if (!is_plain(name) || (slash != model.npos && !is_plain(organisation))) return std::nullopt;
    const std::string folder =
        "models--" + (organisation.empty() ? name : organisation + "--" + name);
    const fs::path cache = hub_cache();
    return cache.empty() ? std::nullopt : snapshot_of(cache / folder);
}

}  // namespace

std::string model_folder(const std::string& model) {
    const fs::path path = nf::path_from_utf8(model);
    std::error_code ignored;
    if (model.empty() || fs::exists(path, ignored)) return model;
    if (is_plain(model)) {
        for (const fs::path& folder : model_folders())
            if (is_folder(folder / path)) return nf::path_to_utf8(folder / path);
    }
    const auto snapshot = cached(model);
    return snapshot ? nf::path_to_utf8(*snapshot) : model;
}

}  // namespace command_line
