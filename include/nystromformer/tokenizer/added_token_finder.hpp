// SPDX-License-Identifier: MIT
// Finds added tokens in a text:
// https://github.com/huggingface/tokenizers/blob/3ba8ad00/tokenizers/src/tokenizer/added_vocabulary.rs
#pragma once

#include <nystromformer/core/memory_budget.hpp>
#include <nystromformer/tokenizer/growth_limit.hpp>
#include <nystromformer/tokenizer/models/trie.hpp>
#include <nystromformer/tokenizer/piece_text.hpp>
#include <nystromformer/tokenizer/unicode/unicode.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

struct AddedToken {
    std::int32_t id = 0;
    std::string content;
    std::string shown;         // its normal form if it is normalised: what id_to_token gives
    bool single_word = false;  // not next to a word character
    bool lstrip = false;       // takes the white space on its left
    bool rstrip = false;       // and on its right
    bool normalized = false;   // is found in normalised text, by its normal form
    bool special = false;      // is left out when decoding
    bool is_text = false;      // is not found: split_special_tokens

    /// Whether `other` says the same of the same text.
    bool operator==(const AddedToken& other) const {
        return content == other.content && single_word == other.single_word &&
               lstrip == other.lstrip && rstrip == other.rstrip && normalized == other.normalized &&
               special == other.special;
    }
};

/// Finds one kind of added tokens: those of raw text or those of normalised text.
class AddedTokenFinder {
public:
    AddedTokenFinder() = default;

    /// `tokens[i]` is found by `patterns[i].first` and known as `patterns[i].second`.
    AddedTokenFinder(std::vector<std::pair<std::string_view, std::int32_t>> patterns,
                     MemoryBudget& budget) {
        std::sort(patterns.begin(), patterns.end());
        // Which of two tokens of one pattern is found is chance with Hugging Face; here the first.
        patterns.erase(std::unique(patterns.begin(), patterns.end(),
                                   [](const auto& a, const auto& b) { return a.first == b.first; }),
                       patterns.end());
        for (const auto& [pattern, number] : patterns)
            starts_[static_cast<unsigned char>(pattern[0])] = true;
        is_empty_ = patterns.empty();
        trie_ = Trie(
            patterns.size(), [&](std::size_t i) { return patterns[i]; }, budget);
    }

    bool is_empty() const { return is_empty_; }

    /// Cuts the whole of `text` into pieces between tokens and the tokens found, longest first at
    /// each place; no piece is empty. `tokens` has their rules. Throws TokenizerError if
    /// tokens that share white space would take too much memory.
    void split(std::string_view text, const std::vector<AddedToken>& tokens,
               std::vector<Piece>& out) const {
        GrowthLimit limit;  // tokens that strip may share text, of which a run can be long
        limit.add(text.size());
        std::size_t done = 0, covered = 0;
        for (std::size_t at = 0; at < text.size() && !is_empty_;) {
            if (!starts_[static_cast<unsigned char>(text[at])]) {
                ++at;
                continue;
            }
            const auto [number, size] = longest(text, at);
            if (number < 0) {
                ++at;
                continue;
            }
            const AddedToken& token = tokens[static_cast<std::size_t>(number)];
            std::size_t begin = at, end = at + size;
            at = end;
            if (token.is_text) continue;
            if (token.single_word && touches_word(text, begin, end)) continue;
            // A token that strips may have reached beyond this match. One that strips on its left
            // then begins where that one ended; one that does not has the same text again.
            if (token.lstrip) begin = std::max(skip_white_before(text, begin, done), done);
            if (token.rstrip) end = skip_white_after(text, std::max(end, done));
            if (begin >= end) continue;  // nothing is left of it
            covered += end - begin;
            limit.check(covered, "added_tokens");
            if (done < begin) out.push_back({done, begin});
            out.push_back({begin, end, number});
            done = end;
        }
        if (done != text.size()) out.push_back({done, text.size()});
    }

private:
    std::pair<std::int32_t, std::size_t> longest(std::string_view text, std::size_t begin) const {
        std::pair<std::int32_t, std::size_t> result = {-1, 0};
        std::uint32_t node = Trie::root;
        for (std::size_t at = begin; at < text.size(); ++at) {
            node = trie_.child(node, text[at]);
            if (node == Trie::none) break;
            if (trie_.value(node) >= 0) result = {trie_.value(node), at + 1 - begin};
        }
        return result;
    }
    static bool touches_word(std::string_view text, std::size_t begin, std::size_t end) {
        return (begin > 0 && unicode::is_word(utf8::decode_before(text, begin).point)) ||
               (end < text.size() && unicode::is_word(utf8::decode(text, end).point));
    }
    static std::size_t skip_white_before(std::string_view text, std::size_t at, std::size_t begin) {
        while (at > begin) {
            const auto before = utf8::decode_before(text, at);
            if (!unicode::is_white(before.point)) break;
            at -= before.size;
        }
        return at;
    }
    static std::size_t skip_white_after(std::string_view text, std::size_t at) {
        while (at < text.size()) {
            const auto after = utf8::decode(text, at);
            if (!unicode::is_white(after.point)) break;
            at += after.size;
        }
        return at;
    }

    std::array<bool, 256> starts_{};  // bytes that a token starts with
    bool is_empty_ = true;
    Trie trie_;
};

}  // namespace nystromformer::inline v0_2::detail
