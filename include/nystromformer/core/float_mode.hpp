// SPDX-License-Identifier: MIT
// How this thread computes with floating-point numbers (rounding, denormals), taken and given back.
#pragma once

#include <cstdint>

namespace nystromformer::inline v0_2::detail {

/// MXCSR on x86-64, FPCR on AArch64; elsewhere nothing.
using FloatMode = std::uint64_t;

#if defined(__GNUC__) && defined(__x86_64__)
inline constexpr FloatMode flush_denormals = 0x8040;  // results (FTZ) and operands (DAZ)
inline constexpr FloatMode float_flags = 0x3F;        // exceptions that have happened
inline FloatMode float_mode() { return __builtin_ia32_stmxcsr(); }
inline void set_float_mode(FloatMode mode) {
    __builtin_ia32_ldmxcsr(static_cast<unsigned int>(mode));
}
#elif defined(__GNUC__) && defined(__aarch64__)
inline constexpr FloatMode flush_denormals = 1u << 24;  // FZ
inline constexpr FloatMode float_flags = 0;             // they are in another register
inline FloatMode float_mode() {
    FloatMode mode;
    asm volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
}
inline void set_float_mode(FloatMode mode) { asm volatile("msr fpcr, %0" : : "r"(mode)); }
#else
inline constexpr FloatMode flush_denormals = 0;
inline constexpr FloatMode float_flags = 0;
inline FloatMode float_mode() { return 0; }
inline void set_float_mode(FloatMode) {}
#endif

/// Sets this thread's floating-point mode to `mode` until the end of the scope, then restores it,
/// exception flags included.
class FloatModeScope {
public:
    explicit FloatModeScope(FloatMode mode) : before_(float_mode()) {
        if (((before_ ^ mode) & ~float_flags) != 0) set_float_mode(mode);
    }
    FloatModeScope(const FloatModeScope&) = delete;
    FloatModeScope& operator=(const FloatModeScope&) = delete;
    ~FloatModeScope() { set_float_mode(before_); }

private:
    FloatMode before_;
};

/// Numbers below 1e-38 count as 0, which CPUs are many times slower with.
class FlushDenormals : FloatModeScope {
public:
    FlushDenormals() : FloatModeScope(float_mode() | flush_denormals) {}
};

}  // namespace nystromformer::inline v0_2::detail
