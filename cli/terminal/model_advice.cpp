// SPDX-License-Identifier: MIT
#include "terminal/model_advice.hpp"

#include <nystromformer/text.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <system_error>
#include <vector>

namespace command_line {

namespace {

namespace fs = std::filesystem;
namespace nf = nystromformer;

bool has_config(const fs::path& folder) {
    std::error_code ignored;
    return fs::is_regular_file(folder / "config.json", ignored);
}

/// The first three folders below `model`, in the order of their names, that hold a config.json.
std::vector<std::string> folders_with_config(const fs::path& model) {
    constexpr int max_entries = 1000;  // a folder of a user's home may be large
    constexpr std::size_t max_names = 3;
    std::vector<std::string> found;
    std::error_code ignored;
    int seen = 0;
    for (auto entry = fs::recursive_directory_iterator(
             model, fs::directory_options::skip_permission_denied, ignored);
         !ignored && entry != fs::recursive_directory_iterator() && seen < max_entries;
         entry.increment(ignored), ++seen) {
        if (entry.depth() >= 2) entry.disable_recursion_pending();
        if (entry->path().filename() == "config.json")
            found.push_back(nf::path_to_utf8(entry->path().parent_path()));
    }
    std::sort(found.begin(), found.end());
    if (found.size() > max_names) found.resize(max_names);
    return found;
}

/// What is wrong with the path itself, or "".
std::string about_path(const fs::path& model) {
    std::error_code ignored;
    const std::string name = nf::path_to_utf8(model);
    if (!fs::exists(model, ignored)) {
        const bool may_be_of_hub =
            name.find_first_of("./\\") != 0 && std::count(name.begin(), name.end(), '/') <= 1;
        return name + " does not exist; --model takes a folder on this computer" +
               (may_be_of_hub ? " (hf download " + name + " --local-dir FOLDER gets one)" : "");
    }
    if (!fs::is_directory(model, ignored)) {
        const fs::path parent = model.has_parent_path() ? model.parent_path() : ".";
        return name + " is no folder; --model takes the folder that holds config.json" +
               (has_config(parent) ? ": " + nf::path_to_utf8(parent) : "");
    }
    if (has_config(model) || fs::exists(model / "modules.json", ignored)) return "";
    const std::vector<std::string> found = folders_with_config(model);
    if (found.empty()) return "";
    std::string names = found.front();
    for (std::size_t i = 1; i < found.size(); ++i)
        names += (i + 1 == found.size() ? " or " : ", ") + found[i];
    return name + " has no config.json; did you mean " + names + "?";
}

}  // namespace

std::string advised(const nystromformer::Error& error, const std::string& model) {
    if (model.empty() || !error.file().starts_with(model)) return error.what();
    const std::string path = about_path(nf::path_from_utf8(model));
    return path.empty() ? error.what() : path;
}

}  // namespace command_line
