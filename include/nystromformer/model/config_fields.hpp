// SPDX-License-Identifier: MIT
// The fields of a NystromformerConfig, in one list that is read and written.
#pragma once

#include <nystromformer/core/index.hpp>

namespace nystromformer::inline v0_2::detail {

inline constexpr Index max_size = (Index{1} << 31) - 1;  // of any one dimension
inline constexpr Index max_labels = 1 << 14;  // a config.json with their names stays readable

/// The values that a field may have, from `min` to `max`.
template <typename Number>
struct Range {
    Number min, max;
    bool is_for_training = false;  ///< NaN and infinity in a file then count as absent
};

/// Calls visit(key, field, range) for numbers and visit(key, field) for all others. `Config` is a
/// NystromformerConfig, const if the fields are only read.
template <typename Config, typename Visit>
void visit_fields(Config& config, const Visit& visit) {
    using Sizes = Range<Index>;
    using Reals = Range<double>;
    // Only the tokenizer's token ids are used; some published configs hold other numbers, even -1.
    constexpr Sizes sizes{1, max_size}, token_ids{-1, max_size};
    visit("architectures", config.architectures);
    visit("tie_word_embeddings", config.tie_word_embeddings);
    visit("vocab_size", config.vocab_size, sizes);
    visit("hidden_size", config.hidden_size, Sizes{1, 1 << 20});
    visit("num_hidden_layers", config.num_hidden_layers, Sizes{0, 1 << 16});
    visit("num_attention_heads", config.num_attention_heads, Sizes{1, 1 << 20});
    visit("intermediate_size", config.intermediate_size, Sizes{1, 1 << 24});
    visit("max_position_embeddings", config.max_position_embeddings, sizes);
    visit("type_vocab_size", config.type_vocab_size, sizes);
    visit("layer_norm_eps", config.layer_norm_eps, Reals{1e-30, 1});
    visit("hidden_act", config.hidden_act);
    visit("segment_means_seq_len", config.segment_means_seq_len, sizes);
    visit("num_landmarks", config.num_landmarks, sizes);
    visit("conv_kernel_size", config.conv_kernel_size, Sizes{1, 1 << 20});
    visit("inv_coeff_init_option", config.inv_coeff_init_option);
    visit("hidden_dropout_prob", config.hidden_dropout_prob, Reals{0, 1});
    visit("attention_probs_dropout_prob", config.attention_probs_dropout_prob, Reals{0, 1});
    visit("initializer_range", config.initializer_range, Reals{0, 1e6, true});
    visit("pad_token_id", config.pad_token_id, token_ids);
    visit("bos_token_id", config.bos_token_id, token_ids);
    visit("eos_token_id", config.eos_token_id, token_ids);
    visit("id2label", config.id2label);
    visit("label2id", config.label2id);
    visit("problem_type", config.problem_type);
    visit("embedding_size", config.embedding_size, Sizes{1, 1 << 20});
    visit("summary_type", config.summary_type);
    visit("summary_use_proj", config.summary_use_proj);
    visit("summary_activation", config.summary_activation);
    visit("padding_idx", config.padding_idx, Sizes{0, max_size});
    visit("head_model_type", config.head_model_type);
}

}  // namespace nystromformer::inline v0_2::detail
