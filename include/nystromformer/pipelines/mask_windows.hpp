// SPDX-License-Identifier: MIT
// The masks of texts, each in the window of its text that shows most of its surroundings.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/pipelines/window_places.hpp>
#include <nystromformer/tokenizer/encoding.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

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

    /// Adds a text that `windows_of_text` cover with overlaps of `stride` tokens.
    void add(const Encoding& whole, std::vector<Encoding> windows_of_text, Index stride,
             std::int64_t mask_id) {
        const WindowPlaces window_of(whole, windows_of_text, stride);
        std::vector<std::vector<MaskPlace>> places_of_text(windows_of_text.size());
        std::size_t number = 0;
        for (std::size_t position = 0; position < whole.ids.size(); ++position) {
            if (whole.ids[position] != mask_id) continue;
            const auto [window, row] = window_of(static_cast<Index>(position));
            places_of_text[window].push_back({ids.size(), number++, position, row});
        }
        for (std::size_t i = 0; i < windows_of_text.size(); ++i) {
            if (places_of_text[i].empty()) continue;
            windows.push_back(std::move(windows_of_text[i]));
            places.push_back(std::move(places_of_text[i]));
        }
        ids.push_back(whole.ids);
        num_masks.push_back(number);
    }
};

}  // namespace nystromformer::inline v0_2::detail
