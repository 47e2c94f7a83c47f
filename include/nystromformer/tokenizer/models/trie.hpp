// SPDX-License-Identifier: MIT
// A byte trie as a double array: one array access a byte, no hashing, no recursion.
#pragma once

#include <nystromformer/core/memory_budget.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Maps distinct non-empty byte strings to numbers >= 0.
class Trie {
public:
    static constexpr std::uint32_t root = 0;
    static constexpr std::uint32_t none = 0xFFFFFFFF;

    Trie() { grow(); }

    /// `key_at(i)` is key i of `count` and its number, in the order of the keys; the caller makes
    /// sure that they are distinct and not empty. Throws FormatError if `budget` is not enough.
    template <typename KeyAt>
    Trie(std::size_t count, const KeyAt& key_at, MemoryBudget& budget) {
        reserve(count, key_at, budget);
        grow();
        struct Range {
            std::size_t begin, end, depth;
            std::uint32_t node;
        };
        std::vector<Range> open;
        if (count > 0) open.push_back({0, count, 0, root});
        std::vector<std::uint8_t> labels;
        std::vector<std::size_t> starts;
        while (!open.empty()) {
            Range range = open.back();
            open.pop_back();
            const auto [first, number] = key_at(range.begin);
            if (first.size() == range.depth) {
                units_[range.node].value = number;
                ++range.begin;
            }
            labels.clear();
            starts.clear();
            for (std::size_t i = range.begin; i < range.end; ++i) {
                const auto label = static_cast<std::uint8_t>(key_at(i).first[range.depth]);
                if (!labels.empty() && labels.back() == label) continue;
                labels.push_back(label);
                starts.push_back(i);
            }
            if (labels.empty()) continue;
            starts.push_back(range.end);
            const std::uint32_t base = place(labels, range.node, budget);
            for (std::size_t i = 0; i < labels.size(); ++i)
                open.push_back({starts[i], starts[i + 1], range.depth + 1, base ^ labels[i]});
        }
        budget.give(next_free_.capacity() * sizeof(std::uint32_t));
        next_free_ = {};
    }

    /// The child of `node` by `byte`, or `none`.
    std::uint32_t child(std::uint32_t node, char byte) const {
        const std::uint32_t next = units_[node].base ^ static_cast<unsigned char>(byte);
        return units_[next].parent == node ? next : none;
    }

    /// The number of the key that ends at `node`, or -1.
    std::int32_t value(std::uint32_t node) const { return units_[node].value; }

    /// The number of `key`, or -1.
    std::int32_t find(std::string_view key) const {
        std::uint32_t node = root;
        for (const char byte : key)
            if ((node = child(node, byte)) == none) return -1;
        return value(node);
    }

private:
    struct Unit {
        std::uint32_t base = 0;
        std::uint32_t parent = none;
        std::int32_t value = -1;
    };

    static constexpr std::uint32_t block = 256;

    /// Room for a unit for each byte of a key that the key before does not begin with, and for
    /// some that stay free.
    template <typename KeyAt>
    void reserve(std::size_t count, const KeyAt& key_at, MemoryBudget& budget) {
        std::size_t nodes = 1;
        std::string_view before;
        for (std::size_t i = 0; i < count; ++i) {
            const std::string_view key = key_at(i).first;
            const auto shared = std::mismatch(before.begin(), before.end(), key.begin(), key.end());
            nodes += static_cast<std::size_t>(key.end() - shared.second);
            before = key;
        }
        make_room(nodes + nodes / 6 + 2 * block, budget);
    }
    void make_room(std::size_t units, MemoryBudget& budget) {
        constexpr std::size_t unit_size = sizeof(Unit) + sizeof(std::uint32_t);
        const std::size_t before = units_.capacity();
        budget.take(units * unit_size);
        units_.reserve(units);
        next_free_.reserve(units);
        budget.give(before * unit_size);
    }

    /// Adds a block of free units; its first is never used as a child of label 0 of the root.
    void grow() {
        const auto size = static_cast<std::uint32_t>(units_.size());
        units_.resize(size + block);
        for (std::uint32_t i = size; i < size + block; ++i) next_free_.push_back(i + 1);
        if (size == 0) {
            units_[root].parent = none - 1;  // taken
            first_free_ = next_try_ = 1;
        }
    }

    bool is_free(std::uint32_t unit) const { return units_[unit].parent == none; }

    /// Finds free units for all `labels` of `node`, takes them, and returns the base.
    std::uint32_t place(const std::vector<std::uint8_t>& labels, std::uint32_t node,
                        MemoryBudget& budget) {
        std::uint32_t base = find_base(labels);
        if (base == none) {
            base = static_cast<std::uint32_t>(units_.size());
            if (units_.size() + block > units_.capacity())
                make_room(units_.size() + units_.size() / 4, budget);
            grow();
        }
        for (const std::uint8_t label : labels) units_[base ^ label].parent = node;
        units_[node].base = base;
        return base;
    }

    /// A base for which the units of all `labels` are free, or none. One label takes any free unit,
    /// so that in the end hardly one is left; more labels go on where the last found theirs.
    std::uint32_t find_base(const std::vector<std::uint8_t>& labels) {
        constexpr int max_tries = 64;  // then a new block: bounded time for any vocabulary
        std::uint32_t& from = labels.size() == 1 ? first_free_ : next_try_;
        std::uint32_t* link = &from;
        for (int tries = 0; *link < units_.size() && tries < max_tries;) {
            if (!is_free(*link)) {
                *link = next_free_[*link];  // taken meanwhile: out of the list
                continue;
            }
            const std::uint32_t base = *link ^ labels[0];
            if (std::all_of(labels.begin(), labels.end(),
                            [&](std::uint8_t label) { return is_free(base ^ label); }))
                return base;
            link = &next_free_[*link];
            ++tries;
        }
        from = *link;
        return none;
    }

    std::vector<Unit> units_;
    std::vector<std::uint32_t> next_free_;  // while building: the free list
    std::uint32_t first_free_ = 0;          // the list's first
    std::uint32_t next_try_ = 0;            // where a node with several labels begins to look
};

}  // namespace nystromformer::inline v0_2::detail
