// SPDX-License-Identifier: MIT
// Strict JSON for untrusted files: no duplicate keys, bounded depth and size, typed access that
// names the path.
#pragma once

#include <nystromformer/core/error.hpp>
#include <nystromformer/core/file.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace nystromformer::detail {

using Json = nlohmann::json;

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
/// program where there is none; this one does not.
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

/// Builds a Json while it refuses what nlohmann lets pass: duplicate keys and unbounded depth.
class StrictJsonBuilder {
public:
    /// `most_memory`: what the values may take, about.
    StrictJsonBuilder(std::string file, std::size_t max_depth, std::size_t most_memory)
        : file_(std::move(file)), max_depth_(max_depth), memory_left_(most_memory) {}

    StrictJsonBuilder(const StrictJsonBuilder&) = delete;
    StrictJsonBuilder& operator=(const StrictJsonBuilder&) = delete;
    ~StrictJsonBuilder() { dismantle(root_); }

    bool null() { return add(nullptr); }
    bool boolean(bool value) { return add(value); }
    bool number_integer(Json::number_integer_t value) { return add(value); }
    bool number_unsigned(Json::number_unsigned_t value) { return add(value); }
    bool number_float(Json::number_float_t value, const std::string& spelling) {
        if (!std::isfinite(value)) fail("a finite number", in_quotes(spelling));
        return add(value);
    }
    bool string(std::string& value) {
        take_memory(block_size + value.capacity());
        return add(std::move(value));
    }
    bool binary(Json::binary_t&) { return false; }
    bool start_object(std::size_t) { return open(Json::object()); }
    bool start_array(std::size_t) { return open(Json::array()); }
    bool end_object() { return close(); }
    bool end_array() { return close(); }
    bool key(std::string& name) {
        Json& object = *open_.back();
        if (object.contains(name)) fail("no duplicate key", in_quotes(name) + " twice");
        take_memory(2 * block_size + name.size());
        slot_ = &object[name];
        return true;
    }
    bool parse_error(std::size_t position, const std::string& token, const Json::exception& error) {
        // 1e400 arrives here as an out_of_range exception, not as a syntax error.
        const std::string reason = error.id == 406 ? "a number out of range" : "invalid JSON";
        throw FormatError({file_, "byte " + std::to_string(position), "JSON",
                           reason + " at " + in_quotes(token)});
    }

    JsonTree take() { return std::move(root_); }

private:
    template <typename Value>
    bool add(Value&& value) {
        place(Json(std::forward<Value>(value)));
        return true;
    }
    Json* place(Json value) {
        if (open_.empty()) {
            root_ = std::move(value);
            return &root_;
        }
        if (auto* array = open_.back()->get_ptr<Json::array_t*>()) {
            // It grows to twice its size, beside what it was.
            if (array->size() == array->capacity()) {
                take_memory(2 * array->capacity() * sizeof(Json));
                give_memory(array->capacity() * sizeof(Json));
            }
            array->push_back(std::move(value));
            return &array->back();
        }
        *slot_ = std::move(value);
        return slot_;
    }
    bool open(Json container) {
        if (open_.size() >= max_depth_)
            fail("a depth of at most " + std::to_string(max_depth_), "a deeper value");
        take_memory(2 * block_size);
        open_.push_back(place(std::move(container)));
        return true;
    }
    bool close() {
        open_.pop_back();
        return true;
    }
    void take_memory(std::size_t bytes) {
        if (bytes > memory_left_)
            fail("values of less memory for a file of this size", "many small values");
        memory_left_ -= bytes;
    }
    void give_memory(std::size_t bytes) { memory_left_ += bytes; }
    [[noreturn]] void fail(std::string expected, std::string found) const {
        throw FormatError({file_, "", std::move(expected), std::move(found)});
    }

    std::string file_;
    static constexpr std::size_t block_size = 48;  // of a small object on the heap

    std::size_t max_depth_;
    std::size_t memory_left_;
    Json root_;
    std::vector<Json*>
        open_;  // the containers around the next value; only the last one grows, so they stay put
    Json* slot_ = nullptr;  // where the value of the last key goes
};

/// Where a string, number or white space of more than `limit` bytes begins; npos where none does.
inline std::size_t long_token(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) return std::string_view::npos;
    bool in_string = false, in_space = false;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool was_space = in_space;
        in_space = !in_string && (c == ' ' || c == '\t' || c == '\r' || c == '\n');
        if (in_string && c == '\\') {
            ++i;
        } else if (c == '"') {
            in_string = !in_string;
            begin = i + 1;
        } else if (in_space != was_space) {
            begin = i;
        } else if (!in_string && std::string_view(",:{}[]").find(c) != std::string_view::npos) {
            begin = i + 1;
        }
        if (i >= begin && i - begin >= limit) return begin;
    }
    return std::string_view::npos;
}

