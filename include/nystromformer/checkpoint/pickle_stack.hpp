// SPDX-License-Identifier: MIT
// The values of a pickle and the stack, marks and memo that build them.
#pragma once

#include <nystromformer/checkpoint/byte_cursor.hpp>
#include <nystromformer/dtype.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// What a pickle may hold. Values point to each other, so one that is used often costs nothing, and
/// nothing here walks through them recursively.
struct PickleValue {
    enum class Kind {
        none,
        boolean,
        integer,
        real,
        string,
        tuple,
        list,
        dict,
        global,
        storage,
        tensor
    };

    Kind kind = Kind::none;
    std::int64_t integer = 0;  ///< value; global: which one; storage: numel; tensor: offset
    std::string_view text;     ///< string; storage: its key
    std::vector<const PickleValue*> items;  ///< elements; dict: key, value, key, value, ...;
                                            ///< tensor: storage, shape, strides
    DType dtype = DType::f32;               ///< storage
};

/// What a value is, for messages.
inline std::string describe(PickleValue::Kind kind) {
    constexpr std::array<const char*, 11> names{
        "None",   "a bool", "an integer",          "a float",   "a string", "a tuple",
        "a list", "a dict", "a class or function", "a storage", "a tensor"};
    return names[static_cast<std::size_t>(kind)];
}

/// The memory of the machine. Every misuse by the bytes at hand is a FormatError with their place.
class PickleStack {
protected:
    using Kind = PickleValue::Kind;
    using Values = std::vector<const PickleValue*>;
    static constexpr std::size_t max_marks = 64;

    PickleStack(std::span<const std::byte> bytes, const std::string& file)
        : cursor_(bytes, file, "data.pkl") {}

    PickleValue& push(Kind kind) {
        PickleValue& value = values_.emplace_back();
        value.kind = kind;
        stack_.push_back(&value);
        return value;
    }

    // The part of the stack above the last mark is all that an operation can reach.
    std::size_t depth() const { return stack_.size() - (marks_.empty() ? 0 : marks_.back()); }

    PickleValue& top() {
        if (depth() == 0) cursor_.fail("a value on the stack", "none");
        return *stack_.back();
    }
    const PickleValue* pop() {
        const PickleValue* value = &top();
        stack_.pop_back();
        return value;
    }
    Values pop_many(std::size_t count) {
        if (depth() < count)
            cursor_.fail(std::to_string(count) + " values on the stack", std::to_string(depth()));
        const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
        Values values(first, stack_.end());
        stack_.erase(first, stack_.end());
        return values;
    }

    void mark() {
        if (marks_.size() == max_marks)
            cursor_.fail("a depth of at most " + std::to_string(max_marks), "more");
        marks_.push_back(stack_.size());
    }
    Values pop_to_mark() {
        if (marks_.empty()) cursor_.fail("a mark on the stack", "none");
        auto values = pop_many(depth());
        marks_.pop_back();
        return values;
    }
    bool is_bare() const { return stack_.empty() && marks_.empty(); }

    void memoize() { memo_.push_back(&top()); }
    void put(std::size_t index) {
        // Picklers count from 0, so an index beyond the next is none of theirs.
        if (index > memo_.size()) {
            cursor_.fail("a memo of at most " + std::to_string(memo_.size()),
                         std::to_string(index));
        }
        if (index == memo_.size()) return memoize();
        memo_[index] = &top();
    }
    void get(std::size_t index) {
        if (index >= memo_.size())
            cursor_.fail("a memo below " + std::to_string(memo_.size()), std::to_string(index));
        stack_.push_back(memo_[index]);
    }

    const PickleValue& expect(const PickleValue* value, Kind kind) const {
        if (value->kind != kind) cursor_.fail(describe(kind), describe(value->kind));
        return *value;
    }

    /// Adds to the list or dict on the top.
    void extend(Kind kind, const Values& items) {
        if (kind == Kind::dict && items.size() % 2 != 0)
            cursor_.fail("keys and values in pairs", "a key alone");
        expect(&top(), kind);
        top().items.insert(top().items.end(), items.begin(), items.end());
    }

    ByteCursor cursor_;

private:
    std::deque<PickleValue> values_;  // a deque, for its elements stay where they are
    std::vector<PickleValue*> stack_;
    std::vector<PickleValue*> memo_;
    std::vector<std::size_t> marks_;
};

}  // namespace nystromformer::inline v0_2::detail
