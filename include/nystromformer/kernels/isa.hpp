// SPDX-License-Identifier: MIT
// The instruction sets that kernels are compiled for, and the one that this process uses.
#pragma once

#include <nystromformer/error.hpp>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <string_view>

#if defined(__GNUC__) && defined(__x86_64__)
#define NYSTROMFORMER_X86 1
#else
#define NYSTROMFORMER_X86 0
#endif
#if defined(__GNUC__) && defined(__aarch64__)
#define NYSTROMFORMER_NEON 1
#else
#define NYSTROMFORMER_NEON 0
#endif

namespace nystromformer {

/// `portable` is what the compiler makes for any CPU of the target (SSE2 on x86-64). `neon` is the
/// same instructions as `portable` on AArch64, with tiles for its 32 registers.
enum class Isa { portable, neon, avx2, avx512, avx512vnni };

inline std::string_view name(Isa isa) {
    constexpr std::array<std::string_view, 5> names{"portable", "neon", "avx2", "avx512",
                                                    "avx512vnni"};
    return names[static_cast<std::size_t>(isa)];
}

/// True when this CPU and operating system run `isa` (AVX2 includes FMA; AVX-512 is F, VL, BW, DQ).
inline bool is_supported(Isa isa) {
#if NYSTROMFORMER_X86
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    const bool vnni = avx512 && __builtin_cpu_supports("avx512vnni");
    return isa == Isa::portable || (isa == Isa::avx2 && avx2) ||
           (isa == Isa::avx512 && avx2 && avx512) || (isa == Isa::avx512vnni && avx2 && vnni);
#else
    return isa == Isa::portable || (isa == Isa::neon && NYSTROMFORMER_NEON);
#endif
}

namespace detail {

/// The best instruction set, or the one that `forced` names; UnsupportedError when that cannot run
/// here.
inline Isa choose_isa(const char* forced) {
    constexpr std::array best_first{Isa::avx512vnni, Isa::avx512, Isa::avx2, Isa::neon,
                                    Isa::portable};
    for (const Isa isa : best_first) {
        if (forced == nullptr ? is_supported(isa) : name(isa) == forced && is_supported(isa))
            return isa;
    }
    throw UnsupportedError({"", "environment variable NYSTROMFORMER_ISA",
                            "portable, neon, avx2, avx512 or avx512vnni, and a CPU that has it",
                            in_quotes(forced == nullptr ? "" : forced)});
}

}  // namespace detail

/// The instruction set of every kernel of this process: the best that the CPU has, or what the
/// environment variable NYSTROMFORMER_ISA names. Throws UnsupportedError when that one is unknown
/// or not there.
inline Isa active_isa() {
    static const Isa isa = detail::choose_isa(std::getenv("NYSTROMFORMER_ISA"));
    return isa;
}

namespace detail {

/// True where the active kernels multiply bf16 by an instruction that is faster than those for
/// float: on Zen 4 and later twice as fast, on Intel's CPUs without AMX half as fast.
inline bool has_fast_bfloats() {
#if NYSTROMFORMER_X86
    return active_isa() == Isa::avx512vnni && __builtin_cpu_supports("avx512bf16") &&
           __builtin_cpu_is("amd");
#else
    return false;
#endif
}

}  // namespace detail
}  // namespace nystromformer
