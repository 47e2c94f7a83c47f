// SPDX-License-Identifier: MIT
// Which tokens are scored for a mask, and the best of them.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/pipelines/batches.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// The ids of targets, ascending, each once. A target that is a token as it is spelled counts
/// as that token; any other is tokenised, without special tokens, and its first token counts;
/// one that gives no token is skipped. Empty for no targets; InputError if there are some
/// and all are skipped.
inline std::vector<std::int64_t> target_ids(const std::vector<std::string>& targets,
                                            const Tokenizer& tokenizer, Index vocab_size) {
    std::vector<std::int64_t> ids;
    for (const std::string& target : targets) {
        auto id = tokenizer.token_to_id(target);
        if (!id) {
            const Encoding encoding = tokenizer.encode(target, encode_options(false));
            if (!encoding.ids.empty()) id = encoding.ids.front();
        }
        if (!id) continue;
        if (*id >= vocab_size) {
            throw InputError({"", "targets",
                              "tokens below the model's vocab_size " + std::to_string(vocab_size),
                              std::to_string(*id)});
        }
        ids.push_back(*id);
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    if (ids.empty() && !targets.empty()) {
        throw InputError({"", "targets", "at least one that the tokenizer knows", "none"});
    }
    return ids;
}

/// A token for a mask.
struct MaskToken {
    std::int64_t token;
    double score;  // its probability over the whole vocabulary
};

/// The best `top_k` of `targets` (none: of the whole vocabulary), by `logits` (1, vocab). Of equal
/// ones the lower id comes first.
template <typename Logits>
std::vector<MaskToken> best_tokens(const Logits& logits, const std::vector<std::int64_t>& targets,
                                   Index top_k) {
    std::vector<std::int64_t> tokens = targets;
    if (tokens.empty()) {
        tokens.resize(static_cast<std::size_t>(logits.size()));
        std::iota(tokens.begin(), tokens.end(), std::int64_t{0});
    }
    const auto count = std::min(tokens.size(), static_cast<std::size_t>(top_k));
    const auto last = tokens.begin() + static_cast<std::ptrdiff_t>(count);
    std::partial_sort(tokens.begin(), last, tokens.end(), [&](std::int64_t a, std::int64_t b) {
        return logits(a) != logits(b) ? logits(a) > logits(b) : a < b;
    });
    const double largest = static_cast<double>(logits.maxCoeff());
    const double total = (logits.template cast<double>().array() - largest).exp().sum();
    std::vector<MaskToken> best;
    for (auto token = tokens.begin(); token != last; ++token) {
        best.push_back({*token, std::exp(static_cast<double>(logits(*token)) - largest) / total});
    }
    return best;
}

}  // namespace nystromformer::inline v0_2::detail
