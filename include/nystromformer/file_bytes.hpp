// SPDX-License-Identifier: MIT
// FileBytes: the bytes of a file that the caller keeps in memory.
#pragma once

#include <nystromformer/version.hpp>

#include <cstddef>
#include <iterator>
#include <string_view>
#include <type_traits>

namespace nystromformer::inline v0_2 {

namespace detail {
// Not std::ranges::contiguous_range: with <ranges>, a program that links nystromformer::compiled
// would take a tenth longer to compile.
// Arrays of char are texts, and have a constructor of their own.
template <typename Range>
concept ByteRange = !std::is_same_v<std::remove_cv_t<std::remove_extent_t<Range>>, char> &&
                    requires(const Range& range) {
    std::size(range);
    requires sizeof(*std::data(range)) == 1;
};
}

/// A view of bytes that the caller keeps: those of a string, of a vector, span or view of chars or
/// bytes, of an array of unsigned chars, or of a string literal. A temporary string or vector does
/// not compile, because its bytes would be gone at once; nor does a pointer, which has no length,
/// or an array of chars that is written to, whose bytes may end before it does.
class FileBytes {
public:
    template <detail::ByteRange Range>
    FileBytes(const Range& bytes)
        : bytes_(reinterpret_cast<const char*>(std::data(bytes)), std::size(bytes)) {}
    template <detail::ByteRange Range>
    requires(!std::ranges::enable_borrowed_range<Range>) FileBytes(const Range&& temporary)
    = delete;
    template <std::size_t size>
    FileBytes(const char (&literal)[size])
        : bytes_(literal, size - (literal[size - 1] == '\0' ? 1 : 0)) {}
    template <std::size_t size>
    FileBytes(char (&buffer)[size]) = delete;

    std::string_view view() const { return bytes_; }

private:
    std::string_view bytes_;
};

}  // namespace nystromformer::inline v0_2
