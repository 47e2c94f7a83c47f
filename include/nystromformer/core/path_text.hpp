// SPDX-License-Identifier: MIT
// Paths as text in UTF-8 on every system. On Windows std::filesystem would convert a std::string by
// the code page, which lacks most letters.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace nystromformer::inline v0_2::detail {

inline std::string as_chars(const std::u8string& text) {
    return std::string(text.begin(), text.end());
}

/// `path` in UTF-8, as errors name it. On other systems than Windows its bytes, whatever they are.
inline std::string text_of(const std::filesystem::path& path) { return as_chars(path.u8string()); }

/// The same with "/" between folders.
inline std::string generic_text_of(const std::filesystem::path& path) {
    return as_chars(path.generic_u8string());
}

/// The path that `text` spells in UTF-8.
inline std::filesystem::path path_of(std::string_view text) {
    return std::filesystem::path(std::u8string(text.begin(), text.end()));
}

}  // namespace nystromformer::inline v0_2::detail
