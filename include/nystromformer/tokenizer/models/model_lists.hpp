// SPDX-License-Identifier: MIT
// The long lists of a tokenizer's model, pieces and merges, as its file has them.
#pragma once

#include <nystromformer/core/memory_budget.hpp>
#include <nystromformer/tokenizer/piece_texts.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

constexpr std::size_t longest_piece = 4096;  // bounds the work for each byte of text

/// The pieces of a vocabulary in the order of the file, each with its id or score.
class PieceList {
public:
    /// What pieces take is taken from `budget`. Throws FormatError.
    void add(std::string_view text, double value, MemoryBudget& budget) {
        // The strings and numbers grow to twice their size while the old ones still exist.
        budget.take(2 * text.size() + 4 * sizeof(std::uint32_t) + 2 * sizeof(double));
        texts_.add(text);
        values_.push_back(value);
    }

    /// The pieces are complete: gives back what their growth was taken for.
    void settle(MemoryBudget& budget) const {
        budget.give(texts_.bytes() + size() * (2 * sizeof(std::uint32_t) + sizeof(double)));
    }

    std::size_t size() const { return values_.size(); }
    std::string_view text(std::size_t i) const { return texts_[i]; }
    double value(std::size_t i) const { return values_[i]; }

    /// Numbers of pieces by their texts; equal ones in the order of the file.
    const std::vector<std::uint32_t>& sorted() {
        if (order_.size() != size()) {
            order_.resize(size());
            std::iota(order_.begin(), order_.end(), 0U);
            std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
                const int sign = text(a).compare(text(b));
                return sign < 0 || (sign == 0 && a < b);
            });
        }
        return order_;
    }
    /// The first piece whose text was there before, or none.
    std::optional<std::size_t> repeated() {
        std::optional<std::size_t> first;
        for (std::size_t i = 1; i < sorted().size(); ++i)
            if (text(order_[i - 1]) == text(order_[i]))
                first = std::min<std::size_t>(first.value_or(order_[i]), order_[i]);
        return first;
    }
    /// Numbers of the pieces as sorted(), of equal ones the last alone.
    std::vector<std::uint32_t> last_of_each(MemoryBudget& budget) {
        std::vector<std::uint32_t> result;
        budget.take(size() * sizeof(std::uint32_t));
        result.reserve(size());
        for (std::size_t i = 0; i < sorted().size(); ++i) {
            const bool is_last = i + 1 == order_.size() || text(order_[i]) != text(order_[i + 1]);
            if (is_last) result.push_back(order_[i]);
        }
        budget.give((size() - result.size()) * sizeof(std::uint32_t));
        return result;
    }

    /// Keeps of equal pieces the last alone, in the order of the file.
    void drop_repeated(MemoryBudget& budget) {
        std::vector<std::uint32_t> kept = last_of_each(budget);
        std::sort(kept.begin(), kept.end());
        PieceList result;
        for (const std::uint32_t i : kept) result.add(text(i), value(i), budget);
        result.settle(budget);
        settle(budget);  // the other half of what add() took for this list
        budget.give(kept.size() * sizeof(std::uint32_t));
        *this = std::move(result);
    }

    /// The first piece of this text, or none.
    std::optional<std::size_t> find(std::string_view wanted) {
        const auto& order = sorted();
        const auto found = std::lower_bound(
            order.begin(), order.end(), wanted,
            [&](std::uint32_t i, std::string_view value) { return text(i) < value; });
        if (found == order.end() || text(*found) != wanted) return std::nullopt;
        return *found;
    }

    PieceTexts take_texts() && { return std::move(texts_); }
    std::vector<double> take_values() && { return std::move(values_); }

private:
    PieceTexts texts_;
    std::vector<double> values_;
    std::vector<std::uint32_t> order_;
};

/// The merges of a BPE model in their order.
class MergeList {
public:
    void add(std::string_view left, std::string_view right, MemoryBudget& budget) {
        budget.take(2 * (left.size() + right.size()) + 4 * sizeof(std::uint32_t));
        sides_.add(left);
        sides_.add(right);
    }
    void settle(MemoryBudget& budget) const {
        budget.give(sides_.bytes() + sides_.size() * sizeof(std::uint32_t));
    }
    std::size_t size() const { return sides_.size() / 2; }
    std::string_view left(std::size_t i) const { return sides_[2 * i]; }
    std::string_view right(std::size_t i) const { return sides_[2 * i + 1]; }

private:
    PieceTexts sides_;
};

}  // namespace nystromformer::inline v0_2::detail
