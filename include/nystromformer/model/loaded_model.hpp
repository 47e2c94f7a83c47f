// SPDX-License-Identifier: MIT
// LoadedModel: the immutable body of a model class, that is the shared encoder, its head, and what
// was noted while it was loaded.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/checkpoint/fingerprint.hpp>
#include <nystromformer/config.hpp>
#include <nystromformer/core/load_options.hpp>
#include <nystromformer/core/notice.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/forward_options.hpp>
#include <nystromformer/model/family.hpp>
#include <nystromformer/model/head_kind.hpp>
#include <nystromformer/model/model_body.hpp>
#include <nystromformer/model/tensor_names.hpp>
#include <nystromformer/model/weight_loader.hpp>
#include <nystromformer/model_input.hpp>
#include <nystromformer/model_output.hpp>
#include <nystromformer/options.hpp>
#include <nystromformer/state_dict.hpp>
#include <nystromformer/threads.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// The head of the bare encoder. A head has these members:
///   kind           which it is
///   word_layout    how it needs the word embeddings
///   load, save     its own weights; `root` is the top of the checkpoint
///   operator()     last_hidden_state, or its rows that the head reads, to logits
template <typename Scalar>
struct NoHead {
    static constexpr WordLayout word_layout = WordLayout::rows;
    static constexpr HeadKind kind = HeadKind::none;

    static NoHead load(const WeightLoader&, const NystromformerConfig&,
                       const NystromformerBody<Scalar>&) {
        return {};
    }
    void save(const StateWriter&, const NystromformerBody<Scalar>&) const {}
};

template <typename Scalar, typename Head>
struct LoadedModel {
    std::shared_ptr<const NystromformerBody<Scalar>> nystromformer;
    Head head;
    NystromformerConfig config;
    std::shared_ptr<ThreadPool> threads;
    Precision precision;
    std::vector<std::string> unused_tensors;
    std::uint64_t fingerprint;  // of the checkpoint

    static LoadedModel load(const NystromformerConfig& config, const Checkpoint& checkpoint,
                            const LoadOptions& options) {
        const auto threads = threads_of(options);
        FolderHeads(config, checkpoint).require(Head::kind);
        const WeightLoader root(checkpoint, options, threads, config);
        const auto body = std::make_shared<const NystromformerBody<Scalar>>(
            NystromformerBody<Scalar>::load(root, config, Head::word_layout));
        auto head = Head::load(root.in_fp32(), config, *body);
        if (const auto name = root.unmatched_name()) {
            throw InputError(
                {"", "keep_fp32", "parts of the paths of linear layers", in_quotes(*name)});
        }
        const std::vector<std::string> unused = unused_of(root, checkpoint, options);
        if (options.strict && !unused.empty()) {
            throw TensorError(
                {path_to_utf8(checkpoint.source()), printable(unused.front()),
                 "only tensors of the model",
                 "a tensor that it has no use for (" + std::to_string(unused.size()) + " in all)"});
        }
        return {body,
                std::move(head),
                config,
                threads,
                resolved<Scalar>(options.precision),
                unused,
                Fingerprint::of(checkpoint)};
    }

    /// The tensors that were not used. Those that no class of the family uses give a notice.
    static std::vector<std::string> unused_of(const WeightLoader& root,
                                              const Checkpoint& checkpoint,
                                              const LoadOptions& options) {
        const std::vector<std::string> names = root.unused();
        std::vector<std::string> strange;
        std::copy_if(names.begin(), names.end(), std::back_inserter(strange),
                     [](const std::string& name) { return !is_known_part(name); });
        if (!strange.empty()) {
            give_notice(file_options(options), path_to_utf8(checkpoint.source()),
                        "tensor " + in_quotes(strange.front()),
                        "not used by this model, " + std::to_string(strange.size()) + " in all");
        }
        return names;
    }

    void save(const StateWriter& root) const {
        const bool is_bare = Head::kind == HeadKind::none;
        const TensorNames names(config,
                                is_bare ? "" : std::string(family_of(config.model_type).scope));
        const StateWriter own = root.renamed(names);
        nystromformer->save(own["nystromformer"]);
        head.save(own, *nystromformer);
    }

    void encode(const ModelInput<Scalar>& input, const ForwardOptions& options,
                std::span<const Index> wanted, BaseModelOutput<Scalar>& output) const {
        (*nystromformer)(input, options, config, *threads, wanted, output);
    }
    /// The encoder's output, of the `wanted` rows alone if there are any.
    BaseModelOutput<Scalar> encode(const ModelInput<Scalar>& input, const ForwardOptions& options,
                                   std::span<const Index> wanted = {}) const {
        BaseModelOutput<Scalar> output;
        encode(input, options, wanted, output);
        return output;
    }
    /// The head's logits.
    Matrix<Scalar> logits(const BaseModelOutput<Scalar>& output) const {
        return head(output.last_hidden_state, *threads);
    }
};

}  // namespace nystromformer::inline v0_2::detail
