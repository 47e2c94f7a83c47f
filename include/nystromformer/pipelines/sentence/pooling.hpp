// SPDX-License-Identifier: MIT
// The pooling of sentence-transformers: hidden states of a text's tokens to one vector.
#pragma once

#include <nystromformer/core/finite.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/embeddings.hpp>
#include <nystromformer/error.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

struct NamedPoolingMode {
    std::string_view name;
    const char* old_name;  // a boolean of config.json until sentence-transformers 5
};

/// In the order of PoolingMode, which is that of the columns if several old names are true.
inline constexpr std::array<NamedPoolingMode, 6> named_pooling_modes{{
    {"cls", "pooling_mode_cls_token"},
    {"max", "pooling_mode_max_tokens"},
    {"mean", "pooling_mode_mean_tokens"},
    {"mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens"},
    {"weightedmean", "pooling_mode_weightedmean_tokens"},
    {"lasttoken", "pooling_mode_lasttoken"},
}};

using SentenceJson = JsonView<ConfigError>;

inline std::string_view name_of(PoolingMode mode) {
    return named_pooling_modes[static_cast<std::size_t>(mode)].name;
}
inline std::optional<PoolingMode> find_pooling_mode(std::string_view name) {
    for (std::size_t i = 0; i < named_pooling_modes.size(); ++i)
        if (named_pooling_modes[i].name == name) return static_cast<PoolingMode>(i);
    return std::nullopt;
}

/// Source: sentence_transformers/sentence_transformer/modules/pooling.py
struct Pooling {
    Index embedding_dimension = 0;                                ///< of a token
    std::vector<PoolingMode> pooling_mode = {PoolingMode::mean};  ///< after one another in columns
    bool include_prompt = true;  ///< false: the tokens of the prompt are left out

    /// Reads the module's config.json in its new form (`pooling_mode`: a name or several) or the
    /// old one (a boolean for each). Its dimension may be that of another model: as in
    /// sentence-transformers, `hidden_size` counts. Throws ConfigError.
    static Pooling load(const SentenceJson& json, Index hidden_size) {
        const char* key =
            json.holds("embedding_dimension") ? "embedding_dimension" : "word_embedding_dimension";
        json.at(key).integer(1, Index{1} << 30);
        Pooling pooling{hidden_size};
        if (json.holds("include_prompt"))
            pooling.include_prompt = json.at("include_prompt").boolean();
        auto modes =
            json.holds("pooling_mode") ? new_modes(json.at("pooling_mode")) : old_modes(json);
        if (!modes.empty()) pooling.pooling_mode = std::move(modes);
        return pooling;
    }

    /// Columns of a pooled vector.
    Index out_features() const {
        return static_cast<Index>(pooling_mode.size()) * embedding_dimension;
    }

    /// True if the vector is the states of single tokens: then only these need be computed.
    bool is_of_single_tokens() const {
        return std::all_of(pooling_mode.begin(), pooling_mode.end(), [](PoolingMode mode) {
            return mode == PoolingMode::cls || mode == PoolingMode::lasttoken;
        });
    }
    /// That token of one mode, of n tokens. A prompt may leave none of them: as in
    /// sentence-transformers, cls is then the first token, prompt or not, and `is_zero` says that
    /// lasttoken is zeros instead of a token's states.
    Index single_token(PoolingMode mode, Index n, Index prompt_length) const {
        if (mode == PoolingMode::lasttoken) return n - 1;
        return leaves_none(n, prompt_length) ? 0 : first_counted(prompt_length);
    }
    bool is_zero(PoolingMode mode, Index n, Index prompt_length) const {
        return mode == PoolingMode::lasttoken && leaves_none(n, prompt_length);
    }

