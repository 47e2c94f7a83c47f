// SPDX-License-Identifier: MIT
// Small functions on UTF-8 text, and paths as UTF-8 text, for programs around the library.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/core/path_text.hpp>

#include <string>
#include <string_view>

namespace nystromformer::inline v0_2 {

/// `text` without the white space around it, as Python's str.strip() defines white space.
[[nodiscard]] std::string_view strip(std::string_view text);

/// `text` safe to print: control characters (C0, DEL and C1, which terminals obey) and bytes that
/// are not UTF-8 become \xNN; other characters stay.
[[nodiscard]] std::string for_terminal(std::string_view text);

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/tokenizer/unicode/text.hpp>
#endif
