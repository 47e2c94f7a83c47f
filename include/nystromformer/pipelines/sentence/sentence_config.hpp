// SPDX-License-Identifier: MIT
// The JSON files of a sentence-transformers folder: which modules it has, how long a text may be,
// prompts, similarity.
#pragma once

#include <nystromformer/core/file.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/core/notice.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/core/python_json.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/pipelines/sentence/pooling.hpp>
#include <nystromformer/pipelines/sentence/similarity_names.hpp>
#include <nystromformer/semantic_search.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

inline constexpr std::uint64_t longest_sentence_json = std::uint64_t{1} << 20;

/// A JSON object, with the file that it was read from.
struct SentenceFile {
    JsonTree json = Json::object();
    std::string file;

    /// IoError if there is no such file; ConfigError for one that holds no object.
    static SentenceFile load(const std::filesystem::path& path, const FileOptions& files = {}) {
        SentenceFile result{read_python_json(path, longest_sentence_json, files),
                            path_to_utf8(path)};
        result.view().object();
        return result;
    }
    /// The same, or an empty object if there is no such file.
    static SentenceFile load_if_there(const std::filesystem::path& path,
                                      const FileOptions& files = {}) {
        return detail::is_regular_file(path, files)
                   ? load(path, files)
                   : SentenceFile{Json::object(), path_to_utf8(path)};
    }
    SentenceJson view() const { return {json, file}; }
};

/// One entry of modules.json.
struct SentenceModule {
    std::string type;              // the class's name alone: "Pooling"
    std::filesystem::path folder;  // where its files are

    /// The modules that modules.json of `root` lists, in order. Empty if there is no
    /// modules.json. Throws IoError, FormatError, ConfigError, UnsafePathError for a path that
    /// leads out of the folder, UnsupportedError for classes that are not of sentence-transformers,
    /// or that this library does not know.
    static std::vector<SentenceModule> load_list(const std::filesystem::path& root,
                                                 const FileOptions& files = {}) {
        const auto path = root / "modules.json";
        if (!detail::is_regular_file(path, files)) return {};
        const JsonTree json = read_python_json(path, longest_sentence_json, files);
        const std::string name = path_to_utf8(path);
        const SentenceJson list(json, name);
        if (list.array().size() == 0)
            throw UnsupportedError({name, "/0", "a Transformer", "nothing"});
        if (list.size() > max_modules) {  // each may be the same folder, and takes its weights
            list.fail("at most " + std::to_string(max_modules) + " modules");
        }
        std::vector<SentenceModule> modules;
        for (std::size_t i = 0; i < list.size(); ++i) {
            modules.push_back(load(list.at(i).object(), root));
            auto folder = modules.back().folder;
            for (; folder.native().size() > root.native().size(); folder = folder.parent_path())
                check_link(folder, files);
        }
        return modules;
    }
    /// The same, of a folder that embeds: a Transformer, a Pooling, and what comes after it.
    /// UnsupportedError for any others. Empty, with a notice, for the modules of a cross-encoder or
    /// of sparse vectors: sentence-transformers takes only the encoder of such a folder.
    /// Source: sentence_transformers/base/model.py, _load_modules
    static std::vector<SentenceModule> load_all(const std::filesystem::path& root,
                                                const FileOptions& files = {}) {
        if (is_of_another_class(root, files)) return {};
        std::vector<SentenceModule> modules = load_list(root, files);
        if (modules.empty()) return modules;
        for (std::size_t i = 0; i < std::max<std::size_t>(2, modules.size()); ++i) {
            constexpr std::array<const char*, 2> first{"Transformer", "Pooling"};
            const std::string found = i < modules.size() ? modules[i].type : "";
            if (i < 2 ? found == first[i] : found != first[0] && found != first[1]) continue;
            const std::string wanted =
                i < 2 ? std::string("a ") + first[i] : "Dense, LayerNorm, Normalize or Dropout";
            throw UnsupportedError({path_to_utf8(root / "modules.json"), "/" + std::to_string(i),
                                    wanted, found.empty() ? "nothing" : "a " + found});
        }
        return modules;
    }

private:
    static constexpr std::size_t max_modules = 64;

    static bool is_of_another_class(const std::filesystem::path& root, const FileOptions& files) {
        if (!detail::is_regular_file(root / "modules.json", files)) return false;
        const auto file =
            SentenceFile::load_if_there(root / "config_sentence_transformers.json", files);
        const SentenceJson json = file.view();
        if (!json.holds("model_type")) return false;
        const auto type = json.at("model_type");
        if (type.string() == "SentenceTransformer") return false;
        give_notice(files, type.file(), type.path(),
                    in_quotes(type.string()) +
                        " is no SentenceTransformer: its modules and prompts are not used, and an "
                        "embedding is the mean of all tokens");
        return true;
    }

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
        return {std::string(name), folder_of(path, root)};
    }

    /// The folder of a relative path: "", "1_Pooling/", "./1_Pooling" or "parts/1_Pooling".
    static std::filesystem::path folder_of(const SentenceJson& path,
                                           const std::filesystem::path& root) {
        const std::string& text = path.string();
        const bool is_plain =
            text.find_first_of(std::string_view("\\:\0", 3)) == text.npos && !text.starts_with('/');
        std::filesystem::path folder = root;
        std::istringstream parts(text);
        for (std::string part; std::getline(parts, part, '/');) {
            if (!is_plain || part == "..") {
                throw UnsafePathError(
                    {path.file(), path.path(), "a path within the folder", in_quotes(text)});
            }
            if (!part.empty() && part != ".") folder /= path_from_utf8(part);
        }
        return folder;
    }
};

