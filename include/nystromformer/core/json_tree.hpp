// SPDX-License-Identifier: MIT
// A parsed JSON text, and how it is to be read.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

using Json = nlohmann::json;

/// How many arrays and objects may contain each other: parse_json refuses more.
constexpr std::size_t max_json_depth = 32;

/// Empties a value, of bounded depth, without taking memory.
inline void dismantle(Json& value) noexcept {
    if (auto* array = value.get_ptr<Json::array_t*>()) {
        for (Json& item : *array) dismantle(item);
        array->clear();
    } else if (auto* object = value.get_ptr<Json::object_t*>()) {
        for (auto& [key, item] : *object) dismantle(item);
        object->clear();
    }
}

/// A parsed Json. nlohmann's destructor takes memory for a list of what it frees, and ends the
/// program if there is none; this one does not.
struct JsonTree {
    Json value;

    JsonTree(Json json) : value(std::move(json)) {}
    JsonTree(JsonTree&&) = default;
    JsonTree& operator=(JsonTree&& other) noexcept {
        std::swap(value, other.value);
        return *this;
    }
    ~JsonTree() { dismantle(value); }
    operator const Json&() const { return value; }
};

/// An array or object whose elements are passed on as they are read; it stays empty.
struct JsonStream {
    std::vector<std::string> path;  ///< the keys that lead to it; none: the root
    /// Gets each element with its key, or null in an array. Two keys may be equal.
    std::function<void(const std::string* key, const Json& value)> add;
};

/// How a file is read.
struct JsonRules {
    std::vector<JsonStream> streams = {};
    /// The value of a number that is no integer; null: the nearest double.
    double (*float_value)(std::string_view spelling) = nullptr;
    /// Strings "\u0001NaN", "\u0001Infinity" and "\u0001-Infinity" are those numbers: see
    /// python_json.hpp.
    bool has_marked_literals = false;
    /// Called for a key that its object has already, whose last value counts; none: FormatError.
    std::function<void(const std::string& key)> on_repeated_key = {};
};

}  // namespace nystromformer::inline v0_2::detail
