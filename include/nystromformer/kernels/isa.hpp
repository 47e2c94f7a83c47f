// SPDX-License-Identifier: MIT
// The instruction sets that kernels are compiled for, what each needs of a CPU, and the one that
// this process uses.
#pragma once

#include <nystromformer/error.hpp>

#include <cstdlib>
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

// The CPU features of each instruction set, in the compiler's words. This list makes both the
// target that code is compiled for (targets.hpp) and the question whether the CPU has it (below).
#define NYSTROMFORMER_FEATURES_portable(first, next)
#define NYSTROMFORMER_FEATURES_neon(first, next)
#define NYSTROMFORMER_FEATURES_avx2(first, next) first(avx2) next(fma)
#define NYSTROMFORMER_FEATURES_avx512(first, next)                                       \
    NYSTROMFORMER_FEATURES_avx2(first, next) next(avx512f) next(avx512vl) next(avx512bw) \
        next(avx512dq)
#define NYSTROMFORMER_FEATURES_avx512vnni(first, next) \
    NYSTROMFORMER_FEATURES_avx512(first, next) next(avx512vnni)
#define NYSTROMFORMER_FEATURES_avx512bf16(first, next) \
    NYSTROMFORMER_FEATURES_avx512vnni(first, next) next(avx512bf16)

// The table of backends, best first: the instruction set that it needs, and the regions of
// targets.hpp that its float, bf16 and byte kernels are from.
// clang-format off
#if NYSTROMFORMER_X86
#define NYSTROMFORMER_BACKENDS(row)                 \
    row(avx512bf16, avx512, avx512bf16, avx512vnni) \
    row(avx512vnni, avx512, avx512, avx512vnni)     \
    row(avx512, avx512, avx512, avx512)             \
    row(avx2, avx2, avx2, avx2)                     \
    row(portable, portable, portable, portable)
#elif NYSTROMFORMER_NEON
#define NYSTROMFORMER_BACKENDS(row) \
    row(neon, neon, neon, neon)     \
    row(portable, portable, portable, portable)
#else
#define NYSTROMFORMER_BACKENDS(row) row(portable, portable, portable, portable)
#endif
#define NYSTROMFORMER_AND_HAS(feature) && __builtin_cpu_supports(#feature)
// clang-format on

#define NYSTROMFORMER_FIRST_WORD(feature) #feature
#define NYSTROMFORMER_NEXT_WORD(feature) "," #feature
/// The features of an instruction set as text, with commas between.
#define NYSTROMFORMER_FEATURE_TEXT(isa) \
    "" NYSTROMFORMER_FEATURES_##isa(NYSTROMFORMER_FIRST_WORD, NYSTROMFORMER_NEXT_WORD)

namespace nystromformer::inline v0_2 {

/// `portable` is what the compiler makes for any CPU of the target (SSE2 on x86-64). `neon` is the
/// same instructions as `portable` on AArch64, with tiles for its 32 registers. `avx512vnni` adds
/// products of bytes to `avx512`, `avx512bf16` those of bf16 to `avx512vnni`.
enum class Isa { portable, neon, avx2, avx512, avx512vnni, avx512bf16 };

inline std::string_view name(Isa isa) {
    constexpr std::string_view names[]{"portable", "neon",       "avx2",
                                       "avx512",   "avx512vnni", "avx512bf16"};
    return names[static_cast<int>(isa)];
}

namespace detail {

/// A row of the table.
struct Backend {
    Isa isa;
    std::string_view features;  // all that its kernels are compiled with
    bool (*runs_here)();        // true when the CPU and the operating system have all of them
};

#define NYSTROMFORMER_BACKEND(isa, floats, bfloats, bytes)                                       \
    {Isa::isa, NYSTROMFORMER_FEATURE_TEXT(isa), [] {                                             \
         return true NYSTROMFORMER_FEATURES_##isa(NYSTROMFORMER_AND_HAS, NYSTROMFORMER_AND_HAS); \
     }},
inline constexpr Backend backends[]{NYSTROMFORMER_BACKENDS(NYSTROMFORMER_BACKEND)};
#undef NYSTROMFORMER_BACKEND
#undef NYSTROMFORMER_AND_HAS

}  // namespace detail

/// True when this CPU and operating system run the kernels of `isa`.
inline bool is_supported(Isa isa) {
    for (const detail::Backend& backend : detail::backends)
        if (backend.isa == isa) return backend.runs_here();
    return false;
}

namespace detail {

/// The best instruction set, or the one that `forced` names; UnsupportedError when that cannot run
/// here.
inline Isa choose_isa(const char* forced) {
    for (const Backend& backend : backends) {
        const bool wanted = forced == nullptr || name(backend.isa) == forced;
        if (wanted && backend.runs_here()) return backend.isa;
    }
    throw UnsupportedError(
        {"", "environment variable NYSTROMFORMER_ISA",
         "portable, neon, avx2, avx512, avx512vnni or avx512bf16, and a CPU that has it",
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

}  // namespace nystromformer::inline v0_2
