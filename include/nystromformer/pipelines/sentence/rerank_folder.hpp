// SPDX-License-Identifier: MIT
// What the files of a cross-encoder say besides the model: activation, prompts, the longest pair.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/core/notice.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/pipelines/sentence/dense_activation.hpp>
#include <nystromformer/pipelines/sentence/sentence_config.hpp>

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Source: sentence_transformers/cross_encoder/model.py, get_default_activation_fn
struct RerankFolder {
    std::filesystem::path model;  // where the model and the tokenizer are
    SentenceLimits limits;
    const DenseFunction* activation = nullptr;  // null: by the number of labels
    std::map<std::string, std::string> prompts = {};
    std::optional<std::string> default_prompt_name = {};

    /// Throws what SentenceModule::load_all and its kin throw.
    static RerankFolder load(const std::filesystem::path& root, const FileOptions& files) {
        RerankFolder folder{root, {}};
        const auto modules = SentenceModule::load_list(root, files);
        if (!modules.empty()) folder.read_modules(root, modules, files);
        if (folder.activation == nullptr) folder.read_config(files);
        return folder;
    }

private:
    static constexpr SentenceTask scores_task{"sequence-classification", "scores"};

    /// Of a folder that sentence-transformers 6 wrote.
    void read_modules(const std::filesystem::path& root, const std::vector<SentenceModule>& modules,
                      const FileOptions& files) {
        if (modules.size() != 1 || modules[0].type != "Transformer") {
            const std::size_t bad = modules[0].type == "Transformer" ? 1 : 0;
            throw UnsupportedError({path_to_utf8(root / "modules.json"), "/" + std::to_string(bad),
                                    "a cross-encoder of one Transformer (embed and search take "
                                    "folders with a Pooling)",
                                    "a " + modules[bad].type});
        }
        model = modules[0].folder;
        limits = SentenceLimits::load(model, files, scores_task);
        const auto file =
            SentenceFile::load_if_there(root / "config_sentence_transformers.json", files);
        const SentenceJson json = file.view();
        if (json.holds("prompts")) prompts = SentenceDefaults::prompts_of(json.at("prompts"));
        if (json.holds("default_prompt_name"))
            default_prompt_name = json.at("default_prompt_name").string();
        read_activation(json, "activation_fn", files);
    }

    /// Of the model's own config.json, where versions before 6 wrote it.
    void read_config(const FileOptions& files) {
        const auto file = SentenceFile::load(model / "config.json", files);
        const SentenceJson json = file.view();
        if (json.holds("sentence_transformers") &&
            json.at("sentence_transformers").has("activation_fn")) {
            read_activation(json.at("sentence_transformers"), "activation_fn", files);
        } else {
            read_activation(json, "sbert_ce_default_activation_function", files);
        }
    }

    /// A class of another package would be code of the folder's own: as there, the default takes
    /// its place.
    void read_activation(const SentenceJson& json, const char* key, const FileOptions& files) {
        if (!json.holds(key)) return;
        const auto path = json.at(key);
        if (path.string().starts_with("torch.")) {
            activation = &dense_function(path);
            if (activation->name == "PReLU" || activation->name == "GLU")
                path.fail("a function of one score, without weights");
            return;
        }
        give_notice(files, path.file(), path.path(),
                    in_quotes(path.string()) +
                        " is no class of torch: scores are what the number of labels says");
    }
};

}  // namespace nystromformer::inline v0_2::detail
