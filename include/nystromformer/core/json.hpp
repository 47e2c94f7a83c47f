// SPDX-License-Identifier: MIT
// Strict JSON for untrusted files: no duplicate keys, bounded depth and size, typed access that
// names the path.
#pragma once

#include <nystromformer/core/file.hpp>
#include <nystromformer/core/json_tree.hpp>
#include <nystromformer/core/memory_budget.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace nystromformer::inline v0_2::detail {

/// Parses `text`, whose values may take what `budget` has left. Throws FormatError.
JsonTree parse_json(std::string_view text, MemoryBudget& budget, const JsonRules& rules = {});

/// The same; `file` names the text in errors. Values may take about the text's size and 48 MiB:
/// those of "[],[],[]" would take 30 times its size.
inline JsonTree parse_json(std::string_view text, const std::string& file) {
    MemoryBudget budget(file, text.size(), 1);
    return parse_json(text, budget);
}

inline JsonTree read_json_file(const std::filesystem::path& path, std::uint64_t max_bytes,
                               const FileOptions& files = {}) {
    return parse_json(read_file(path, max_bytes, files), path_to_utf8(path));
}

/// A value in the words of an error message.
std::string describe_json(const Json& value);

/// A view of one value in a parsed file that knows its path, for errors that name the place. It
/// holds no memory of its own: its source must outlive it. ErrorType is the class that it throws:
/// ConfigError, TokenizerError or FormatError.
template <typename ErrorType>
class JsonView {
public:
    /// `prefix` is the path of `value` in the file, if it is not the root.
    JsonView(const Json& value, const std::string& file, const std::string& prefix = no_prefix)
        : value_(&value), file_(&file), prefix_(&prefix) {}
    JsonView(const Json& value, std::string&& file) = delete;
    JsonView(const Json& value, const std::string& file, std::string&& prefix) = delete;

    const Json& raw() const { return *value_; }
    const std::string& file() const { return *file_; }
    std::string path() const { return depth_ == 0 && prefix_->empty() ? "/" : path_here(); }

    bool is_null() const { return value_->is_null(); }
    bool is_object() const { return value_->is_object(); }
    bool is_array() const { return value_->is_array(); }
    bool is_string() const { return value_->is_string(); }

    /// True when the key is present, even with the value null.
    bool has(std::string_view key) const { return find(key) != nullptr; }
    /// True when the key is present and not null.
    bool holds(std::string_view key) const {
        const Json* value = find(key);
        return value != nullptr && !value->is_null();
    }

    JsonView at(std::string_view key) const {
        const auto& items = object().value_->template get_ref<const Json::object_t&>();
        const auto found = items.find(key);
        if (found == items.end())
            throw ErrorType({file(), path_here() + '/' + printable(key), "a value", "nothing"});
        return part(found->second, {&found->first, 0});
    }
    JsonView at(std::size_t index) const {
        return part((*array().value_)[index], {nullptr, index});
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

    /// Throws ErrorType at this place, with the value as `found`.
    const JsonView& fail(std::string expected) const {
        throw ErrorType({file(), path(), std::move(expected), describe_json(*value_)});
    }

private:
    static inline const std::string no_prefix;

    const Json* find(std::string_view key) const {
        const auto& items = object().value_->template get_ref<const Json::object_t&>();
        const auto found = items.find(key);
        return found == items.end() ? nullptr : &found->second;
    }

    /// One step from the root: a key of the tree, or an index.
    struct Step {
        const std::string* key;
        std::size_t index;
    };

    JsonView part(const Json& value, Step step) const {
        JsonView result = *this;
        result.value_ = &value;
        // Parsed files are never deeper; a deeper value keeps the path of the last step.
        if (depth_ < result.steps_.size()) result.steps_[result.depth_++] = step;
        return result;
    }
    std::string path_here() const {
        std::string path = *prefix_;
        for (std::size_t i = 0; i < depth_; ++i) {
            path += '/';
            path += steps_[i].key ? printable(*steps_[i].key) : std::to_string(steps_[i].index);
        }
        return path;
    }

    const Json* value_;
    const std::string* file_;
    const std::string* prefix_;
    std::size_t depth_ = 0;
    std::array<Step, max_json_depth> steps_{};
};

}  // namespace nystromformer::inline v0_2::detail

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/core/json_parser.hpp>
#endif
