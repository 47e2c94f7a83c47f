// SPDX-License-Identifier: MIT
// The merges of a BPE model as a hash table: two neighbouring pieces to the one that replaces them.
#pragma once

#include <nystromformer/core/checked.hpp>
#include <nystromformer/core/memory_budget.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// What becomes of a pair. Merges of lower rank come first.
struct Merge {
    static constexpr std::uint32_t never = 0xFFFFFFFF;
    std::uint32_t rank = never;
    std::int32_t id = -1;
};

/// Both sides of a merge that is written "left right"; nothing if there is not one space.
inline std::optional<std::pair<std::string_view, std::string_view>> split_merge(
    std::string_view text) {
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos)
        return std::nullopt;
    return std::pair(text.substr(0, space), text.substr(space + 1));
}

/// Open addressing in a table at most half full.
class MergeTable {
public:
    struct Entry {
        std::int32_t left;
        std::int32_t right;
        Merge merge;
    };

    MergeTable() : slots_(1) {}

    /// Of two entries for a pair the later one counts. Throws FormatError if `budget` is not
    /// enough.
    MergeTable(const std::vector<Entry>& entries, MemoryBudget& budget) {
        std::size_t size = std::bit_ceil(2 * entries.size() + 1);
        budget.take(size * sizeof(Slot));
        // Another seed, and a larger table from time to time, so that no file can make long runs.
        while (!fill(entries, size)) {
            if (++seed_ % 4 != 0) continue;
            size *= 2;
            budget.take(size * sizeof(Slot));  // while the smaller one still exists
        }
    }

    /// The merge of `left` and `right`, of rank `never` if there is none.
    Merge find(std::int32_t left, std::int32_t right) const {
        const std::uint64_t wanted = key(left, right);
        for (std::size_t at = hash(wanted) & mask_;; at = (at + 1) & mask_) {
            if (slots_[at].key == wanted) return slots_[at].merge;
            if (slots_[at].key == free_key) return {};
        }
    }

private:
    struct Slot {
        std::uint64_t key = free_key;
        Merge merge;
    };
    static constexpr std::uint64_t free_key = ~std::uint64_t{0};  // ids are not negative
    static constexpr std::size_t longest_run = 64;

    static std::uint64_t key(std::int32_t left, std::int32_t right) {
        return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 |
               static_cast<std::uint32_t>(right);
    }

    /// The mixing steps of SplitMix64.
    std::size_t hash(std::uint64_t value) const {
        value += seed_ * 0x9E3779B97F4A7C15U;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9U;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EBU;
        return as<std::size_t>(value ^ (value >> 31));
    }

    bool fill(const std::vector<Entry>& entries, std::size_t size) {
        slots_.assign(size, {});
        mask_ = size - 1;
        for (const Entry& entry : entries) {
            const std::uint64_t wanted = key(entry.left, entry.right);
            std::size_t at = hash(wanted) & mask_;
            for (std::size_t run = 0; slots_[at].key != free_key && slots_[at].key != wanted;
                 ++run) {
                if (run == longest_run) return false;
                at = (at + 1) & mask_;
            }
            slots_[at] = {wanted, entry.merge};
        }
        return true;
    }

    std::vector<Slot> slots_;
    std::size_t mask_ = 0;
    std::uint64_t seed_ = 1;
};

}  // namespace nystromformer::inline v0_2::detail
