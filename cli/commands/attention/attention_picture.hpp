// SPDX-License-Identifier: MIT
// AttentionPicture: one head's exact attention to a text beside its Nystrom approximation, and what
// the approximation changes. The command line and the web page draw it.
#pragma once

#include "commands/compare/compared_model.hpp"

#include <nystromformer/fill_mask.hpp>
#include <nystromformer/json.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/tokenizer.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace attention_command {

namespace nf = nystromformer;
using nystromformer::Index;

/// Which attention is drawn.
struct AttentionPictureOptions {
    Index layer = 0;
    Index head = 0;
    Index num_landmarks = 16;
    nf::InverseInit inverse = nf::InverseInit::matrix;
    Index inverse_iterations = 6;
    Index top_k = 5;  ///< words for the first mask of the text
};

struct AttentionPicture {
    static constexpr Index max_tokens = 512;

    AttentionPictureOptions options;
    std::vector<std::string> tokens;
    bool uses_landmarks = false;  ///< false: the text has no more tokens than landmarks
    std::vector<std::pair<Index, Index>> segments;  ///< of each landmark the tokens [first, last)
    nf::Matrix<float> exact;                        ///< (n, n) softmax(q k')
    nf::Matrix<float> nystrom;                      ///< (n, n) kernel_1 pinv(kernel_2) kernel_3
    double error = 0;     ///< ||nystrom - exact|| / ||exact|| (Frobenius), of this head
    double residual = 0;  ///< ||kernel_2 Z - I|| (Frobenius), of this head
    compare_command::StateCosines cosines;        ///< of the tokens' last states by both attentions
    std::vector<nf::FillMaskAnswer> exact_words;  ///< for the first mask; empty without one
    std::vector<nf::FillMaskAnswer> nystrom_words;
};

/// What is drawn of.
struct PicturedModel {
    nf::Tokenizer tokenizer;
    compare_command::ComparedModel model;

    /// Any Hugging Face folder. Throws what loading it throws.
    static PicturedModel from_pretrained(const std::filesystem::path& folder,
                                         const nf::LoadOptions& options);
};

/// The picture of `text`, every layer of which runs with the one attention or the other; with the
/// words for its first mask, if the model has the head. InputError for a layer or head that the
/// model does not have, and for a text of more than max_tokens.
AttentionPicture draw_attention(const PicturedModel& model, std::string_view text,
                                const AttentionPictureOptions& options);

/// The fields above; matrices are lists of rows, in 1e-5.
nf::Json to_json(const AttentionPicture& picture);

}  // namespace attention_command
