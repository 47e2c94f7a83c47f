// SPDX-License-Identifier: MIT
// What `compare` and `attention` run: an encoder with its masked-LM head, if any; the names of the
// starts of the inverse; samples of tokens that are masked; cosines.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/config.hpp>
#include <nystromformer/encoding.hpp>
#include <nystromformer/heads.hpp>
#include <nystromformer/matrix.hpp>
#include <nystromformer/models.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <numeric>
#include <optional>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

namespace compare_command {

namespace nf = nystromformer;
using nystromformer::Index;

/// The starts of the inverse by name.
inline constexpr std::pair<std::string_view, nf::InverseInit> inverse_names[]{
    {"batch", nf::InverseInit::batch},
    {"sequence", nf::InverseInit::sequence},
    {"matrix", nf::InverseInit::matrix}};
/// The start of that name, which is one of them.
inline nf::InverseInit inverse_named(std::string_view name) {
    return std::find_if(std::begin(inverse_names), std::end(inverse_names),
                        [&](const auto& each) { return each.first == name; })
        ->second;
}
inline std::string_view name_of(nf::InverseInit inverse) {
    return std::find_if(std::begin(inverse_names), std::end(inverse_names),
                        [&](const auto& each) { return each.second == inverse; })
        ->first;
}

/// The encoder of any folder, and its masked-LM head if it has one.
class ComparedModel {
public:
    explicit ComparedModel(const nf::NystromformerForMaskedLM<float>& model)
        : ComparedModel(model.base_model(), model) {}
    static ComparedModel from_pretrained(const std::filesystem::path& folder,
                                         const nf::LoadOptions& options) {
        const auto config = nf::NystromformerConfig::from_pretrained(folder, options.files);
        const auto checkpoint = nf::Checkpoint::open(folder, options.files);
        const auto heads = nf::held_heads(config, checkpoint);
        const bool has_masked_lm = std::any_of(
            heads.begin(), heads.end(), [](const auto& head) { return head.name == "masked-lm"; });
        if (!has_masked_lm) {
            return ComparedModel(
                nf::NystromformerModel<float>::from_checkpoint(config, checkpoint, options));
        }
        return ComparedModel(
            nf::NystromformerForMaskedLM<float>::from_checkpoint(config, checkpoint, options));
    }

    bool guesses_masks() const { return masked_lm_.has_value(); }
    const nf::NystromformerConfig& config() const { return encoder_.config(); }
    nf::ThreadPool& threads() const { return encoder_.threads(); }
    nf::Precision precision() const { return encoder_.precision(); }

    void operator()(const nf::ModelInput<float>& input, const nf::ForwardOptions& options,
                    nf::BaseModelOutput<float>& output) const {
        encoder_(input, options, output);
    }
    nf::BaseModelOutput<float> operator()(const nf::ModelInput<float>& input,
                                          const nf::ForwardOptions& options) const {
        return encoder_(input, options);
    }
    /// (rows, vocab). Only if guesses_masks().
    nf::Matrix<float> logits_at(const nf::ModelInput<float>& input, const std::vector<Index>& rows,
                                const nf::ForwardOptions& options) const {
        return masked_lm_->logits_at(input, rows, options);
    }
    /// The likeliest token of each of `rows`; the first of equals. Only if guesses_masks().
    std::vector<std::int64_t> likeliest(const nf::ModelInput<float>& input,
                                        const std::vector<Index>& rows,
                                        const nf::ForwardOptions& options) const {
        const nf::Matrix<float> logits = logits_at(input, rows, options);
        std::vector<std::int64_t> tokens;
        for (const auto& row : logits.rowwise())
            tokens.push_back(std::max_element(row.begin(), row.end()) - row.begin());
        return tokens;
    }

private:
    explicit ComparedModel(
        nf::NystromformerModel<float> encoder,
        std::optional<nf::NystromformerForMaskedLM<float>> masked_lm = std::nullopt)
        : encoder_(std::move(encoder)), masked_lm_(std::move(masked_lm)) {}

    nf::NystromformerModel<float> encoder_;
    std::optional<nf::NystromformerForMaskedLM<float>> masked_lm_;
};

/// The cosine between each two rows: 1 for equal ones, 0 if only one of them is zero.
inline std::vector<double> row_cosines(const nf::Matrix<float>& a, const nf::Matrix<float>& b) {
    std::vector<double> cosines;
    for (Index row = 0; row < a.rows(); ++row) {
        const auto x = a.row(row).cast<double>().eval(), y = b.row(row).cast<double>().eval();
        const double norms = x.norm() * y.norm();
        cosines.push_back(x == y ? 1 : norms > 0 ? std::min(1.0, x.dot(y) / norms) : 0);
    }
    return cosines;
}

/// Their mean and the least of them.
struct StateCosines {
    double mean = 1, min = 1;
};
inline StateCosines state_cosines(const nf::Matrix<float>& a, const nf::Matrix<float>& b) {
    const std::vector<double> cosines = row_cosines(a, b);
    const double sum = std::accumulate(cosines.begin(), cosines.end(), 0.0);
    return {sum / static_cast<double>(cosines.size()),
            *std::min_element(cosines.begin(), cosines.end())};
}

/// Up to `count` samples of the rows of an encoding, each ascending and of `share` of those that
/// can be masked (at least one), none with a row of another. Special tokens and those that are
/// `mask` already cannot. Equal for equal seeds, on every machine; fewer samples, or none, if
/// there are not enough rows.
inline std::vector<std::vector<Index>> masked_samples(const nf::Encoding& encoding,
                                                      std::int64_t mask, double share, Index count,
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

}  // namespace compare_command
