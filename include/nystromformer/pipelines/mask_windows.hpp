// SPDX-License-Identifier: MIT
// The masks of texts, each in the window of its text that shows most of its surroundings.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/tokenizer/encoding.hpp>
#include <nystromformer/tokenizer/truncation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace nystromformer::detail {

/// A mask: which one of which text, where it stands there, and in its window.
struct MaskPlace {
    std::size_t text, number;
    std::size_t position;  // in the whole text's ids
    Index row;             // in the window
};

/// Texts, and the windows of them that hold masks to be answered.
struct MaskedTexts {
    std::vector<std::vector<std::int64_t>> ids;  // (texts), with special tokens
    std::vector<std::size_t> num_masks;          // (texts)
    std::vector<Encoding> windows;
    std::vector<std::vector<MaskPlace>> places;  // (windows)

    /// Adds a text that `windows_of_text` cover with overlaps of `stride` tokens, from its start or
    /// (Direction::left) from its end.
    void add(const Encoding& whole, std::vector<Encoding> windows_of_text, Index stride,
             Direction direction, std::int64_t mask_id) {
        const auto is_text = [](std::uint8_t special) { return special == 0; };
        const auto& specials = whole.special_tokens_mask;
        const Index prefix =
            std::find_if(specials.begin(), specials.end(), is_text) - specials.begin();
        std::vector<Index> sizes;  // without special tokens
        for (const Encoding& window : windows_of_text) {
            const auto& mask = window.special_tokens_mask;
            sizes.push_back(std::count_if(mask.begin(), mask.end(), is_text));
        }
        const Index step = sizes.front() - stride;
        const Index size = std::count_if(specials.begin(), specials.end(), is_text);
        std::vector<Index> starts;  // of the windows, among the tokens of the text
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            const Index first = static_cast<Index>(i) * step;
            starts.push_back(direction == Direction::left ? size - first - sizes[i] : first);
        }
        std::vector<std::vector<MaskPlace>> places_of_text(windows_of_text.size());
        std::size_t number = 0;
        for (std::size_t position = 0; position < whole.ids.size(); ++position) {
            if (whole.ids[position] != mask_id) continue;
            const Index at = static_cast<Index>(position) - prefix;
            const std::size_t best = widest(starts, sizes, at);
            const Index row = static_cast<Index>(position) - starts[best];
            places_of_text[best].push_back({ids.size(), number++, position, row});
        }
        for (std::size_t i = 0; i < windows_of_text.size(); ++i) {
            if (places_of_text[i].empty()) continue;
            windows.push_back(std::move(windows_of_text[i]));
            places.push_back(std::move(places_of_text[i]));
        }
        ids.push_back(whole.ids);
        num_masks.push_back(number);
    }

private:
    /// Of windows with these starts and sizes that in which token `at` is farthest from both ends;
    /// the first of equal ones.
    static std::size_t widest(const std::vector<Index>& starts, const std::vector<Index>& sizes,
                              Index at) {
        std::size_t best = 0;
        Index most = -1;
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            const Index before = at - starts[i];
            const Index margin = std::min(before, sizes[i] - 1 - before);
            if (margin <= most) continue;
            most = margin;
            best = i;
        }
        return best;
    }
};

}  // namespace nystromformer::detail
