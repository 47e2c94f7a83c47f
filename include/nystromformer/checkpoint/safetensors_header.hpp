// SPDX-License-Identifier: MIT
// The JSON header of a safetensors file: dtype, shape and offsets of each tensor.
#pragma once

#include <nystromformer/checkpoint/header_sax.hpp>
#include <nystromformer/checkpoint/tensor_layout.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/dtype.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// The longest header of the format.
inline constexpr std::uint64_t max_safetensors_header = 100'000'000;

struct SafetensorsEntry {
    std::string name;
    DType dtype = DType::f32;
    std::vector<Index> shape;
    std::uint64_t begin = 0, end = 0;  // in the data, which begins after the header
};

/// Reads {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...,
/// "__metadata__": {"format": "pt"}}. Unknown fields of a tensor are skipped, as Hugging Face does;
/// everything else that is not of that form is refused. What the numbers mean is checked by the
/// caller.
class SafetensorsHeader final : public HeaderSax {
public:
    static constexpr std::size_t max_tensors = 1'000'000;
    static constexpr std::size_t max_metadata = 100'000;

    static SafetensorsHeader parse(std::string_view text, const std::string& file) {
        SafetensorsHeader header(file);
        parse_json_events(text, max_token_bytes, header);
        return header;
    }

    std::vector<SafetensorsEntry> entries;  // in the order of the file
    std::map<std::string, std::string> metadata;

    // The events of the parser.
    bool null() {
        if (at_ != At::metadata_object) return other("null");
        at_ = At::top;  // "__metadata__": null is none, as in the safetensors crate
        return true;
    }
    bool boolean(bool value) { return other(value ? "true" : "false"); }
    bool number_integer(std::int64_t value) { return other(std::to_string(value)); }
    bool number_float(double, const std::string& spelling) { return other(printable(spelling)); }
    bool binary(Json::binary_t&) { return false; }

    bool number_unsigned(std::uint64_t value) {
        if (at_ == At::shape) return add_dimension(value);
        if (at_ != At::offsets) return other(std::to_string(value));
        if (number_of_offsets_ == 2) fail("two offsets", "more");
        (number_of_offsets_++ == 0 ? entries.back().begin : entries.back().end) = value;
        return true;
    }

    bool string(std::string& value) {
        if (at_ == At::metadata) {
            metadata[key_] = std::move(value);
            return true;
        }
        if (at_ != At::dtype) return other(in_quotes(value));
        const auto dtype = dtype_named(value);
        if (!dtype) fail("one of " + dtype_names(), in_quotes(value));
        entries.back().dtype = *dtype;
        at_ = At::entry;
        return true;
    }

    bool start_object(std::size_t) {
        switch (at_) {
            case At::before:
                at_ = At::top;
                return true;
            case At::metadata_object:
                at_ = At::metadata;
                return true;
            case At::entry_object:
                at_ = At::entry;
                return true;
            default:
                return open("an object");
        }
    }
    bool end_object() {
        if (skipped_ != 0) return close();
        if (at_ == At::entry) {
            constexpr std::array<const char*, 3> fields{"dtype", "shape", "data_offsets"};
            for (std::size_t i = 0; i < fields.size(); ++i) {
                if (!seen_[i]) fail(std::string("the field ") + fields[i], "nothing");
            }
        }
        at_ = at_ == At::top ? At::after : At::top;
        return true;
    }
    bool start_array(std::size_t) {
        if (at_ == At::shape_array) {
            at_ = At::shape;
        } else if (at_ == At::offsets_array) {
            at_ = At::offsets;
        } else {
            return open("an array");
        }
        return true;
    }
    bool end_array() {
        if (skipped_ != 0) return close();
        if (at_ == At::offsets && number_of_offsets_ != 2)
            fail("two offsets", std::to_string(number_of_offsets_));
        at_ = At::entry;
        return true;
    }

