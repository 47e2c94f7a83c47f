// SPDX-License-Identifier: MIT
// Where the tokens of a text are in its windows: each in that which shows most around it.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/tokenizer/encoding.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// A token's window, and its row there.
struct WindowPlace {
    std::size_t window;
    Index row;
};

/// Windows of a text that overlap by a stride.
class WindowPlaces {
public:
    /// `windows` cover `whole`, each with its special tokens and with `stride` tokens of the one
    /// before.
    WindowPlaces(const Encoding& whole, std::span<const Encoding> windows, Index stride) {
        const auto is_text = [](std::uint8_t special) { return special == 0; };
        const auto& specials = whole.special_tokens_mask;
        prefix_ = std::find_if(specials.begin(), specials.end(), is_text) - specials.begin();
        for (const Encoding& window : windows) {
            const auto& mask = window.special_tokens_mask;
            sizes_.push_back(std::count_if(mask.begin(), mask.end(), is_text));
        }
        step_ = sizes_.front() - stride;
    }

    /// Of token `position` of the whole text: of the windows that have it, the one in which it is
    /// farthest from both ends, the first of equal ones. What stands before the text is in the
    /// first window, what stands after it in the last.
    WindowPlace operator()(Index position) const {
        const std::size_t best = position < prefix_ ? 0 : widest(position - prefix_);
        return {best, position - static_cast<Index>(best) * step_};
    }

    /// How many of the first rows of a window stand before token `position` of the whole text. The
    /// special tokens before a later window's text count only where some of its text does.
    Index rows_before(std::size_t window, Index position) const {
        const Index row = position - static_cast<Index>(window) * step_;
        return window == 0 || row > prefix_ ? row : 0;
    }

private:
    std::size_t widest(Index at) const {
        std::size_t best = sizes_.size() - 1;
        Index most = -1;
        for (std::size_t i = 0; i < sizes_.size(); ++i) {
            const Index before = at - static_cast<Index>(i) * step_;
            if (before < 0) break;
            const Index margin = std::min(before, sizes_[i] - 1 - before);
            if (margin <= most) continue;
            most = margin;
            best = i;
        }
        return best;
    }

    Index prefix_ = 0, step_ = 0;
    std::vector<Index> sizes_;  // without special tokens
};

}  // namespace nystromformer::inline v0_2::detail
