// SPDX-License-Identifier: MIT
// The JSON files of a sentence-transformers folder: which modules it has, how long a text may be,
// prompts, similarity.
#pragma once

#include <nystromformer/core/file.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/core/python_json.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/pipelines/sentence/pooling.hpp>
#include <nystromformer/semantic_search.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::detail {

inline constexpr std::uint64_t longest_sentence_json = std::uint64_t{1} << 20;

/// A JSON object, with the file that it was read from.
struct SentenceFile {
    JsonTree json = Json::object();
    std::string file;

    /// IoError where there is no such file; ConfigError for one that holds no object.
    static SentenceFile load(const std::filesystem::path& path, const FileOptions& files = {}) {
        SentenceFile result{read_python_json(path, longest_sentence_json, files), path.string()};
        result.view().object();
        return result;
    }
    /// The same, or an empty object where there is no such file.
    static SentenceFile load_if_there(const std::filesystem::path& path,
                                      const FileOptions& files = {}) {
        return detail::is_regular_file(path) ? load(path, files)
                                             : SentenceFile{Json::object(), path.string()};
    }
    SentenceJson view() const { return {json, file}; }
};

/// One entry of modules.json.
struct SentenceModule {
    std::string type;              // the class's name alone: "Pooling"
    std::filesystem::path folder;  // where its files are

    /// The modules that modules.json of `root` lists, in order: a Transformer, a Pooling, and what
    /// comes after it. Empty where there is no modules.json. Throws IoError, FormatError,
    /// ConfigError, UnsafePathError for a path that leads out of the folder, UnsupportedError for
    /// classes that are not of sentence-transformers, or that this library does not know.
    static std::vector<SentenceModule> load_all(const std::filesystem::path& root,
                                                const FileOptions& files = {}) {
        const auto path = root / "modules.json";
        if (!detail::is_regular_file(path)) return {};
        const JsonTree json = read_python_json(path, longest_sentence_json, files);
        const std::string name = path.string();
        const SentenceJson list(json, name);
        list.array();
        if (list.size() > max_modules) {  // each may be the same folder, and takes its weights
            list.fail("at most " + std::to_string(max_modules) + " modules");
        }
        std::vector<SentenceModule> modules;
        for (std::size_t i = 0; i < list.size(); ++i) {
            modules.push_back(load(list.at(i).object(), root));
            check_link(modules.back().folder,
                       modules.back().folder == root ? FileOptions{} : files);
        }
        for (std::size_t i = 0; i < std::max<std::size_t>(2, modules.size()); ++i) {
            constexpr std::array<const char*, 2> first{"Transformer", "Pooling"};
            const std::string found = i < modules.size() ? modules[i].type : "";
            if (i < 2 ? found == first[i] : found != first[0] && found != first[1]) continue;
            const std::string wanted =
                i < 2 ? std::string("a ") + first[i] : "Dense, LayerNorm, Normalize or Dropout";
            throw UnsupportedError({path.string(), "/" + std::to_string(i), wanted,
                                    found.empty() ? "nothing" : "a " + found});
        }
        return modules;
    }

private:
    static constexpr std::size_t max_modules = 64;

    static SentenceModule load(const SentenceJson& json, const std::filesystem::path& root) {
        constexpr std::array<std::string_view, 6> known{"Transformer", "Pooling",   "Dense",
                                                        "LayerNorm",   "Normalize", "Dropout"};
        const auto type = json.at("type"), path = json.at("path");
        const std::string_view full = type.string();
        const std::string_view name = full.substr(full.rfind('.') + 1);
        if (!full.starts_with("sentence_transformers.") ||
            std::find(known.begin(), known.end(), name) == known.end()) {
            throw UnsupportedError({type.file(), type.path(),
                                    "sentence_transformers' Transformer, Pooling, Dense, "
                                    "LayerNorm, Normalize or Dropout",
                                    in_quotes(full)});
        }
        const std::string& folder = path.string();
        const bool is_plain = folder.find_first_of(std::string_view("/\\:\0", 4)) == folder.npos &&
                              folder != "." && folder != "..";
        if (!is_plain) {
            throw UnsafePathError(
                {path.file(), path.path(), "a plain folder name", in_quotes(folder)});
        }
        return {std::string(name), folder.empty() ? root : root / folder};
    }
};

/// What sentence_bert_config.json, in the folder of the Transformer, says of texts.
struct SentenceLimits {
    std::optional<Index> max_seq_length;  // special tokens included
    bool do_lower_case = false;

    /// Throws ConfigError, and UnsupportedError for models of other things than texts' tokens.
    static SentenceLimits load(const std::filesystem::path& folder, const FileOptions& files) {
        constexpr std::array<const char*, 7> names{
            "sentence_bert_config.json",       "sentence_roberta_config.json",
            "sentence_distilbert_config.json", "sentence_camembert_config.json",
            "sentence_albert_config.json",     "sentence_xlm-roberta_config.json",
            "sentence_xlnet_config.json"};
        const auto found = std::find_if(names.begin(), names.end(), [&](const char* name) {
            return detail::is_regular_file(folder / name);
        });
        SentenceLimits limits;
        if (found == names.end()) return limits;
        const SentenceFile file = SentenceFile::load(folder / *found, files);
        const SentenceJson json = file.view();
        if (json.holds("max_seq_length"))
            limits.max_seq_length = json.at("max_seq_length").integer(1, Index{1} << 40);
        if (json.holds("do_lower_case")) limits.do_lower_case = json.at("do_lower_case").boolean();
        require(json, "transformer_task", "feature-extraction");
        require(json, "module_output_name", "token_embeddings");
        return limits;
    }

private:
    static void require(const SentenceJson& json, const char* key, std::string_view value) {
        if (!json.holds(key) || json.at(key).string() == value) return;
        throw UnsupportedError(
            {json.file(), json.at(key).path(), in_quotes(value), in_quotes(json.at(key).string())});
    }
};

/// What config_sentence_transformers.json says of a call.
struct SentenceDefaults {
    std::map<std::string, std::string> prompts{{"document", ""}, {"query", ""}};
    std::optional<std::string> default_prompt_name;
    std::optional<Index> truncate_dim;
    Similarity similarity = Similarity::cosine;

    /// Throws ConfigError; UnsupportedError for a similarity that is not known.
    static SentenceDefaults load(const std::filesystem::path& root, const FileOptions& files) {
        const auto file =
            SentenceFile::load_if_there(root / "config_sentence_transformers.json", files);
        const SentenceJson json = file.view();
        SentenceDefaults result;
        if (json.holds("prompts")) {
            const auto prompts = json.at("prompts").object();
            for (const auto& [key, value] : prompts.raw().items())
                result.prompts[key] = value.is_null() ? "" : prompts.at(key).string();
        }
        if (json.holds("default_prompt_name")) {
            const auto name = json.at("default_prompt_name");
            result.default_prompt_name = name.string();
            if (!result.prompts.contains(name.string())) name.fail("one of the names in /prompts");
        }
        if (json.holds("truncate_dim"))
            result.truncate_dim = json.at("truncate_dim").integer(1, Index{1} << 40);
        if (json.holds("similarity_fn_name")) {
            const auto name = json.at("similarity_fn_name");
            const auto similarity = similarity_named(name.string());
            if (!similarity) {
                throw UnsupportedError(
                    {name.file(), name.path(), similarity_names.list(), in_quotes(name.string())});
            }
            result.similarity = *similarity;
        }
        return result;
    }
};

}  // namespace nystromformer::detail
