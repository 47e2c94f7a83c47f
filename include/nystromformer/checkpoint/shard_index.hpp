// SPDX-License-Identifier: MIT
// The index of a sharded checkpoint: which file holds which tensor.
#pragma once

#include <nystromformer/checkpoint/header_sax.hpp>
#include <nystromformer/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace nystromformer::inline v0_2::detail {

/// True for a plain file name that stays in its folder on every system: [A-Za-z0-9._-]+, ending in
/// `extension`, with something before that, and no leading dot.
inline bool is_plain_file_name(std::string_view name, std::string_view extension) {
    const auto plain = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    };
    return name.size() > extension.size() && name.size() <= 255 && name.ends_with(extension) &&
           name.front() != '.' && std::all_of(name.begin(), name.end(), plain);
}

/// Reads {"metadata": anything, "weight_map": {"tensor": "model-00001-of-00002.safetensors", ...}}.
/// Everything but weight_map is skipped: wild files put more there, and total_size is often wrong.
class ShardIndex final : public HeaderSax {
public:
    static constexpr std::size_t max_shards = 4096;
    static constexpr std::size_t max_tensors = 1'000'000;

    /// `extension` is ".safetensors" or ".bin". Throws FormatError, and UnsafePathError for a file
    /// name that is not plain, before any of them is opened.
    static ShardIndex parse(std::string_view text, const std::string& file, std::string extension) {
        ShardIndex index(file);
        index.extension_ = std::move(extension);
        parse_json_events(text, max_token_bytes, index);
        if (index.weight_map.empty()) index.fail("a weight_map that names tensors", "none");
        return index;
    }

    std::map<std::string, std::string, std::less<>> weight_map;
    std::set<std::string> shards;

    // The events of the parser.
    bool null() { return other("null"); }
    bool boolean(bool value) { return other(value ? "true" : "false"); }
    bool number_integer(std::int64_t value) { return other(std::to_string(value)); }
    bool number_unsigned(std::uint64_t value) { return other(std::to_string(value)); }
    bool number_float(double, const std::string& spelling) { return other(printable(spelling)); }
    bool binary(Json::binary_t&) { return false; }
    bool string(std::string& value) {
        if (at_ != At::map) return other(in_quotes(value));
        if (!is_plain_file_name(value, extension_)) {
            throw UnsafePathError({file_, place(path()),
                                   "a plain file name ending in " + extension_, in_quotes(value)});
        }
        if (shards.insert(value).second && shards.size() > max_shards)
            fail("at most " + std::to_string(max_shards) + " files", "more");
        weight_map.at(key_) = std::move(value);
        return true;
    }
    bool start_object(std::size_t) {
        if (at_ == At::before) {
            at_ = At::top;
        } else if (at_ == At::map_object) {
            at_ = At::map;
        } else {
            return open("an object");
        }
        return true;
    }
    bool end_object() {
        if (skipped_ != 0) return close();
        at_ = at_ == At::map ? At::top : At::after;
        return true;
    }
    bool start_array(std::size_t) { return open("an array"); }
    bool end_array() { return close(); }
    bool key(std::string& name) {
        if (skipped_ != 0) return true;
        if (at_ == At::map) {
            check_name(name);
            key_ = std::move(name);
            if (!weight_map.emplace(key_, "").second)
                fail("no duplicate key", in_quotes(key_) + " twice");
            if (weight_map.size() > max_tensors)
                fail("at most " + std::to_string(max_tensors) + " tensors", "more");
        } else if (name == "weight_map") {
            if (std::exchange(has_map_, true)) fail("no duplicate key", "weight_map twice");
            at_ = At::map_object;
        } else {
            at_ = At::unknown;
        }
        return true;
    }

private:
    enum class At { before, top, after, map_object, map, unknown };

    using HeaderSax::HeaderSax;

    std::string path() const override {
        if (at_ == At::map_object) return "/weight_map";
        return at_ == At::map ? "/weight_map/" + printable(key_) : "/";
    }
    bool other(const std::string& found) {
        if (skipped_ != 0) return true;
        if (at_ == At::unknown) {
            at_ = At::top;
            return true;
        }
        fail(at_ == At::map ? "a file name" : "an object", found);
    }
    bool open(const char* found) {
        if (at_ != At::unknown) return other(found);
        if (++skipped_ > 30) fail("a depth of at most 32", "a deeper value");
        return true;
    }
    bool close() {
        if (--skipped_ == 0) at_ = At::top;
        return true;
    }

    At at_ = At::before;
    std::string extension_;
    std::string key_;
    bool has_map_ = false;
    int skipped_ = 0;  // open arrays and objects inside an unknown key
};

}  // namespace nystromformer::inline v0_2::detail