    /// Writes the vector of one text to `out` (out_features). `tokens` (n, embedding_dimension) are
    /// its hidden states, n at least 1; without include_prompt the first `prompt_length` of them do
    /// not count. If that leaves none, the means are zeros, as in sentence-transformers; its
    /// largest of nothing is -infinity, which is an InputError here.
    void operator()(Rows<const float> tokens, Index prompt_length, float* out) const {
        const Index n = tokens.rows, first = std::min(first_counted(prompt_length), n);
        for (const PoolingMode mode : pooling_mode) {
            switch (mode) {
                case PoolingMode::cls:
                case PoolingMode::lasttoken:
                    if (is_zero(mode, n, prompt_length)) {
                        std::fill_n(out, tokens.cols, 0.0F);
                    } else {
                        std::copy_n(tokens.row(single_token(mode, n, prompt_length)), tokens.cols,
                                    out);
                    }
                    break;
                case PoolingMode::max:
                    largest(tokens, first, out);
                    break;
                default:
                    mean(tokens, first, mode, out);
            }
            out += tokens.cols;
        }
    }

    /// InputError if `n` tokens of text `number` are all of the prompt, and a mode has no vector
    /// for that.
    void check(Index n, Index prompt_length, std::size_t number) const {
        const auto& modes = pooling_mode;
        if (!leaves_none(n, prompt_length) ||
            std::find(modes.begin(), modes.end(), PoolingMode::max) == modes.end())
            return;
        throw InputError({"", "", "a token besides the prompt, for max pooling",
                          std::to_string(n) + " tokens, all of the prompt", number});
    }
    /// True if none of `n` tokens counts.
    bool leaves_none(Index n, Index prompt_length) const {
        return first_counted(prompt_length) >= n;
    }

private:
    static constexpr std::size_t max_modes = 64;  // there are six, and each takes memory for a text

    Index first_counted(Index prompt_length) const {
        return include_prompt ? 0 : std::max<Index>(0, prompt_length);
    }

    static std::vector<PoolingMode> new_modes(const SentenceJson& json) {
        std::vector<PoolingMode> modes;
        const auto add = [&modes](const SentenceJson& value) {
            const auto mode = find_pooling_mode(value.string());
            if (!mode)
                value.fail("cls, max, mean, mean_sqrt_len_tokens, weightedmean or lasttoken");
            modes.push_back(*mode);
        };
        if (!json.is_array()) {
            add(json);
            return modes;
        }
        if (json.size() > max_modes) json.fail("at most " + std::to_string(max_modes) + " modes");
        for (std::size_t i = 0; i < json.size(); ++i) add(json.at(i));
        if (modes.empty()) json.fail("at least one mode");
        return modes;
    }

    /// None for a file in which nothing is true: sentence-transformers then takes the mean.
    static std::vector<PoolingMode> old_modes(const SentenceJson& json) {
        std::vector<PoolingMode> modes;
        for (std::size_t i = 0; i < named_pooling_modes.size(); ++i) {
            const char* key = named_pooling_modes[i].old_name;
            if (json.holds(key) && json.at(key).boolean())
                modes.push_back(static_cast<PoolingMode>(i));
        }
        return modes;
    }

    static void largest(Rows<const float> tokens, Index first, float* out) {
        if (first >= tokens.rows)
            throw InputError({"", "prompt", "fewer tokens than the text has",
                              "all " + std::to_string(tokens.rows)});
        std::copy_n(tokens.row(first), tokens.cols, out);
        for (Index i = first + 1; i < tokens.rows; ++i) {
            const float* row = tokens.row(i);
            // A NaN stays, as in PyTorch.
            for (Index col = 0; col < tokens.cols; ++col)
                if (row[col] > out[col] || detail::is_nan(row[col])) out[col] = row[col];
        }
    }

    static void mean(Rows<const float> tokens, Index first, PoolingMode mode, float* out) {
        std::vector<double> sum(static_cast<std::size_t>(tokens.cols));
        double weights = 0;
        for (Index i = first; i < tokens.rows; ++i) {
            const double weight =
                mode == PoolingMode::weightedmean ? static_cast<double>(i + 1) : 1;
            const float* row = tokens.row(i);
            for (std::size_t col = 0; col < sum.size(); ++col)
                sum[col] += weight * static_cast<double>(row[col]);
            weights += weight;
        }
        weights = std::max(weights, 1e-9);  // of no token: zeros, as in sentence-transformers
        if (mode == PoolingMode::mean_sqrt_len_tokens) weights = std::sqrt(weights);
        for (std::size_t col = 0; col < sum.size(); ++col)
            out[col] = static_cast<float>(sum[col] / weights);
    }
};

}  // namespace nystromformer::inline v0_2::detail
