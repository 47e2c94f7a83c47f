// SPDX-License-Identifier: MIT
// The files next to the weights of a folder that is converted: the tokenizer's and those of
// sentence-transformers.
#pragma once

#include <nystromformer/conversion/carried_tokenizer.hpp>
#include <nystromformer/core/file.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/core/python_json.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/family.hpp>
#include <nystromformer/tokenizer/special_names.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// A module's folder in a modules.json, "" for the folder itself; "./1_Pooling/" is 1_Pooling.
/// UnsafePathError for one outside.
inline std::string module_path(const JsonView<FormatError>& module) {
    const std::string& path = module.string();
    const bool is_plain =
        path.find_first_of(std::string_view("\\:\0", 3)) == path.npos && !path.starts_with('/');
    std::string result;
    for (std::size_t begin = 0; begin < path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string part = path.substr(begin, end - begin);
        begin = end + 1;
        if (!is_plain || part == "..") {
            throw UnsafePathError(
                {module.file(), module.path(), "a path within the folder", in_quotes(path)});
        }
        if (!part.empty() && part != ".") result.append(result.empty() ? "" : "/").append(part);
    }
    return result;
}

/// The folder of the model: `root`, or where modules.json of an old sentence-transformers has its
/// first module.
inline std::filesystem::path model_folder(const std::filesystem::path& root) {
    const auto path = root / "modules.json";
    if (detail::is_regular_file(root / "config.json") || !detail::is_regular_file(path))
        return root;
    const JsonTree json = read_python_json(path, SpecialNames::max_bytes);
    const std::string file = path_to_utf8(path);
    const JsonView<FormatError> modules(json, file);
    if (modules.array().size() == 0) return root;
    const std::string name = module_path(modules.at(std::size_t{0}).at("path"));
    return name.empty() ? root : root / path_from_utf8(name);
}

/// What stands next to the weights: the tokenizer's files and those of sentence-transformers.
class FilesBeside {
public:
    /// Finds and checks them: those of the model in `folder`, and the modules of sentence-
    /// transformers in `root`, which may be the same. `max_positions` is nothing if the length
    /// stays as it was. Errors: IoError, FormatError, TokenizerError, UnsafePathError.
    FilesBeside(std::filesystem::path folder, std::filesystem::path root, const Family& family,
                std::optional<Index> max_positions)
        : folder_(std::move(folder)), root_(std::move(root)), max_positions_(max_positions) {
        find_tokenizer(family);
        find_sentence_transformers();
    }

    /// Writes them to an existing folder. IoError.
    void write(const std::filesystem::path& to) const {
        for (const File& file : files_) {
            const std::filesystem::path target = to / path_from_utf8(file.name);
            std::error_code error;
            std::filesystem::create_directories(target.parent_path(), error);
            if (file.text) {
                write_file(target, *file.text);
                continue;
            }
            if (!error) std::filesystem::copy_file(file.from, target, error);
            if (error)
                throw IoError({path_to_utf8(target), "", "a copy of " + path_to_utf8(file.from),
                               error.message()});
        }
    }
    std::vector<std::string> names() const {
        std::vector<std::string> result;
        for (const File& file : files_) result.push_back(file.name);
        return result;
    }

private:
    using OrderedJson = nlohmann::ordered_json;
    struct File {
        std::string name;
        std::filesystem::path from;
        std::optional<std::string> text;  // nothing: as it is
    };

    void find_tokenizer(const Family& family) {
        const bool has_json = detail::is_regular_file(folder_ / "tokenizer.json");
        bool any = has_json;
        for (const char* name : {"vocab.txt", "vocab.json", "merges.txt", "spiece.model",
                                 "sentencepiece.bpe.model", "tokenizer.model"}) {
            any = take(name) || any;
        }
        for (const char* name : {"special_tokens_map.json", "added_tokens.json"}) take(name);
        const auto path = folder_ / "tokenizer_config.json";
        const std::string file = path_to_utf8(path);
        const JsonTree options = SpecialNames::read_if_there(path);
        CarriedTokenizer carried;
        try {
            if (any)
                carried = CarriedTokenizer::of(folder_, JsonView<TokenizerError>(options, file));
        } catch (const Error&) {
            // A tokenizer that cannot be read is copied unchanged: loading it gives the error.
        }
        if (has_json)
            files_.push_back(
                {"tokenizer.json", folder_ / "tokenizer.json", std::move(carried.tokenizer_json)});
        OrderedJson changes = std::move(carried.options);
        // A Nystromformer's config does not say which tokenizer it has; a BERT's does.
        if (any && !JsonView<TokenizerError>(options, file).holds("tokenizer_class"))
            changes["tokenizer_class"] = tokenizer_class(family);
        if (any && max_positions_) changes["model_max_length"] = *max_positions_;
        take("tokenizer_config.json", changes);
    }

