// SPDX-License-Identifier: MIT
// Reads little-endian fields from untrusted bytes: nothing beyond their end, every failure with its
// place.
#pragma once

#include <nystromformer/checkpoint/half.hpp>
#include <nystromformer/core/checked.hpp>
#include <nystromformer/error.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace nystromformer::inline v0_2::detail {

inline std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A position in `bytes`; `file` and `part` ("data.pkl") name them in errors.
class ByteCursor {
public:
    ByteCursor(std::span<const std::byte> bytes, std::string file, std::string part)
        : bytes_(bytes), file_(std::move(file)), part_(std::move(part)) {}

    std::size_t position() const { return position_; }
    std::size_t left() const { return bytes_.size() - position_; }
    const std::string& file() const { return file_; }

    /// Moves to a place inside the bytes or at their end.
    void seek(std::uint64_t position) {
        if (position > bytes_.size()) {
            fail("a place inside the " + std::to_string(bytes_.size()) + " bytes",
                 "byte " + std::to_string(position));
        }
        position_ = as<std::size_t>(position);
    }

    std::span<const std::byte> take(std::uint64_t count) {
        if (count > left()) {
            fail(std::to_string(count) + " more bytes", std::to_string(left()));
        }
        const auto taken = bytes_.subspan(position_, as<std::size_t>(count));
        position_ += taken.size();
        return taken;
    }
    std::string_view text(std::uint64_t count) { return as_text(take(count)); }

    template <typename Value>
    Value read() {
        return load_little<Value>(take(sizeof(Value)).data());
    }

    /// The place of the last read, for messages.
    std::string place() const { return part_ + " byte " + std::to_string(position_); }

    [[noreturn]] void fail(std::string expected, std::string found) const {
        throw FormatError({file_, place(), std::move(expected), std::move(found)});
    }

private:
    std::span<const std::byte> bytes_;
    std::size_t position_ = 0;
    std::string file_, part_;
};

}  // namespace nystromformer::inline v0_2::detail