/// What a Transformer is for, and the name of what it gives.
struct SentenceTask {
    std::string_view transformer_task = "feature-extraction";
    std::string_view module_output_name = "token_embeddings";
};

/// What sentence_bert_config.json, in the folder of the Transformer, says of texts.
struct SentenceLimits {
    std::optional<Index> max_seq_length;  // special tokens included
    bool do_lower_case = false;

    /// Throws ConfigError, and UnsupportedError for another task, or arguments that would change
    /// answers.
    static SentenceLimits load(const std::filesystem::path& folder, const FileOptions& files,
                               const SentenceTask& task = {}) {
        constexpr std::array<const char*, 7> names{
            "sentence_bert_config.json",       "sentence_roberta_config.json",
            "sentence_distilbert_config.json", "sentence_camembert_config.json",
            "sentence_albert_config.json",     "sentence_xlm-roberta_config.json",
            "sentence_xlnet_config.json"};
        const auto found = std::find_if(names.begin(), names.end(), [&](const char* name) {
            return detail::is_regular_file(folder / name, files);
        });
        SentenceLimits limits;
        if (found == names.end()) return limits;
        const SentenceFile file = SentenceFile::load(folder / *found, files);
        const SentenceJson json = file.view();
        if (json.holds("max_seq_length"))
            limits.max_seq_length = json.at("max_seq_length").integer(1, Index{1} << 40);
        if (json.holds("do_lower_case")) limits.do_lower_case = json.at("do_lower_case").boolean();
        require(json, "transformer_task", task.transformer_task);
        require(json, "module_output_name", task.module_output_name);
        for (const char* key : {"processing_kwargs", "query_expansion"}) {
            if (!json.holds(key) || (json.at(key).is_object() && json.at(key).size() == 0))
                continue;
            throw UnsupportedError({json.file(), json.at(key).path(), "nothing", "arguments"});
        }
        limits.read_arguments(json);
        return limits;
    }

private:
    /// Arguments of the tokenizer and the config, by their names of two versions. Those that say
    /// where files come from change nothing here; others would change answers.
    void read_arguments(const SentenceJson& json) {
        constexpr std::array<std::string_view, 9> harmless{
            "use_fast",  "trust_remote_code", "revision",      "token",       "cache_dir",
            "subfolder", "local_files_only",  "code_revision", "padding_side"};
        for (const char* key :
             {"tokenizer_args", "processor_kwargs", "config_args", "config_kwargs"}) {
            if (!json.holds(key)) continue;
            const bool of_tokenizer = key[0] == 't' || key[0] == 'p';
            for (const auto& item : json.at(key).object().raw().items()) {
                const std::string& name = item.key();
                const auto argument = json.at(key).at(name.c_str());
                if (of_tokenizer && name == "model_max_length") {
                    max_seq_length = argument.integer(1, Index{1} << 40);
                } else if (std::find(harmless.begin(), harmless.end(), name) == harmless.end()) {
                    throw UnsupportedError(
                        {json.file(), argument.path(), "no argument that changes answers", "one"});
                }
            }
        }
    }
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

    /// Throws ConfigError.
    static SentenceDefaults load(const std::filesystem::path& root, const FileOptions& files) {
        const auto file =
            SentenceFile::load_if_there(root / "config_sentence_transformers.json", files);
        const SentenceJson json = file.view();
        SentenceDefaults result;
        if (json.holds("prompts")) {
            for (auto& [key, prompt] : prompts_of(json.at("prompts")))
                result.prompts[key] = std::move(prompt);
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
            const auto similarity = similarity_names.find(name.string());
            if (!similarity) {  // sentence-transformers keeps its default, too
                give_notice(files, name.file(), name.path(),
                            in_quotes(name.string()) + " is no similarity of two vectors (" +
                                similarity_names.list() + "); cosine is used");
            }
            result.similarity = similarity.value_or(Similarity::cosine);
        }
        return result;
    }

    /// Names and texts of prompts; null is an empty one.
    static std::map<std::string, std::string> prompts_of(const SentenceJson& json) {
        std::map<std::string, std::string> prompts;
        for (const auto& [key, value] : json.object().raw().items())
            prompts[key] = value.is_null() ? "" : json.at(key).string();
        return prompts;
    }
};

/// The prompt of a name, or none; InputError for a name that the folder does not have.
inline std::string prompt_named(const std::map<std::string, std::string>& prompts,
                                const std::optional<std::string>& name) {
    if (!name) return "";
    if (const auto found = prompts.find(*name); found != prompts.end()) return found->second;
    std::string names;
    for (const auto& [known, prompt] : prompts)
        names += (names.empty() ? "" : ", ") + in_quotes(known);
    throw InputError({"", "prompt_name",
                      names.empty() ? "no name: the folder has none" : "one of " + names,
                      in_quotes(*name)});
}

}  // namespace nystromformer::inline v0_2::detail