/// For parse_json: a vocabulary of a million pieces takes less than three times its file's size.
inline constexpr std::size_t vocabulary_memory = 3;

/// Parses `text`; `file` names it in errors. Throws FormatError, also for values that would take
/// more than about `memory_ratio` times the text's size and 36 MiB: "[],[],[]" takes 30 times.
inline JsonTree parse_json(std::string_view text, const std::string& file,
                           std::size_t max_depth = 32, std::size_t memory_ratio = 1) {
    if (text.substr(0, 3) == "\xEF\xBB\xBF")
        throw FormatError({file, "byte 0", "JSON", "a byte order mark"});
    // nlohmann takes a zero byte for the end of the text and would pass over what follows it.
    if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
        throw FormatError({file, "byte " + std::to_string(zero), "JSON", "a zero byte"});
    }
    // nlohmann copies a string or number twice while it reads it.
    constexpr std::size_t longest_token = std::size_t{8} << 20;
    if (const auto begin = long_token(text, longest_token); begin != std::string_view::npos) {
        throw FormatError(
            {file, "byte " + std::to_string(begin),
             "strings and numbers of at most " + std::to_string(longest_token) + " bytes",
             "more: " + in_quotes(text.substr(begin))});
    }
    constexpr std::size_t free_memory = std::size_t{36} << 20;
    StrictJsonBuilder builder(file, max_depth, memory_ratio * text.size() + free_memory);
    Json::sax_parse(text.begin(), text.end(), &builder);
    return builder.take();
}

inline JsonTree read_json_file(const std::filesystem::path& path, std::uint64_t max_bytes,
                               const FileOptions& files = {}, std::size_t memory_ratio = 1) {
    return parse_json(read_file(path, max_bytes, files), path.string(), 32, memory_ratio);
}

/// A view of one value in a parsed file that knows its path, so that a wrong type is told with its
/// place. ErrorType is what it throws: ConfigError, TokenizerError or FormatError.
template <typename ErrorType>
class JsonView {
public:
    JsonView(const Json& value, std::string file, std::string path = "")
        : value_(&value), file_(std::move(file)), path_(std::move(path)) {}

    const Json& raw() const { return *value_; }
    const std::string& file() const { return file_; }
    std::string path() const { return path_.empty() ? "/" : path_; }

    bool is_null() const { return value_->is_null(); }
    bool is_object() const { return value_->is_object(); }
    bool is_array() const { return value_->is_array(); }
    bool is_string() const { return value_->is_string(); }

    /// True when the key is present, even with the value null.
    bool has(const char* key) const { return object().value_->contains(key); }
    /// True when the key is present and not null.
    bool holds(const char* key) const { return has(key) && !(*value_)[key].is_null(); }

    JsonView at(const std::string& key) const {
        const auto found = object().value_->find(key);
        if (found == value_->end())
            throw ErrorType({file_, path_ + '/' + printable(key), "a value", "nothing"});
        return {*found, file_, path_ + '/' + printable(key)};
    }
    JsonView at(std::size_t index) const {
        return {(*array().value_)[index], file_, path_ + '/' + std::to_string(index)};
    }
    std::size_t size() const { return value_->size(); }

    const JsonView& object() const { return value_->is_object() ? *this : fail("an object"); }
    const JsonView& array() const { return value_->is_array() ? *this : fail("an array"); }

    const std::string& string() const {
        if (!value_->is_string()) fail("a string");
        return value_->get_ref<const std::string&>();
    }
    bool boolean() const {
        if (!value_->is_boolean()) fail("true or false");
        return value_->get<bool>();
    }
    /// A JSON integer (2.0 and true are none) in [least, most].
    std::int64_t integer(std::int64_t least, std::int64_t most) const {
        const bool fits = value_->is_number_integer() &&
                          !(value_->is_number_unsigned() &&
                            value_->template get<std::uint64_t>() >
                                std::uint64_t{std::numeric_limits<std::int64_t>::max()});
        const std::int64_t result = fits ? value_->template get<std::int64_t>() : 0;
        if (!fits || result < least || result > most) {
            fail("an integer from " + std::to_string(least) + " to " + std::to_string(most));
        }
        return result;
    }
    double number() const {
        if (!value_->is_number()) fail("a number");
        return value_->get<double>();
    }

    /// Throws ErrorType at this place, with what is there as `found`.
    const JsonView& fail(std::string expected) const {
        throw ErrorType({file_, path(), std::move(expected), describe(*value_)});
    }

    static std::string describe(const Json& value) {
        if (value.is_object()) return "an object";
        if (value.is_array()) return "an array of " + std::to_string(value.size());
        if (value.is_string()) return in_quotes(value.get_ref<const std::string&>());
        return value.dump();
    }

private:
    const Json* value_;
    std::string file_;
    std::string path_;
};

}  // namespace nystromformer::detail
