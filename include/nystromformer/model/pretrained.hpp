// SPDX-License-Identifier: MIT
// What every model class shares: from_pretrained, save_pretrained, the thread pool and the report
// of unused tensors.
#pragma once

#include <nystromformer/checkpoint/checkpoint.hpp>
#include <nystromformer/model/config.hpp>
#include <nystromformer/model/state_dict.hpp>
#include <nystromformer/model/state_writer.hpp>
#include <nystromformer/options.hpp>
#include <nystromformer/threads.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace nystromformer {

/// The base of the model classes. `Model` has `load(StateDict, config)` and `save(StateWriter)`.
/// Everything is const after loading and safe to call from several threads.
template <typename Model>
class PreTrainedModel {
public:
    /// Loads a Hugging Face folder: config.json and, the first of these that is there,
    /// model.safetensors, model.safetensors.index.json, pytorch_model.bin,
    /// pytorch_model.bin.index.json. Errors: IoError, FormatError, UnsafePathError, ConfigError,
    /// TensorError, UnsupportedError, InputError.
    static Model from_pretrained(const std::filesystem::path& folder,
                                 const LoadOptions& options = {}) {
        const auto config = NystromformerConfig::from_pretrained(folder, options.files);
        return from_checkpoint(config, Checkpoint::open(folder, options.files), options);
    }

    /// Loads from a checkpoint that is open already.
    static Model from_checkpoint(const NystromformerConfig& config, const Checkpoint& checkpoint,
                                 const LoadOptions& options = {}) {
        const auto threads =
            options.threads ? options.threads : std::make_shared<ThreadPool>(options.num_threads);
        const StateDict state(
            checkpoint, "", {options.precision, options.keep_fp32, threads, options.check_finite});
        Model model = Model::load(state, config);
        model.config_ = config;
        model.threads_ = threads;
        model.precision_ = options.precision;
        model.unused_tensors_ = state.unused();
        if (const auto name = state.unmatched_name()) {
            throw InputError(
                {"", "keep_fp32", "parts of the paths of linear layers", detail::in_quotes(*name)});
        }
        if (options.strict && !model.unused_tensors_.empty()) {
            throw TensorError({checkpoint.source().string(),
                               detail::printable(model.unused_tensors_.front()),
                               "only tensors of the model",
                               "a tensor that it has no use for (" +
                                   std::to_string(model.unused_tensors_.size()) + " in all)"});
        }
        return model;
    }

    /// Writes config.json and model.safetensors, which this library and transformers read.
    /// UnsupportedError for a model in bf16 or int8: what was in its files is lost.
    void save_pretrained(const std::filesystem::path& folder) const {
        std::error_code error;
        std::filesystem::create_directories(folder, error);
        if (error) throw IoError({folder.string(), "", "a folder to write to", error.message()});
        StateWriter writer;
        static_cast<const Model&>(*this).save(writer);
        writer.write(folder / "model.safetensors");
        NystromformerConfig config = config_;
        config.architectures = {Model::architecture};
        detail::write_file(folder / "config.json", config.to_json());
    }

    const NystromformerConfig& config() const { return config_; }
    ThreadPool& threads() const { return *threads_; }
    /// LoadOptions::precision.
    Precision precision() const { return precision_; }
    /// Names in the files that this class has no use for (another head's weights, say).
    const std::vector<std::string>& unused_tensors() const { return unused_tensors_; }

protected:
    PreTrainedModel() = default;

private:
    NystromformerConfig config_;
    std::shared_ptr<ThreadPool> threads_;
    Precision precision_ = Precision::fp32;
    std::vector<std::string> unused_tensors_;
};

namespace detail {

/// The scope of the encoder: head models have it under "nystromformer.", bare ones at the top.
inline StateDict encoder_scope(const StateDict& state) {
    const StateDict scoped = state["nystromformer"];
    return scoped.has("embeddings.position_embeddings.weight") ? scoped : state;
}

/// The scope that holds the word embeddings' weight: some writers keep only the tied decoder's name
/// for it.
inline StateDict word_scope(const StateDict& state) {
    const StateDict words = encoder_scope(state)["embeddings"]["word_embeddings"];
    const StateDict decoder = state["cls"]["predictions"]["decoder"];
    return !words.has("weight") && decoder.has("weight") ? decoder : words;
}

}  // namespace detail
}  // namespace nystromformer
