// SPDX-License-Identifier: MIT
#include "advice.hpp"

#include "command_line.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <numeric>
#include <system_error>
#include <utility>

namespace command_line {

namespace nf = nystromformer;
namespace fs = std::filesystem;

namespace {

/// How many letters must be put in, left out or changed to make `b` of `a`.
std::size_t edits(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t corner = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t changed = corner + (a[i] != b[j]);
            corner = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& words) {
    const std::string found = nearest(word, words);
    return found.empty() ? "" : "; did you mean " + found + "?";
}

std::vector<std::string> command_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
        names.push_back(command->get_name());
    return names;
}

std::vector<std::string> option_names(const CLI::App& command) {
    std::vector<std::string> names;
    for (const CLI::Option* option : command.get_options()) {
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
}

void check_option(const CLI::App& command, const std::string& argument, std::size_t& at) {
    const std::string name = argument.substr(0, argument.find('='));
    const CLI::Option* option = command.get_option_no_throw(name);
    if (option == nullptr) {
        throw UsageError("unknown option " + name + did_you_mean(name, option_names(command)) +
                         " (see nystromformer " + command.get_name() + " --help)");
    }
    // Its value may look like an option.
    if (name.size() == argument.size())
        at += static_cast<std::size_t>(std::max(0, option->get_expected_min()));
}

/// The value of the parsed command's --model, or "".
std::string model_of(const CLI::App& app) {
    for (const CLI::App* command : app.get_subcommands()) {
        const CLI::Option* option = command->get_option_no_throw("--model");
        if (option != nullptr && option->count() > 0) return option->as<std::string>();
    }
    return "";
}

/// What is wrong with the path itself, or "".
std::string about_path(const fs::path& model) {
    std::error_code ignored;
    const auto has_config = [&](const fs::path& folder) {
        return fs::is_regular_file(folder / "config.json", ignored);
    };
    const std::string name = model.string();
    if (!fs::exists(model, ignored)) {
        const bool may_be_of_hub =
            name.find_first_of("./\\") != 0 && std::count(name.begin(), name.end(), '/') <= 1;
        return name + " does not exist; --model takes a folder on this computer" +
               (may_be_of_hub ? " (hf download " + name + " --local-dir FOLDER gets one)" : "");
    }
    if (!fs::is_directory(model, ignored)) {
        const fs::path parent = model.has_parent_path() ? model.parent_path() : ".";
        return name + " is no folder; --model takes the folder that holds config.json" +
               (has_config(parent) ? ": " + parent.string() : "");
    }
    if (has_config(model) || fs::exists(model / "modules.json", ignored)) return "";
    constexpr int most = 1000;  // a folder of a user's home may be large
    int seen = 0;
    for (auto entry = fs::recursive_directory_iterator(
             model, fs::directory_options::skip_permission_denied, ignored);
         !ignored && entry != fs::recursive_directory_iterator() && seen < most;
         entry.increment(ignored), ++seen) {
        if (entry.depth() >= 2) entry.disable_recursion_pending();
        if (entry->path().filename() == "config.json")
            return name + " has no config.json; did you mean " +
                   entry->path().parent_path().string() + "?";
    }
    return "";
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& words) {
    std::string best;
    std::size_t least = word.size() / 3 + 1;
    for (const std::string& candidate : words) {
        const std::size_t count = edits(word, candidate);
        // "-m" and "--mod" begin a name.
        const std::string_view letters =
            word.substr(std::min(word.find_first_not_of('-'), word.size()));
        const bool begins = !letters.empty() && candidate.substr(0, 2) == "--" &&
                            candidate.substr(2, letters.size()) == letters;
        if (count > least && !begins) continue;
        if (!best.empty() && count >= least) continue;
        least = std::min(least, count);
        best = candidate;
    }
    return best;
}

void check_spelling(const CLI::App& app, const std::vector<std::string>& arguments) {
    const std::vector<std::string> names = command_names(app);
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    if (arguments.empty()) throw UsageError("a command is required: " + all + " (see --help)");
    const std::string& first = arguments.front();
    if (app.get_option_no_throw(first) != nullptr) return;
    if (first.starts_with('-'))
        throw UsageError("the command comes first, then " + first + ": " + all);
    if (std::find(names.begin(), names.end(), first) == names.end()) {
        throw UsageError("unknown command " + first + did_you_mean(first, names) + " There are " +
                         all);
    }
    const CLI::App& command = *app.get_subcommand(first);
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        if (arguments[i].size() > 1 && arguments[i][0] == '-')
            check_option(command, arguments[i], i);
    }
}

std::string advised(const nf::Error& error, const CLI::App& app) {
    const std::string model = model_of(app);
    const bool is_of_model = !model.empty() && error.file().starts_with(model);
    if (!is_of_model) return error.what();
    const std::string path = about_path(model);
    return path.empty() ? error.what() : path;
}

}  // namespace command_line
