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

/// Whether `text` is well-formed UTF-8: without surrogates, overlong forms or numbers above
/// U+10FFFF. A text that is not is no error for the library: a Tokenizer, and so a pipeline, reads
/// each ill-formed part as one U+FFFD. Ask first if you would rather refuse it.
[[nodiscard]] bool is_utf8(std::string_view text);

/// `text` safe to print: control characters (C0, DEL and C1, which terminals obey) and bytes that
/// are not UTF-8 become \xNN; other characters stay.
[[nodiscard]] std::string for_terminal(std::string_view text);

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/tokenizer/unicode/text.hpp>
#endif
