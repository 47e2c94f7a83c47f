// SPDX-License-Identifier: MIT
// Inputs that are too long for the model: cut, or read in windows whose results become one.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/config.hpp>
#include <nystromformer/pipelines/pipeline.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::detail {

/// Of which text windows are made: of a pair that does not say it the longer one, beside the whole
/// of the other.
inline TruncationStrategy window_strategy(const Encoding& whole, const TextInput& input) {
    if (!input.pair || input.strategy != TruncationStrategy::longest_first) return input.strategy;
    const auto& texts = whole.sequence_ids;
    return std::count(texts.begin(), texts.end(), 0) >= std::count(texts.begin(), texts.end(), 1)
               ? TruncationStrategy::only_first
               : TruncationStrategy::only_second;
}

/// `whole`, the encoding of an input with its special tokens, or in its place windows of at most
/// `length` tokens that share `stride`, from the end that `direction` leaves, else the tokenizer's
/// truncation_side; options.cut is told where there are several.
inline std::vector<Encoding> windows_of(Encoding whole, const TextInput& input,
                                        const Tokenizer& tokenizer, Index length, Index stride,
                                        const PipelineOptions& options,
                                        std::optional<Direction> direction = std::nullopt) {
    std::vector<Encoding> windows{std::move(whole)};
    const Index tokens = windows.front().size();
    if (tokens <= length) return windows;
    EncodeOptions encode = encode_options();
    encode.truncation = Truncation{.max_length = length,
                                   .stride = stride,
                                   .strategy = window_strategy(windows.front(), input),
                                   .direction = direction};
    windows.front() = input.encode(tokenizer, encode);
    std::vector<Encoding> rest = std::exchange(windows.front().overflowing, {});
    std::move(rest.begin(), rest.end(), std::back_inserter(windows));
    if (options.cut) {
        options.cut(
            {static_cast<Index>(input.number), tokens, length, static_cast<Index>(windows.size())});
    }
    return windows;
}

/// The same for an input that is not encoded yet. InputError where the model cannot take it.
inline std::vector<Encoding> encode_windows(const TextInput& input, const Tokenizer& tokenizer,
                                            const NystromformerConfig& config, Index length,
                                            Index stride, const PipelineOptions& options) {
    auto windows = windows_of(input.encode(tokenizer, encode_options()), input, tokenizer, length,
                              stride, options);
    for (const Encoding& window : windows) check_encoding(window, input, config);
    return windows;
}

/// InputError for a stride that is out of range, or beside truncation.
inline void check_stride(std::optional<Index> stride, bool truncation, Index length) {
    if (!stride) return;
    if (*stride < 0 || *stride >= length) {
        throw InputError(
            {"", "stride", "0 to " + std::to_string(length - 1), std::to_string(*stride)});
    }
    if (truncation) throw InputError({"", "stride", "a stride or truncation", "both"});
}

/// The windows of several inputs after one another: those of input i are [first[i], first[i + 1]).
struct Windows {
    std::vector<Encoding> encodings;
    std::vector<std::size_t> first{0};

    void add(std::vector<Encoding> of_input) {
        std::move(of_input.begin(), of_input.end(), std::back_inserter(encodings));
        first.push_back(encodings.size());
    }

    /// Adds an input: whole, or in windows where there is a stride, or cut where there is
    /// truncation. InputError where it is too long and there is neither.
    void add(const TextInput& input, const Tokenizer& tokenizer, const NystromformerConfig& config,
             bool truncation, std::optional<Index> stride, const PipelineOptions& options) {
        if (!stride) return add({encode_input(input, tokenizer, config, truncation, options)});
        add(encode_windows(input, tokenizer, config, longest_input(tokenizer, config), *stride,
                           options));
    }

    /// `rows` (windows, columns) to (inputs, columns): the mean of an input's windows, each of
    /// which weighs as much as it has tokens, special ones not counted. The row of a single window
    /// stays as it is.
    Matrix<float> means(const Matrix<float>& rows) const {
        Matrix<float> result(static_cast<Index>(first.size()) - 1, rows.cols());
        for (std::size_t input = 0; input + 1 < first.size(); ++input) {
            RowVector<double> sum = RowVector<double>::Zero(rows.cols());
            double total = 0;
            for (std::size_t i = first[input]; i < first[input + 1]; ++i) {
                const auto& specials = encodings[i].special_tokens_mask;
                const double tokens = std::max<double>(
                    1, static_cast<double>(std::count(specials.begin(), specials.end(), 0)));
                sum += tokens * rows.row(static_cast<Index>(i)).template cast<double>();
                total += tokens;
            }
            result.row(static_cast<Index>(input)) = (sum / total).template cast<float>();
        }
        return result;
    }
};

/// How many tokens of windows are held at once where inputs are many times as long as what is made
/// of them: about 10 MiB.
inline constexpr Index max_tokens_in_part = Index{1} << 16;

/// (inputs, columns): Windows::means of the rows that `run(encodings, options)` makes of windows.
/// `encode(i, windows, options)` adds input i. As many inputs as max_tokens_in_part lets (at least
/// one) are encoded, run and forgotten before the next, so that memory does not grow with texts
/// times labels. With options.progress all are counted first.
template <typename Encode, typename Run>
Matrix<float> means_in_parts(std::size_t num_inputs, Index columns, const PipelineOptions& options,
                             Encode&& encode, Run&& run) {
    PipelineOptions of_part = options;
    Index total = 0, done = 0;
    if (options.progress) {
        of_part.cut = {};
        for (std::size_t i = 0; i < num_inputs; ++i) {
            Windows counted;
            encode(i, counted, of_part);
            total += static_cast<Index>(counted.encodings.size());
        }
        of_part.cut = options.cut;
        of_part.progress = [&](Index of, Index) { options.progress(done + of, total); };
    }
    Matrix<float> result(static_cast<Index>(num_inputs), columns);
    Windows part;
    Index first = 0, tokens = 0;
    for (std::size_t i = 0; i < num_inputs; ++i) {
        const std::size_t before = part.encodings.size();
        encode(i, part, of_part);
        for (std::size_t k = before; k < part.encodings.size(); ++k)
            tokens += part.encodings[k].size();
        if (tokens < std::max(max_tokens_in_part, options.batch_tokens) && i + 1 < num_inputs)
            continue;
        const Matrix<float> means = part.means(run(part.encodings, of_part));
        result.middleRows(first, means.rows()) = means;
        first += means.rows();
        done += static_cast<Index>(part.encodings.size());
        tokens = 0;
        part = {};
    }
    return result;
}

}  // namespace nystromformer::detail
