// SPDX-License-Identifier: MIT
// Builds JSON values of untrusted files while they are parsed: no duplicate keys, bounded depth and
// memory, and long lists given away element by element.
#pragma once

#include <nystromformer/core/finite.hpp>
#include <nystromformer/core/json_events.hpp>
#include <nystromformer/core/json_tree.hpp>
#include <nystromformer/core/memory_budget.hpp>
#include <nystromformer/error.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Takes nlohmann's events while it refuses what nlohmann lets pass. Throws FormatError.
class StrictJsonBuilder {
public:
    /// Both must outlive this.
    StrictJsonBuilder(MemoryBudget& budget, const JsonRules& rules)
        : budget_(budget), rules_(rules) {}

    StrictJsonBuilder(const StrictJsonBuilder&) = delete;
    StrictJsonBuilder& operator=(const StrictJsonBuilder&) = delete;
    ~StrictJsonBuilder() {
        dismantle(root_);
        dismantle(element_);
    }

    bool null() { return add(nullptr); }
    bool boolean(bool value) { return add(value); }
    bool number_integer(Json::number_integer_t value) { return add(value); }
    bool number_unsigned(Json::number_unsigned_t value) { return add(value); }
    bool number_float(Json::number_float_t value, const std::string& spelling) {
        if (!is_finite(value)) fail("a finite number", in_quotes(spelling));
        return add(rules_.float_value == nullptr ? value : rules_.float_value(spelling));
    }
    bool string(std::string& value) {
        if (rules_.has_marked_literals && value.starts_with('\1')) {
            constexpr double infinity = std::numeric_limits<double>::infinity();
            if (value == "\1NaN") return add(std::numeric_limits<double>::quiet_NaN());
            if (value == "\1Infinity") return add(infinity);
            if (value == "\1-Infinity") return add(-infinity);
        }
        take(block_size + value.capacity());
        return add(std::move(value));
    }
    bool binary(Json::binary_t&) { return false; }
    bool start_object(std::size_t) { return open(Json::object()); }
    bool start_array(std::size_t) { return open(Json::array()); }
    bool end_object() { return close(); }
    bool end_array() { return close(); }
    bool key(std::string& name) {
        if (in_stream()) {
            element_key_.swap(name);
            return true;
        }
        Open& object = open_.back();
        if (rules_.has_marked_literals && name.starts_with('\1') && name != "\1")
            fail("a key between quotes", in_quotes(name.substr(1)));
        if (object.value->contains(name)) {
            if (!rules_.on_repeated_key) fail("no duplicate key", in_quotes(name) + " twice");
            rules_.on_repeated_key(name);
            dismantle((*object.value)[name]);
        }
        take(2 * block_size + name.size());
        object.slot = &(*object.value)[name];
        object.key = name;
        return true;
    }
    bool parse_error(std::size_t position, const std::string& token, const Json::exception& error) {
        refuse_byte(position, "JSON", parse_error_text(token, error));
    }
    [[noreturn]] void refuse_byte(std::size_t byte, std::string expected, std::string found) const {
        throw FormatError({budget_.file(), "byte " + std::to_string(byte), std::move(expected),
                           std::move(found)});
    }

    JsonTree take_tree() { return std::move(root_); }

private:
    static constexpr std::size_t block_size = 48;  // of a small object on the heap

    /// A container around the next value. Only the last one grows, so the values stay put.
    struct Open {
        Json* value;
        std::string key = {};  // of its last value
        Json* slot = nullptr;  // where that goes
    };

    template <typename Value>
    bool add(Value&& value) {
        place(Json(std::forward<Value>(value)));
        if (in_stream()) give_element_away();
        return true;
    }
    Json* place(Json value) {
        if (open_.empty()) {
            root_ = std::move(value);
            return &root_;
        }
        if (in_stream()) {
            element_ = std::move(value);
            return &element_;
        }
        if (auto* array = open_.back().value->get_ptr<Json::array_t*>()) {
            // It grows to twice its size while the old one still exists.
            if (array->size() == array->capacity()) {
                take(2 * array->capacity() * sizeof(Json));
                give(array->capacity() * sizeof(Json));
            }
            array->push_back(std::move(value));
            return &array->back();
        }
        *open_.back().slot = std::move(value);
        return open_.back().slot;
    }
    bool open(Json container) {
        if (open_.size() >= max_json_depth)
            fail("a depth of at most " + std::to_string(max_json_depth), "a deeper value");
        take(2 * block_size);
        const JsonStream* stream = stream_ == nullptr ? stream_here() : nullptr;
        open_.push_back({place(std::move(container))});
        if (stream != nullptr) {
            stream_ = stream;
            stream_depth_ = open_.size();
            element_memory_ = 0;
        }
        return true;
    }
    bool close() {
        const bool ends_stream = in_stream();
        open_.pop_back();
        if (ends_stream) {
            stream_ = nullptr;
        } else if (in_stream()) {
            give_element_away();
        }
        return true;
    }

    /// The stream whose path leads to the value that comes next, or null.
    const JsonStream* stream_here() const {
        const auto leads_here = [&](const JsonStream& stream) {
            return std::equal(stream.path.begin(), stream.path.end(), open_.begin(), open_.end(),
                              [](const std::string& key, const Open& open) {
                                  return open.slot != nullptr && open.key == key;
                              });
        };
        const auto found = std::find_if(rules_.streams.begin(), rules_.streams.end(), leads_here);
        return found == rules_.streams.end() ? nullptr : &*found;
    }
    /// True if the next value is an element of a stream.
    bool in_stream() const { return stream_ != nullptr && open_.size() == stream_depth_; }

    void give_element_away() {
        const bool is_object = open_.back().value->is_object();
        stream_->add(is_object ? &element_key_ : nullptr, element_);
        dismantle(element_);
        element_ = nullptr;
        budget_.give(std::exchange(element_memory_, 0));
    }

    void take(std::size_t bytes) {
        budget_.take(bytes);
        if (stream_ != nullptr) element_memory_ += bytes;
    }
    void give(std::size_t bytes) {
        budget_.give(bytes);
        if (stream_ != nullptr) element_memory_ -= bytes;
    }
    [[noreturn]] void fail(std::string expected, std::string found) const {
        throw FormatError({budget_.file(), "", std::move(expected), std::move(found)});
    }

    MemoryBudget& budget_;
    const JsonRules& rules_;
    Json root_;
    std::vector<Open> open_;
    const JsonStream* stream_ = nullptr;  // that is open
    std::size_t stream_depth_ = 0;        // of open containers where its elements are
    Json element_;                        // of the stream
    std::string element_key_;
    std::size_t element_memory_ = 0;
};

}  // namespace nystromformer::inline v0_2::detail
