// SPDX-License-Identifier: MIT
// The Nystromformer that equals a BERT: its config (exact attention, a convolution of zeros, two
// rows before the positions), its head and its weights.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/config.hpp>
#include <nystromformer/conversion/bert_mover.hpp>
#include <nystromformer/conversion/bert_tensors.hpp>
#include <nystromformer/core/error_text.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/classification.hpp>
#include <nystromformer/model/family.hpp>
#include <nystromformer/model/head_kind.hpp>
#include <nystromformer/options.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace nystromformer::inline v0_2::detail {

/// What a BERT folder becomes.
struct BertConversion {
    NystromformerConfig source;
    std::string architecture;  ///< of the source; that of the encoder if it names none
    HeadKind head = HeadKind::none;
    NystromformerConfig config;
    MovedTensors tensors;

    /// Opens the folder and checks everything that will be written. The errors of
    /// NystromformerConfig::from_pretrained and Checkpoint::open, UnsupportedError for what no
    /// Nystromformer equals, TensorError for weights that do not fit the config, and InputError for
    /// `max_positions` below those of the source.
    static BertConversion load(const std::filesystem::path& folder,
                               const ConversionOptions& options = {});
};

/// The config of a Nystromformer that equals a BERT, as far as its encoder goes.
inline NystromformerConfig equal_config(const NystromformerConfig& source,
                                        const std::string& file) {
    if (source.embedding_width() != source.hidden_size) {
        throw UnsupportedError(
            {file, "/embedding_size",
             "hidden_size " + std::to_string(source.hidden_size) +
                 " (a Nystromformer does not project its embeddings; this folder "
                 "runs without a conversion)",
             std::to_string(source.embedding_width())});
    }
    NystromformerConfig config = source;
    const Family& family = families.front();
    config.model_type = family.model_type;
    config.embedding_size.reset();
    config.max_position_embeddings = source.max_length();
    config.type_vocab_size = std::max<Index>(source.type_vocab_size, 1);
    if (source.type_vocab_size == 0) config.type_vocab_size = 2;
    config.padding_idx = source.uncounted_id();
    if (config.padding_idx == Index{-1}) config.padding_idx.reset();  // no token has that id
    // Exact attention: both numbers are the same. transformers 5 refuses a conv_kernel_size of
    // null, so the convolution is the smallest one, and its weights are zero.
    config.num_landmarks = config.segment_means_seq_len = 64;
    config.conv_kernel_size = 1;
    return config;
}

/// The head that the folder is to keep: the class that config.json names, if the tensors are there,
/// else the head whose tensors are there. UnsupportedError for a named head that does not run here.
inline HeadKind head_to_keep(const FolderHeads& heads, const std::string& architecture,
                             const std::string& file) {
    for (const HeadWords& words : head_words) {
        const bool is_named =
            architecture.ends_with(words.suffix) ||
            (words.kind == HeadKind::masked_lm && architecture.ends_with("ForPreTraining"));
        if (!is_named) continue;
        if (heads.kinds().empty()) heads.require(words.kind);
        return heads.has(words.kind) ? words.kind : heads.kinds().front();
    }
    if (!heads.kinds().empty()) return heads.kinds().front();
    std::string known;
    for (const HeadWords& words : head_words)
        known.append(known.empty() ? "" : ", ").append("..." + std::string(words.suffix));
    throw UnsupportedError({file, "/architectures/0",
                            "one of " + known + "; or convert the encoder only",
                            in_quotes(architecture)});
}

/// True if Nystromformer's head of that kind applies what the source's applies.
inline bool has_equal_head(HeadKind head, const NystromformerConfig& source,
                           const NystromformerConfig& config) {
    const auto is_equal = [&](HeadActivation Family::*which) {
        return head_activation(which, source) == head_activation(which, config);
    };
    switch (head) {
        case HeadKind::masked_lm:
            return is_equal(&Family::masked_lm);
        case HeadKind::sequence_classification:
            return is_equal(&Family::sequence_classification);
        case HeadKind::multiple_choice:
            return is_equal(&Family::multiple_choice);
        default:
            return true;
    }
}

/// The max_position_embeddings that the options ask for.
inline Index wanted_positions(Index at_first, const ConversionOptions& options,
                              const std::filesystem::path& folder) {
    constexpr Index max = Index{1} << 24;
    if (options.max_positions == 0) return at_first;
    if (options.max_positions >= at_first && options.max_positions <= max)
        return options.max_positions;
    throw InputError({"", "max_positions",
                      "from the " + std::to_string(at_first) + " of " + path_to_utf8(folder) +
                          " to " + std::to_string(max),
                      std::to_string(options.max_positions)});
}

inline BertConversion BertConversion::load(const std::filesystem::path& folder,
                                           const ConversionOptions& options) {
    const std::string file = path_to_utf8(folder / "config.json");
    NystromformerConfig source = NystromformerConfig::from_pretrained(folder);
    const Family& family = family_of(source.model_type);
    if (family.positions == PositionRule::after_two)
        throw UnsupportedError({file, "/model_type", "a BERT to convert: " + bert_names(),
                                in_quotes(source.model_type)});
    NystromformerConfig config = equal_config(source, file);
    config.max_position_embeddings =
        wanted_positions(config.max_position_embeddings, options, folder);
    const Checkpoint checkpoint = Checkpoint::open(folder);
    std::string architecture = source.architectures.empty()
                                   ? std::string(family.class_prefix) + "Model"
                                   : source.architectures.front();
    const FolderHeads heads(source, checkpoint);
    const HeadKind head = options.encoder_only           ? HeadKind::none
                          : source.architectures.empty() ? heads.first()
                                                         : head_to_keep(heads, architecture, file);
    config.architectures = {"Nystromformer" + std::string(words_of(head).suffix)};
    if (!has_equal_head(head, source, config)) config.head_model_type = source.model_type;
    if (config.head_model_type && !has_equal_head(head, source, config)) {
        throw UnsupportedError({file, "/summary_activation",
                                "\"gelu\" (this folder runs without a conversion)",
                                in_quotes(source.summary_activation)});
    }
    BertConversion result{std::move(source), std::move(architecture), head, std::move(config),
                          MovedTensors(checkpoint)};
    BertMover(result.source, result.config, head, checkpoint, result.tensors).move();
    return result;
}

}  // namespace nystromformer::inline v0_2::detail
