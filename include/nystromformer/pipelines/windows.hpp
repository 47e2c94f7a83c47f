// SPDX-License-Identifier: MIT
// Inputs that are too long for the model: cut, or read in windows whose results become one.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/pipelines/batches.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Which text of a pair is split into windows; by default the longer one, each window paired with
/// the whole other text.
inline TruncationStrategy window_strategy(const Encoding& whole, const TextInput& input) {
    if (!input.pair || input.strategy != TruncationStrategy::longest_first) return input.strategy;
    const auto& texts = whole.sequence_ids;
    return std::count(texts.begin(), texts.end(), 0) >= std::count(texts.begin(), texts.end(), 1)
               ? TruncationStrategy::only_first
               : TruncationStrategy::only_second;
}

/// How an input is split into windows: tokens of each at most, tokens that neighbours share, from
/// which end (nothing: the tokenizer's truncation_side).
struct WindowRule {
    Index length, stride;
    std::optional<Direction> direction = std::nullopt;
};

/// `whole`, the encoding of an input with its special tokens, or its windows if it is longer than
/// the rule's length.
inline std::vector<Encoding> windows_of(
    Encoding whole, const TextInput& input, const Tokenizer& tokenizer, const WindowRule& rule,
    const std::function<void(const TruncationNotice&)>& on_truncation = {}) {
    std::vector<Encoding> windows{std::move(whole)};
    const Index tokens = windows.front().size();
    if (tokens <= rule.length) return windows;
    EncodeOptions encode = encode_options();
    encode.truncation = Truncation{.max_length = rule.length,
                                   .stride = rule.stride,
                                   .strategy = window_strategy(windows.front(), input),
                                   .direction = rule.direction};
    windows.front() = input.encode(tokenizer, encode);
    std::vector<Encoding> rest = std::exchange(windows.front().overflowing, {});
    std::move(rest.begin(), rest.end(), std::back_inserter(windows));
    if (on_truncation) {
        on_truncation({static_cast<Index>(input.number), tokens, rule.length,
                       static_cast<Index>(windows.size())});
    }
    return windows;
}

/// InputError for a stride together with truncation, or one that leaves nothing new to a window of
/// `length` tokens.
inline void check_long_text(const LongText& options, Index length, const Tokenizer& tokenizer) {
    if (!options.stride) return;
    const Index most = std::max<Index>(0, length - tokenizer.num_special_tokens_to_add() - 1);
    if (*options.stride < 0 || *options.stride > most) {
        throw InputError(
            {"", "stride", "0 to " + std::to_string(most), std::to_string(*options.stride)});
    }
    if (options.truncation) throw InputError({"", "stride", "a stride or truncation", "both"});
}

/// The windows of several inputs after one another: those of input i are [first[i], first[i + 1]).
struct Windows {
    std::vector<Encoding> encodings;
    std::vector<std::size_t> first{0};

    void add(std::vector<Encoding> windows) {
        std::move(windows.begin(), windows.end(), std::back_inserter(encodings));
        first.push_back(encodings.size());
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

/// Tokens of windows held in memory at once, about 10 MiB: the inputs are far larger than their
/// results.
inline constexpr Index max_tokens_in_part = Index{1} << 16;

/// (inputs, columns): Windows::means of the rows that `run(encodings, options)` makes of windows.
/// `encode(i, windows, is_counted)` adds input i. As many inputs as max_tokens_in_part lets (at
/// least one) are encoded, run and forgotten before the next, so that memory does not grow with
/// texts times labels. With options.progress all are counted first.
template <typename Encode, typename Run>
Matrix<float> means_in_parts(std::size_t num_inputs, Index columns, const RunOptions& options,
                             Encode&& encode, Run&& run) {
    RunOptions part_options = options;
    Index total = 0, done = 0;
    if (options.progress) {
        for_each_text(num_inputs, options, [&](std::size_t i) {
            Windows counted;
            encode(i, counted, true);
            total += static_cast<Index>(counted.encodings.size());
        });
        part_options.on_tokenized = {};  // heard of all
        part_options.progress = [&](Index count, Index) { options.progress(done + count, total); };
    }
    Matrix<float> result(static_cast<Index>(num_inputs), columns);
    Windows part;
    Index first = 0, tokens = 0;
    for (std::size_t i = 0; i < num_inputs; ++i) {
        const std::size_t before = part.encodings.size();
        encode(i, part, false);
        if (part_options.on_tokenized)
            part_options.on_tokenized(static_cast<Index>(i + 1), static_cast<Index>(num_inputs));
        for (std::size_t k = before; k < part.encodings.size(); ++k)
            tokens += part.encodings[k].size();
        if (tokens < std::max(max_tokens_in_part, options.batch_tokens) && i + 1 < num_inputs)
            continue;
        const Matrix<float> means = part.means(run(part.encodings, part_options));
        result.middleRows(first, means.rows()) = means;
        first += means.rows();
        done += static_cast<Index>(part.encodings.size());
        tokens = 0;
        part = {};
    }
    return result;
}

}  // namespace nystromformer::inline v0_2::detail
