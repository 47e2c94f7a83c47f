// SPDX-License-Identifier: MIT
#include "commands/attention/attention_picture.hpp"

#include "commands/compare/whole_text.hpp"

#include <nystromformer/config.hpp>
#include <nystromformer/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>

namespace attention_command {
namespace {

using nf::Json;

void check(const nf::NystromformerConfig& config, const AttentionPictureOptions& options) {
    const auto below = [](const char* name, Index value, Index end) {
        if (value >= 0 && value < end) return;
        // People count from 1.
        throw nf::InputError({"", name, "1 to " + std::to_string(end), std::to_string(value + 1)});
    };
    below("layer", options.layer, config.num_hidden_layers);
    below("head", options.head, config.num_attention_heads);
}

/// The tokens of each landmark. Source: model/nystrom.hpp, segment_means
std::vector<std::pair<Index, Index>> segments_of(Index tokens, Index landmarks) {
    std::vector<std::pair<Index, Index>> segments;
    const Index size = tokens / landmarks, num_short = (size + 1) * landmarks - tokens;
    for (Index first = 0, i = 0; i < landmarks; ++i) {
        const Index last = first + (i < num_short ? size : size + 1);
        segments.emplace_back(first, last);
        first = last;
    }
    return segments;
}

nf::ForwardOptions nystrom_of(const AttentionPictureOptions& options) {
    return {.attention = nf::Attention::nystrom,
            .num_landmarks = options.num_landmarks,
            .inverse = options.inverse,
            .inverse_iterations = options.inverse_iterations};
}

/// The likeliest tokens of one row of logits (1, vocab), with their shares of the softmax.
std::vector<nf::FillMaskAnswer> likeliest(const nf::Matrix<float>& logits,
                                          const nf::Tokenizer& tokenizer, Index top_k) {
    const float largest = logits.maxCoeff();
    const double sum = (logits.array() - largest).cast<double>().exp().sum();
    std::vector<Index> ids(static_cast<std::size_t>(logits.cols()));
    std::iota(ids.begin(), ids.end(), Index{0});
    const auto end = ids.begin() + std::min<Index>(top_k, logits.cols());
    std::partial_sort(ids.begin(), end, ids.end(), [&](Index a, Index b) {
        return logits(0, a) != logits(0, b) ? logits(0, a) > logits(0, b) : a < b;
    });
    std::vector<nf::FillMaskAnswer> answers;
    for (auto id = ids.begin(); id != end; ++id) {
        const double score = std::exp(double{logits(0, *id)} - double{largest}) / sum;
        answers.push_back({score, *id, tokenizer.decode(std::vector<std::int64_t>{*id}), ""});
    }
    return answers;
}

/// The words for the first mask by either attention, if there is a mask and a head for it.
void add_words(const PicturedModel& model, const nf::Encoding& encoding,
               AttentionPicture& picture) {
    const auto mask_id = model.tokenizer.token_to_id(model.tokenizer.mask_token().value_or(""));
    const auto mask = std::find(encoding.ids.begin(), encoding.ids.end(), mask_id);
    if (!model.model.guesses_masks() || mask == encoding.ids.end()) return;
    const Index row = mask - encoding.ids.begin();
    const auto input = nf::ModelInput<float>::of_encodings(std::vector{encoding});
    const auto words = [&](const nf::ForwardOptions& forward) {
        return likeliest(model.model.logits_at(input, {row}, forward), model.tokenizer,
                         picture.options.top_k);
    };
    picture.exact_words = words({.attention = nf::Attention::exact});
    picture.nystrom_words = words(nystrom_of(picture.options));
}

Json rows_of(const nf::Matrix<float>& matrix) {
    Json rows = Json::array();
    for (Index i = 0; i < matrix.rows(); ++i) {
        Json& row = rows.emplace_back(Json::array());
        for (Index j = 0; j < matrix.cols(); ++j)
            row.push_back(static_cast<std::int64_t>(std::lround(matrix(i, j) * 1e5f)));
    }
    return rows;
}

Json words_of(const std::vector<nf::FillMaskAnswer>& answers) {
    Json words = Json::array();
    for (const nf::FillMaskAnswer& answer : answers)
        words.push_back({{"token_str", answer.token_str}, {"score", answer.score}});
    return words;
}

}  // namespace

PicturedModel PicturedModel::from_pretrained(const std::filesystem::path& folder,
                                             const nf::LoadOptions& options) {
    return {compare_command::tokenizer_of(folder, options),
            compare_command::ComparedModel::from_pretrained(folder, options)};
}

AttentionPicture draw_attention(const PicturedModel& model, std::string_view text,
                                const AttentionPictureOptions& options) {
    const nf::NystromformerConfig& config = model.model.config();
    check(config, options);
    const nf::Encoding encoding = compare_command::encode_whole(model.tokenizer, config, text);
    if (encoding.size() > AttentionPicture::max_tokens) {
        throw nf::InputError({"", "text",
                              "at most " + std::to_string(AttentionPicture::max_tokens) + " tokens",
                              std::to_string(encoding.size())});
    }
    AttentionPicture picture;
    picture.options = options;
    picture.tokens = encoding.tokens;
    const auto input = nf::ModelInput<float>::of_encodings(std::vector{encoding});
    const auto layer = static_cast<std::size_t>(options.layer);
    const auto head = static_cast<std::size_t>(options.head);
    const auto exact =
        model.model(input, {.attention = nf::Attention::exact, .output_attentions = true});
    picture.exact = picture.nystrom = exact.attentions[layer][head];
    nf::ForwardOptions approximate = nystrom_of(options);
    approximate.output_nystrom_factors = true;
    approximate.output_inverse_residuals = true;
    picture.uses_landmarks =
        nf::resolved_attention(approximate, config, encoding.size()) == nf::Attention::nystrom;
    if (picture.uses_landmarks) {
        const auto nystrom = model.model(input, approximate);
        picture.segments = segments_of(encoding.size(), options.num_landmarks);
        picture.nystrom = nystrom.nystrom_factors[layer][head].approximation();
        picture.error = (picture.nystrom - picture.exact).norm() / picture.exact.norm();
        picture.residual = nystrom.inverse_residuals[layer][head];
        picture.cosines =
            compare_command::state_cosines(exact.last_hidden_state, nystrom.last_hidden_state);
    }
    add_words(model, encoding, picture);
    return picture;
}

Json to_json(const AttentionPicture& picture) {
    const AttentionPictureOptions& options = picture.options;
    return {{"layer", options.layer},
            {"head", options.head},
            {"num_landmarks", options.num_landmarks},
            {"inverse", compare_command::name_of(options.inverse)},
            {"inverse_iterations", options.inverse_iterations},
            {"tokens", picture.tokens},
            {"uses_landmarks", picture.uses_landmarks},
            {"segments", picture.segments},
            {"exact", rows_of(picture.exact)},
            {"nystrom", rows_of(picture.nystrom)},
            {"error", picture.error},
            {"residual", picture.residual},
            {"cosine_mean", picture.cosines.mean},
            {"cosine_min", picture.cosines.min},
            {"exact_words", words_of(picture.exact_words)},
            {"nystrom_words", words_of(picture.nystrom_words)}};
}

}  // namespace attention_command
