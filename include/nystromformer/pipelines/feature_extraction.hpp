// SPDX-License-Identifier: MIT
// FeatureExtractionPipeline's body: the states of a text's tokens from those of its windows.
#pragma once

#include <nystromformer/core/embeddings.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/embeddings.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/feature_extraction.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/pipelines/bad_inputs.hpp>
#include <nystromformer/pipelines/batches.hpp>
#include <nystromformer/pipelines/text_model.hpp>
#include <nystromformer/pipelines/window_places.hpp>
#include <nystromformer/pipelines/windows.hpp>
#include <nystromformer/tokenizer.hpp>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

struct FeatureExtractionPipeline::Body : detail::TextModel<NystromformerModel<float>> {
    using TextModel::TextModel;

    /// The same of each of several texts, faster than one by one. InputError names the first bad
    /// text.
    std::vector<Embeddings> batch(std::span<const std::string> texts,
                                  const FeatureExtractionOptions& options) const {
        check(options);
        detail::Windows windows;  // of all texts
        std::vector<Encoding> wholes;
        detail::for_each_text(texts.size(), options.run, [&](std::size_t i) {
            auto [whole, some] = encode({.text = texts[i], .number = i}, options);
            windows.add(std::move(some));
            wholes.push_back(std::move(whole));
        });
        std::vector<Embeddings> states = states_of(windows.encodings, options), results;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const std::size_t begin = windows.first[i], count = windows.first[i + 1] - begin;
            results.push_back(joined(wholes[i], std::span(windows.encodings).subspan(begin, count),
                                     std::span(states).subspan(begin, count),
                                     options.long_text.stride.value_or(0)));
        }
        return results;
    }

    /// InputError if options are out of range or against each other.
    void check(const FeatureExtractionOptions& options) const {
        detail::check_options(options.run, config());
        detail::check_long_text(options.long_text, config().max_length(), tokenizer);
    }

    /// The encoding of a text (cut, with truncation), and it again or its windows.
    std::pair<Encoding, std::vector<Encoding>> encode(
        const detail::TextInput& input, const FeatureExtractionOptions& options) const {
        if (!options.long_text.stride) {
            Encoding whole = TextModel::encode(input, options.long_text);
            return {whole, {whole}};
        }
        Encoding whole = input.encode(tokenizer, detail::encode_options());
        if (whole.size() == 0) detail::check_encoding(whole, input, config());
        auto windows =
            detail::windows_of(whole, input, tokenizer,
                               {config().max_length(), *options.long_text.stride, Direction::right},
                               options.long_text.on_truncation);
        for (const Encoding& window : windows) detail::check_encoding(window, input, config());
        return {std::move(whole), std::move(windows)};
    }

    /// last_hidden_state of each window.
    std::vector<Embeddings> states_of(const std::vector<Encoding>& windows,
                                      const FeatureExtractionOptions& options) const {
        const ForwardOptions forward = forward_options(options.run);
        std::vector<Embeddings> states(windows.size());
        BaseModelOutput<float> output;
        detail::for_each_batch(windows, options.run, [&](std::span<const std::size_t> batch) {
            const ModelInput<float> input = detail::stacked_input(windows, batch);
            model(input, forward, output);
            for (std::size_t i = 0; i < batch.size(); ++i) {
                states[batch[i]] = detail::embeddings_of(output.last_hidden_state.middleRows(
                    input.offsets[i], input.offsets[i + 1] - input.offsets[i]));
            }
        });
        return states;
    }

    /// The states of a text's tokens from those of its windows.
    static Embeddings joined(const Encoding& whole, std::span<const Encoding> windows,
                             std::span<Embeddings> states, Index stride) {
        if (windows.size() == 1) return std::move(states.front());
        const detail::WindowPlaces place_of(whole, windows, stride);
        Embeddings result{whole.size(), states.front().cols};
        for (Index i = 0; i < whole.size(); ++i) {
            const auto [window, row] = place_of(i);
            const auto state = states[window].row(row);
            result.values.insert(result.values.end(), state.begin(), state.end());
        }
        return result;
    }
};

NYSTROMFORMER_INLINE FeatureExtractionPipeline::FeatureExtractionPipeline(
    const std::filesystem::path& folder, const LoadOptions& options)
    : body_(std::make_shared<const Body>(folder, options)) {}
NYSTROMFORMER_INLINE FeatureExtractionPipeline::FeatureExtractionPipeline(
    const NystromformerModel<float>& model, const Tokenizer& tokenizer)
    : body_(std::make_shared<const Body>(model, tokenizer)) {}

NYSTROMFORMER_INLINE Embeddings FeatureExtractionPipeline::operator()(
    std::string_view text, const FeatureExtractionOptions& options) const {
    const std::string copy(text);
    return std::move(batch({&copy, 1}, options).front());
}
NYSTROMFORMER_INLINE std::vector<Embeddings> FeatureExtractionPipeline::batch(
    std::span<const std::string> texts, const FeatureExtractionOptions& options) const {
    return detail::answer_apart<Embeddings>(
        texts, options, [&](auto some, const auto& part) { return body_->batch(some, part); });
}
NYSTROMFORMER_INLINE void FeatureExtractionPipeline::check(
    const FeatureExtractionOptions& options) const {
    body_->check(options);
}

NYSTROMFORMER_INLINE const NystromformerModel<float>& FeatureExtractionPipeline::model() const& {
    return body_->model;
}
NYSTROMFORMER_INLINE const Tokenizer& FeatureExtractionPipeline::tokenizer() const& {
    return body_->tokenizer;
}

}  // namespace nystromformer::inline v0_2
