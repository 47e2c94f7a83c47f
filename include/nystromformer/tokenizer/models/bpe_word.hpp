// SPDX-License-Identifier: MIT
// A word while BPE merges it.
#pragma once

#include <nystromformer/tokenizer/models/merge_table.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// The pieces of a word in order, with the merge that each could make with the next one. Short
/// words are searched for their best merge, long ones keep a heap: O(n log n) for any length.
class BpeWord {
public:
    void clear() { symbols_.clear(); }
    void add(std::int32_t id, std::uint32_t bytes) {
        symbols_.push_back({id, bytes, Merge::never, -1, none, none});
    }

    void merge_all(const MergeTable& merges) {
        constexpr std::size_t short_word = 40;
        if (symbols_.size() <= short_word) {
            merge_by_search(merges);
        } else {
            merge_by_heap(merges);
        }
    }

    /// Calls `visit(id, bytes)` for each piece.
    template <typename Visit>
    void for_each(Visit&& visit) const {
        for (const Symbol& symbol : symbols_)
            if (symbol.bytes != 0) visit(symbol.id, symbol.bytes);
    }

private:
    static constexpr std::uint32_t none = 0xFFFFFFFF;
    struct Symbol {
        std::int32_t id;
        std::uint32_t bytes;     // 0: merged into the one before
        std::uint32_t rank;      // of the merge with the next one
        std::int32_t merged;     // what it gives
        std::uint32_t previous;  // in the heap's list
        std::uint32_t next;
    };
    struct Candidate {
        std::uint32_t rank;
        std::uint32_t place;
        std::int32_t merged;
        /// For a heap with the lowest rank, then the leftmost place, on top.
        bool operator<(const Candidate& other) const {
            return rank != other.rank ? rank > other.rank : place > other.place;
        }
    };

    static void look_up(const MergeTable& merges, Symbol& left, const Symbol& right) {
        const Merge merge = merges.find(left.id, right.id);
        left.rank = merge.rank;
        left.merged = merge.id;
    }

    void merge_by_search(const MergeTable& merges) {
        std::size_t size = symbols_.size();
        for (std::size_t i = 0; i + 1 < size; ++i) look_up(merges, symbols_[i], symbols_[i + 1]);
        while (size > 1) {
            std::size_t best = 0;
            for (std::size_t i = 1; i + 1 < size; ++i)
                if (symbols_[i].rank < symbols_[best].rank) best = i;
            if (symbols_[best].rank == Merge::never) break;
            symbols_[best].id = symbols_[best].merged;
            symbols_[best].bytes += symbols_[best + 1].bytes;
            symbols_[best].rank = Merge::never;
            std::copy(symbols_.begin() + static_cast<std::ptrdiff_t>(best) + 2,
                      symbols_.begin() + static_cast<std::ptrdiff_t>(size),
                      symbols_.begin() + static_cast<std::ptrdiff_t>(best) + 1);
            --size;
            if (best + 1 < size) look_up(merges, symbols_[best], symbols_[best + 1]);
            if (best > 0) look_up(merges, symbols_[best - 1], symbols_[best]);
        }
        symbols_.resize(size);
    }

    void merge_by_heap(const MergeTable& merges) {
        heap_.clear();
        for (std::uint32_t i = 0; i < symbols_.size(); ++i) {
            symbols_[i].previous = i == 0 ? none : i - 1;
            symbols_[i].next = i + 1 < symbols_.size() ? i + 1 : none;
        }
        for (std::uint32_t i = 0; i < symbols_.size(); ++i) offer(merges, i);
        while (!heap_.empty()) {
            std::pop_heap(heap_.begin(), heap_.end());
            const Candidate top = heap_.back();
            heap_.pop_back();
            Symbol& left = symbols_[top.place];
            if (left.bytes == 0 || left.rank != top.rank) continue;  // merged otherwise meanwhile
            Symbol& right = symbols_[left.next];
            left.id = top.merged;
            left.bytes += right.bytes;
            right.bytes = 0;
            left.next = right.next;
            if (left.next != none) symbols_[left.next].previous = top.place;
            if (left.previous != none) offer(merges, left.previous);
            offer(merges, top.place);
        }
    }

    void offer(const MergeTable& merges, std::uint32_t place) {
        Symbol& left = symbols_[place];
        left.rank = Merge::never;
        if (left.next == none) return;
        look_up(merges, left, symbols_[left.next]);
        if (left.rank == Merge::never) return;
        heap_.push_back({left.rank, place, left.merged});
        std::push_heap(heap_.begin(), heap_.end());
    }

    std::vector<Symbol> symbols_;
    std::vector<Candidate> heap_;
};

}  // namespace nystromformer::inline v0_2::detail
