// SPDX-License-Identifier: MIT
// Where the tokens of a text are in its windows: each in that which shows most around it.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/tokenizer/encoding.hpp>
#include <nystromformer/tokenizer/truncation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nystromformer::detail {

/// A token's window, and its row there.
struct WindowPlace {
    std::size_t window;
    Index row;
};

/// Windows of a text that overlap by a stride.
class WindowPlaces {
public:
    /// `windows` cover `whole`, from its start or (Direction::left) from its end, each with its
    /// special tokens and with `stride` tokens of the one before.
    WindowPlaces(const Encoding& whole, std::span<const Encoding> windows, Index stride,
                 Direction direction) {
        const auto is_text = [](std::uint8_t special) { return special == 0; };
        const auto& specials = whole.special_tokens_mask;
        prefix_ = std::find_if(specials.begin(), specials.end(), is_text) - specials.begin();
        for (const Encoding& window : windows) {
            const auto& mask = window.special_tokens_mask;
            sizes_.push_back(std::count_if(mask.begin(), mask.end(), is_text));
        }
        const Index step = sizes_.front() - stride;
        const Index size = std::count_if(specials.begin(), specials.end(), is_text);
        for (std::size_t i = 0; i < sizes_.size(); ++i) {
            const Index first = static_cast<Index>(i) * step;
            starts_.push_back(direction == Direction::left ? size - first - sizes_[i] : first);
        }
        first_ = direction == Direction::left ? sizes_.size() - 1 : 0;
        last_ = sizes_.size() - 1 - first_;
    }

    /// Of token `position` of the whole text: of the windows that have it, the one in which it is
    /// farthest from both ends, the first of equal ones. What stands before the text is in the
    /// window of its start, what stands after it in that of its end.
    WindowPlace operator()(Index position) const {
        const std::size_t best = position < prefix_ ? first_ : widest(position - prefix_);
        return {best, position - starts_[best]};
    }

private:
    std::size_t widest(Index at) const {
        std::size_t best = last_;
        Index most = -1;
        for (std::size_t i = 0; i < sizes_.size(); ++i) {
            const Index before = at - starts_[i];
            const Index margin = std::min(before, sizes_[i] - 1 - before);
            if (margin <= most) continue;
            most = margin;
            best = i;
        }
        return best;
    }

    Index prefix_ = 0;
    std::size_t first_ = 0, last_ = 0;  // the windows of the text's start and end
    std::vector<Index> starts_;         // of the windows, among the tokens of the text
    std::vector<Index> sizes_;          // without special tokens
};

}  // namespace nystromformer::detail
