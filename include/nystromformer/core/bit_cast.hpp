// SPDX-License-Identifier: MIT
// bit_cast where the standard library has none yet, as Emscripten's and older ones of LLVM.
#pragma once

#include <type_traits>

namespace nystromformer::inline v0_2::detail {

/// The value of `To` that has the bits of `from`.
template <typename To, typename From>
requires(sizeof(To) == sizeof(From) && std::is_trivially_copyable_v<To> &&
         std::is_trivially_copyable_v<From>) constexpr To bit_cast(const From& from) noexcept {
    return __builtin_bit_cast(To, from);
}

}  // namespace nystromformer::inline v0_2::detail
