// SPDX-License-Identifier: MIT
// The version of the library, for the preprocessor and at run time.
#pragma once

#include <string_view>

#define NYSTROMFORMER_VERSION_MAJOR 0
#define NYSTROMFORMER_VERSION_MINOR 2
#define NYSTROMFORMER_VERSION_PATCH 0
/// 10000 * major + 100 * minor + patch, to compare: `#if NYSTROMFORMER_VERSION >= 200`.
#define NYSTROMFORMER_VERSION 200

#if defined(_MSVC_LANG) ? _MSVC_LANG < 202002L : __cplusplus < 202002L
#error "nystromformer needs C++20: compile with -std=c++20 or newer"
#endif
#if defined(__GNUC__) && !defined(__cpp_exceptions)
#error "nystromformer reports errors by exceptions: compile without -fno-exceptions"
#endif

namespace nystromformer::inline v0_2 {

/// "0.2.0": the version of the headers, or of the library that was compiled from them.
inline constexpr std::string_view version() { return "0.2.0"; }

}  // namespace nystromformer::inline v0_2
