// SPDX-License-Identifier: MIT
// What AttentionComparison runs: an encoder with its masked-LM head, if any, over a text and over
// samples of its tokens that are masked.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/config.hpp>
#include <nystromformer/matrix.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/tokenizer/encoding.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace nystromformer::detail {

/// The encoder of any folder, and its masked-LM head if it has one.
class ComparedModel {
public:
    static ComparedModel from_pretrained(const std::filesystem::path& folder,
                                         const LoadOptions& options) {
        const auto config = NystromformerConfig::from_pretrained(folder, options.files);
        const auto checkpoint = Checkpoint::open(folder, options.files);
        if (checkpoint.find("cls.predictions.transform.dense.weight") == nullptr) {
            return ComparedModel(
                NystromformerModel<float>::from_checkpoint(config, checkpoint, options));
        }
        const auto model =
            NystromformerForMaskedLM<float>::from_checkpoint(config, checkpoint, options);
        return ComparedModel(model.base_model(), model);
    }

    bool guesses_masks() const { return masked_lm_.has_value(); }
    const NystromformerConfig& config() const { return encoder_.config(); }
    ThreadPool& threads() const { return encoder_.threads(); }
    Precision precision() const { return encoder_.precision(); }

    void operator()(const ModelInput<float>& input, const ForwardOptions& options,
                    BaseModelOutput<float>& output) const {
        encoder_(input, options, output);
    }
    /// The likeliest token of each of `rows`; the first of equals. Only if guesses_masks().
    std::vector<std::int64_t> likeliest(const ModelInput<float>& input,
                                        const std::vector<Index>& rows,
                                        const ForwardOptions& options) const {
        const Matrix<float> logits = masked_lm_->logits_at(input, rows, options);  // (rows, vocab)
        std::vector<std::int64_t> tokens;
        for (const auto& row : logits.rowwise())
            tokens.push_back(std::max_element(row.begin(), row.end()) - row.begin());
        return tokens;
    }

private:
    explicit ComparedModel(NystromformerModel<float> encoder,
                           std::optional<NystromformerForMaskedLM<float>> masked_lm = std::nullopt)
        : encoder_(std::move(encoder)), masked_lm_(std::move(masked_lm)) {}

    NystromformerModel<float> encoder_;
    std::optional<NystromformerForMaskedLM<float>> masked_lm_;
};

/// The cosine between each two rows: 1 for equal ones, 0 where only one of them is zero.
inline std::vector<double> row_cosines(const Matrix<float>& a, const Matrix<float>& b) {
    std::vector<double> cosines;
    for (Index row = 0; row < a.rows(); ++row) {
        const auto x = a.row(row).cast<double>().eval(), y = b.row(row).cast<double>().eval();
        const double norms = x.norm() * y.norm();
        cosines.push_back(x == y ? 1 : norms > 0 ? std::min(1.0, x.dot(y) / norms) : 0);
    }
    return cosines;
}

/// Up to `count` samples of the rows of an encoding, each ascending and of `share` of those that
/// can be masked (at least one), none with a row of another. Special tokens and those that are
/// `mask` already cannot. Equal for equal seeds, on every machine; fewer samples, or none, where
/// the rows do not last.
inline std::vector<std::vector<Index>> masked_samples(const Encoding& encoding, std::int64_t mask,
                                                      double share, Index count,
                                                      std::uint64_t seed) {
    std::vector<Index> rows;
    for (std::size_t row = 0; row < encoding.ids.size(); ++row) {
        if (encoding.special_tokens_mask[row] == 0 && encoding.ids[row] != mask)
            rows.push_back(static_cast<Index>(row));
    }
    std::mt19937_64 random(seed);
    // Not std::shuffle, which each standard library does in its own way.
    for (std::size_t i = rows.size(); i > 1; --i)
        std::swap(rows[i - 1], rows[static_cast<std::size_t>(random() % i)]);
    const auto size = std::max<std::size_t>(
        1, static_cast<std::size_t>(std::llround(share * static_cast<double>(rows.size()))));
    std::vector<std::vector<Index>> samples;
    for (std::size_t begin = 0;
         begin < rows.size() && static_cast<Index>(samples.size()) < count;) {
        const std::size_t end = std::min(rows.size(), begin + size);
        std::vector<Index>& sample =
            samples.emplace_back(rows.begin() + static_cast<std::ptrdiff_t>(begin),
                                 rows.begin() + static_cast<std::ptrdiff_t>(end));
        std::sort(sample.begin(), sample.end());
        begin = end;
    }
    return samples;
}

}  // namespace nystromformer::detail