    bool key(std::string& name) {
        if (skipped_ != 0) return true;
        if (at_ == At::top) return top_key(name);
        if (at_ == At::metadata) {
            key_ = std::move(name);
            if (metadata.size() == max_metadata)
                fail("at most " + std::to_string(max_metadata) + " strings", "more");
            if (metadata.contains(key_)) fail("no duplicate key", in_quotes(key_) + " twice");
            return true;
        }
        const bool known = entry_key(name, "dtype", 0, At::dtype) ||
                           entry_key(name, "shape", 1, At::shape_array) ||
                           entry_key(name, "data_offsets", 2, At::offsets_array);
        if (!known) at_ = At::unknown;
        return true;
    }

private:
    enum class At {
        before,
        top,
        after,  // around and inside the root object
        metadata_object,
        metadata,  // before and inside the value of __metadata__
        entry_object,
        entry,  // before and inside the value of a tensor's name
        dtype,
        shape_array,
        shape,
        offsets_array,
        offsets,
        unknown,  // before and inside its fields
    };

    using HeaderSax::HeaderSax;

    std::string path() const override {
        switch (at_) {
            case At::before:
            case At::top:
            case At::after:
                return "/";
            case At::metadata_object:
            case At::metadata:
                return "/__metadata__";
            default:
                break;
        }
        const std::string tensor = '/' + printable(entries.back().name);  // the last begun
        switch (at_) {
            case At::dtype:
                return tensor + "/dtype";
            case At::shape_array:
            case At::shape:
                return tensor + "/shape";
            case At::offsets_array:
            case At::offsets:
                return tensor + "/data_offsets";
            default:
                return tensor;
        }
    }

    bool top_key(std::string& name) {
        check_name(name);
        if (name == "__metadata__") {
            if (std::exchange(has_metadata_, true)) fail("no duplicate key", "__metadata__ twice");
            at_ = At::metadata_object;
            return true;
        }
        if (entries.size() == max_tensors)
            fail("at most " + std::to_string(max_tensors) + " tensors", "more");
        entries.emplace_back().name = std::move(name);
        at_ = At::entry_object;
        seen_ = {};
        number_of_offsets_ = 0;
        return true;
    }
    bool entry_key(const std::string& name, const char* field, std::size_t index, At next) {
        if (name != field) return false;
        if (std::exchange(seen_[index], true))
            fail("no duplicate key", std::string(field) + " twice");
        at_ = next;
        return true;
    }
    bool add_dimension(std::uint64_t value) {
        auto& shape = entries.back().shape;
        if (shape.size() == max_dimensions)
            fail("at most " + std::to_string(max_dimensions) + " dimensions", "more");
        if (value > std::uint64_t{std::numeric_limits<Index>::max()})
            fail("dimensions below 2^63", std::to_string(value));
        shape.push_back(static_cast<Index>(value));
        return true;
    }
    // A value that does not belong here, or one inside an unknown field.
    bool other(const std::string& found) {
        if (skipped_ != 0) return true;
        if (at_ == At::unknown) {
            at_ = At::entry;
            return true;
        }
        return refuse(found);
    }
    bool open(const char* found) {
        if (at_ != At::unknown) return refuse(found);
        if (++skipped_ > 2) fail("a depth of at most 4", "a deeper value");
        return true;
    }
    bool close() {
        if (--skipped_ == 0) at_ = At::entry;
        return true;
    }
    bool refuse(const std::string& found) const {
        switch (at_) {
            case At::metadata:
                fail("strings only", found + " for " + in_quotes(key_));
            case At::dtype:
                fail("a string", found);
            case At::shape:
            case At::offsets:
                fail("whole numbers of at least 0", found);
            case At::shape_array:
            case At::offsets_array:
                fail("an array", found);
            default:
                fail("an object", found);
        }
    }

    At at_ = At::before;
    std::array<bool, 3> seen_{};  // dtype, shape, data_offsets of the last entry
    int number_of_offsets_ = 0;
    int skipped_ = 0;  // open arrays and objects inside an unknown field
    bool has_metadata_ = false;
    std::string key_;
};

}  // namespace nystromformer::inline v0_2::detail