    std::string tokenizer_class(const Family& family) const {
        const auto path = folder_ / "config.json";
        const std::string file = path_to_utf8(path);
        const JsonTree json = read_python_json(path, max_bytes);
        const JsonView<ConfigError> config(json, file);
        return config.holds("tokenizer_class") ? config.at("tokenizer_class").string()
                                               : std::string(family.tokenizer_class);
    }

    void find_sentence_transformers() {
        take_of_root("config_sentence_transformers.json");
        for (const char* kind :
             {"bert", "roberta", "distilbert", "xlm-roberta", "camembert", "electra"}) {
            const std::string name = "sentence_" + std::string(kind) + "_config.json";
            if (!detail::is_regular_file(folder_ / name)) continue;
            const auto path = folder_ / name;
            const std::string file = path_to_utf8(path);
            const JsonTree options = read_python_json(path, max_bytes);
            OrderedJson changes;
            if (JsonView<FormatError>(options, file).holds("max_seq_length") && max_positions_) {
                changes["max_seq_length"] = *max_positions_;
            }
            take(name, changes);
        }
        if (detail::is_regular_file(root_ / "modules.json")) find_modules(root_ / "modules.json");
    }

    /// The folders of pooling, normalisation and dense layers; the transformer's own is the new
    /// one. A module without parameters may have none.
    void find_modules(const std::filesystem::path& path) {
        const JsonTree json = read_python_json(path, max_bytes);
        const std::string file = path_to_utf8(path);
        const JsonView<FormatError> modules(json, file);
        modules.array();
        const bool is_inside = root_ != folder_;
        OrderedJson changed = OrderedJson::array();
        for (std::size_t i = 0; i < modules.size(); ++i) {
            const std::string name = module_path(modules.at(i).at("path"));
            changed.push_back(OrderedJson(modules.at(i).raw()));
            const std::filesystem::path module = root_ / path_from_utf8(name);
            if (is_inside && module == folder_) {
                changed.back()["path"] = "";
            } else if (std::error_code error;
                       !name.empty() && std::filesystem::is_directory(module, error)) {
                take_folder(name, module);
            }
        }
        files_.push_back({"modules.json", path,
                          is_inside ? std::optional(changed.dump(2) + '\n') : std::nullopt});
    }
    void take_folder(const std::string& name, const std::filesystem::path& module) {
        std::error_code error;
        for (std::filesystem::directory_iterator entry(module, error), end; !error && entry != end;
             entry.increment(error)) {
            take_of_root(name + '/' + path_to_utf8(entry->path().filename()));
        }
        if (error) throw IoError({path_to_utf8(module), "", "a readable folder", error.message()});
    }

    bool take_of_root(const std::string& name) {
        std::filesystem::path path = root_ / path_from_utf8(name);
        if (!detail::is_regular_file(path)) return false;
        files_.push_back({name, std::move(path), std::nullopt});
        return true;
    }
    bool take(const std::string& name) {
        if (!detail::is_regular_file(folder_ / name)) return false;
        files_.push_back({name, folder_ / name, std::nullopt});
        return true;
    }
    /// The object in `name`, an empty one if there is no such file, with `changes`.
    void take(const std::string& name, const OrderedJson& changes) {
        if (changes.empty()) {
            take(name);
            return;
        }
        OrderedJson json = OrderedJson::object();
        if (detail::is_regular_file(folder_ / name))
            json = OrderedJson(read_python_json(folder_ / name, max_bytes).value);
        json.update(changes);
        files_.push_back({name, folder_ / name, json.dump(2) + '\n'});
    }

    static constexpr std::uint64_t max_bytes = SpecialNames::max_bytes;

    std::filesystem::path folder_, root_;
    std::optional<Index> max_positions_;
    std::vector<File> files_;
};

}  // namespace nystromformer::inline v0_2::detail
