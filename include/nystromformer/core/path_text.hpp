// SPDX-License-Identifier: MIT
// Paths as UTF-8 text on every system.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace nystromformer::inline v0_2 {

/// The path that `text` spells in UTF-8. On Windows, std::filesystem reads a std::string in the
/// code page instead.
[[nodiscard]] inline std::filesystem::path path_from_utf8(std::string_view text) {
    return std::filesystem::path(std::u8string(text.begin(), text.end()));
}

/// `path` in UTF-8, as errors name files. Other systems than Windows may have names that are not
/// UTF-8; their bytes stay as they are.
[[nodiscard]] inline std::string path_to_utf8(const std::filesystem::path& path) {
    const std::u8string text = path.u8string();
    return std::string(text.begin(), text.end());
}

}  // namespace nystromformer::inline v0_2
