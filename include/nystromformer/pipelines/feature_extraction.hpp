// SPDX-License-Identifier: MIT
// FeatureExtractionPipeline: a text in, the hidden states of its tokens out.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/model.hpp>
#include <nystromformer/pipelines/pipeline.hpp>
#include <nystromformer/pipelines/window_places.hpp>
#include <nystromformer/pipelines/windows.hpp>
#include <nystromformer/tokenizer.hpp>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer {

struct FeatureExtractionOptions {
    bool truncation = false;  ///< cut a text that is too long for the model instead of refusing it
    /// Or read it in windows that share so many tokens; each token has the states of the window
    /// that shows most of the text on both its sides.
    std::optional<Index> stride = std::nullopt;
    Attention attention = Attention::config;  ///< this and the rest as in PipelineOptions
    Index num_landmarks = 0;
    Index batch_tokens = 4096;
    std::function<void(Index done, Index total)> progress = {};
    std::function<void(const Cut&)> cut = {};
};

/// Hugging Face's pipeline("feature-extraction"). Every text is computed alone, without padding:
/// its states are the same bit for bit in any batch and on any number of threads. Const and safe to
/// share between threads. Source: transformers/pipelines/feature_extraction.py
class FeatureExtractionPipeline {
public:
    /// Loads model and tokenizer of a Hugging Face folder; throws what those throw.
    explicit FeatureExtractionPipeline(const std::filesystem::path& folder,
                                       const LoadOptions& options = {})
        : model_(NystromformerModel<float>::from_pretrained(folder, options)),
          tokenizer_(Tokenizer::from_pretrained(folder, false, options.files)) {}

    /// last_hidden_state of a text, special tokens included: (n, hidden). InputError where it is
    /// too long.
    Matrix<float> operator()(std::string_view text,
                             const FeatureExtractionOptions& options = {}) const {
        const std::string copy(text);
        return std::move(batch({&copy, 1}, options).front());
    }

    /// The same of each of several texts, faster than one by one. InputError names the first bad
    /// text.
    std::vector<Matrix<float>> batch(std::span<const std::string> texts,
                                     const FeatureExtractionOptions& options = {}) const {
        check(options);
        detail::Windows windows;  // of all texts
        std::vector<Encoding> wholes;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            auto [whole, some] = encode({.text = texts[i], .number = i}, options);
            windows.add(std::move(some));
            wholes.push_back(std::move(whole));
        }
        std::vector<Matrix<float>> states = states_of(windows.encodings, options), results;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const std::size_t begin = windows.first[i], count = windows.first[i + 1] - begin;
            results.push_back(joined(wholes[i], std::span(windows.encodings).subspan(begin, count),
                                     std::span(states).subspan(begin, count),
                                     options.stride.value_or(0)));
        }
        return results;
    }

    /// InputError where options are out of range or against each other.
    void check(const FeatureExtractionOptions& options) const {
        detail::check_options(detail::pipeline_options(options));
        detail::check_stride(options.stride, options.truncation,
                             model_.config().max_position_embeddings);
    }

    const NystromformerModel<float>& model() const { return model_; }
    const Tokenizer& tokenizer() const { return tokenizer_; }

private:
    /// The encoding of a text (cut, with truncation), and it again or its windows.
    std::pair<Encoding, std::vector<Encoding>> encode(
        const detail::TextInput& input, const FeatureExtractionOptions& options) const {
        const PipelineOptions shared = detail::pipeline_options(options);
        if (!options.stride) {
            Encoding whole = detail::encode_input(input, tokenizer_, model_.config(),
                                                  options.truncation, shared);
            return {whole, {whole}};
        }
        Encoding whole = input.encode(tokenizer_, detail::encode_options());
        if (whole.size() == 0) detail::check_encoding(whole, input, model_.config());
        auto windows =
            detail::windows_of(whole, input, tokenizer_, model_.config().max_position_embeddings,
                               *options.stride, shared, Direction::right);
        for (const Encoding& window : windows)
            detail::check_encoding(window, input, model_.config());
        return {std::move(whole), std::move(windows)};
    }

    /// last_hidden_state of each window.
    std::vector<Matrix<float>> states_of(const std::vector<Encoding>& windows,
                                         const FeatureExtractionOptions& options) const {
        const PipelineOptions shared = detail::pipeline_options(options);
        const ForwardOptions forward = detail::forward_options(shared, model_.config());
        std::vector<Matrix<float>> states(windows.size());
        BaseModelOutput<float> output;
        detail::for_each_batch(windows, shared, [&](std::span<const std::size_t> batch) {
            const ModelInput<float> input = detail::stacked_input(windows, batch);
            model_(input, forward, output);
            for (std::size_t i = 0; i < batch.size(); ++i) {
                states[batch[i]] = output.last_hidden_state.middleRows(
                    input.offsets[i], input.offsets[i + 1] - input.offsets[i]);
            }
        });
        return states;
    }

    /// The states of a text's tokens from those of its windows.
    static Matrix<float> joined(const Encoding& whole, std::span<const Encoding> windows,
                                std::span<Matrix<float>> states, Index stride) {
        if (windows.size() == 1) return std::move(states.front());
        const detail::WindowPlaces place_of(whole, windows, stride);
        Matrix<float> result(whole.size(), states.front().cols());
        for (Index i = 0; i < whole.size(); ++i) {
            const auto [window, row] = place_of(i);
            result.row(i) = states[window].row(row);
        }
        return result;
    }

    NystromformerModel<float> model_;
    Tokenizer tokenizer_;
};

}  // namespace nystromformer
