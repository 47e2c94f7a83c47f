// SPDX-License-Identifier: MIT
// A folder of sentence-transformers, loaded: encoder, tokenizer, pooling and what comes after it.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/checkpoint/fingerprint.hpp>
#include <nystromformer/checkpoint/folder_contents.hpp>
#include <nystromformer/core/load_options.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/pipelines/batches.hpp>
#include <nystromformer/pipelines/sentence/dense.hpp>
#include <nystromformer/pipelines/sentence/pooling.hpp>
#include <nystromformer/pipelines/sentence/sentence_config.hpp>
#include <nystromformer/threads.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace nystromformer::inline v0_2::detail {

using ModuleAfterPooling = std::variant<Dense, SentenceLayerNorm, Normalize>;

/// Source: sentence_transformers/base/model.py, _load_config_modules and _load_default_modules
struct SentenceModules {
    NystromformerModel<float> model;
    Tokenizer tokenizer;
    Pooling pooling;
    std::vector<ModuleAfterPooling> others;  // in order
    SentenceDefaults defaults;
    Index max_seq_length;           // special tokens included
    bool has_file = false;          // modules.json; without it the mean of all tokens
    std::uint64_t fingerprint = 0;  // of Embeddings

    /// An encoder whose embeddings are the mean of all tokens.
    static SentenceModules of(const NystromformerModel<float>& model, const Tokenizer& tokenizer) {
        SentenceModules result{model, tokenizer, {},
                               {},    {},        longest_input(tokenizer, model.config())};
        result.pooling.embedding_dimension = model.config().hidden_size;
        result.fingerprint = result.fingerprint_of({}, {});
        return result;
    }

    /// Throws what NystromformerModel, Tokenizer, SentenceModule and its kin throw.
    static SentenceModules load(const std::filesystem::path& root, LoadOptions options) {
        options.threads = threads_of(options);
        options.num_threads = 0;
        const std::vector<SentenceModule> list =
            SentenceModule::load_all(root, file_options(options));
        const std::filesystem::path& folder = list.empty() ? root : list.front().folder;
        const auto limits =
            list.empty() ? SentenceLimits{} : SentenceLimits::load(folder, file_options(options));
        // Before the braces: if an initializer throws, GCC 12 destroys a {} before it twice.
        auto defaults =
            list.empty() ? SentenceDefaults{} : SentenceDefaults::load(root, file_options(options));
        const auto model_config =
            NystromformerConfig::from_pretrained(folder, file_options(options));
        const Checkpoint checkpoint = Checkpoint::open(folder, file_options(options));
        auto model = NystromformerModel<float>::from_checkpoint(model_config, checkpoint, options);
        auto tokenizer =
            Tokenizer::from_pretrained(folder, limits.do_lower_case, file_options(options));
        SentenceModules result{
            std::move(model), std::move(tokenizer), {}, {}, std::move(defaults), 0, !list.empty()};
        const NystromformerConfig& config = result.model.config();
        result.pooling.embedding_dimension = config.hidden_size;
        result.max_seq_length =
            std::min(config.max_length(),
                     limits.max_seq_length.value_or(longest_input(result.tokenizer, config)));
        for (std::size_t i = 1; i < list.size(); ++i) result.add(list[i], options);
        result.fingerprint = result.fingerprint_of(list, file_options(options));
        return result;
    }

    /// Columns of what after_pooling gives.
    Index out_features() const {
        Index features = pooling.out_features();
        for (const auto& module : others)
            if (const auto* dense = std::get_if<Dense>(&module)) features = dense->out_features();
        return features;
    }

    /// (texts, pooling.out_features()) to (texts, out_features())
    Matrix<float> after_pooling(Matrix<float> x) const {
        for (const auto& module : others) {
            x = std::visit([&](const auto& one) { return one(std::move(x), model.threads()); },
                           module);
        }
        return x;
    }

private:
    std::uint64_t fingerprint_of(const std::vector<SentenceModule>& list,
                                 const FileOptions& files) const {
        Fingerprint result(model.fingerprint());
        for (const PoolingMode mode : pooling.pooling_mode) result.add(name_of(mode));
        for (std::size_t i = 1; i < list.size(); ++i) {
            result.add(list[i].type);
            if (has_weights(list[i].folder, files))
                result.add(Checkpoint::open(list[i].folder, files));
        }
        return result.value();
    }

    void add(const SentenceModule& module, const LoadOptions& options) {
        const auto path = module.folder / "config.json";
        const FileOptions files = file_options(options);
        if (module.type == "Pooling") {
            pooling =
                Pooling::load(SentenceFile::load(path, files).view(), model.config().hidden_size);
        } else if (module.type == "Dense") {
            others.emplace_back(Dense::load(SentenceFile::load(path, files).view(), module.folder,
                                            out_features(), options));
        } else if (module.type == "LayerNorm") {
            others.emplace_back(SentenceLayerNorm::load(SentenceFile::load(path, files).view(),
                                                        module.folder, out_features(), options));
        } else if (module.type == "Normalize") {
            // Many folders have lost the empty folder of this module.
            check_module_names(SentenceFile::load_if_there(path, files).view());
            others.emplace_back(Normalize{});
        }  // Dropout does nothing outside training.
    }
};

}  // namespace nystromformer::inline v0_2::detail
