// SPDX-License-Identifier: MIT
// The instruction sets that kernels are compiled for, what each needs of a CPU, and the one that
// this process uses.
#pragma once

#include <nystromformer/error.hpp>
#include <nystromformer/kernels/cpu_features.hpp>

#include <cstdlib>
#include <string>
#include <string_view>

#if defined(__GNUC__) && defined(__x86_64__)
#define NYSTROMFORMER_X86 1
#else
#define NYSTROMFORMER_X86 0
#endif
// GCC on Windows aligns the stack to 16 bytes, and yet stores wider vectors there by instructions
// that crash at such an address (https://gcc.gnu.org/bugzilla/show_bug.cgi?id=54412).
#if NYSTROMFORMER_X86 && (!defined(_WIN32) || defined(__clang__))
#define NYSTROMFORMER_WIDE_X86 1
#else
#define NYSTROMFORMER_WIDE_X86 0
#endif
#if defined(__GNUC__) && defined(__aarch64__)
#define NYSTROMFORMER_NEON 1
#else
#define NYSTROMFORMER_NEON 0
#endif

// The CPU features of each instruction set, in the compiler's words. This list makes both the
// target that code is compiled for (targets.hpp) and the question whether the CPU has it (below).
// The third kind comes with its number in cpu_features.hpp.
// clang-format off
#define NYSTROMFORMER_FEATURES_portable(first, next, numbered)
#define NYSTROMFORMER_FEATURES_avx2(first, next, numbered) first(avx2) next(fma)
#define NYSTROMFORMER_FEATURES_avx512(first, next, numbered)    \
    NYSTROMFORMER_FEATURES_avx2(first, next, numbered)          \
    next(avx512f) next(avx512vl) next(avx512bw) next(avx512dq)
#define NYSTROMFORMER_FEATURES_avx512vnni(first, next, numbered) \
    NYSTROMFORMER_FEATURES_avx512(first, next, numbered) next(avx512vnni)
#define NYSTROMFORMER_FEATURES_avx512bf16(first, next, numbered) \
    NYSTROMFORMER_FEATURES_avx512vnni(first, next, numbered) next(avx512bf16)
#define NYSTROMFORMER_FEATURES_amx(first, next, numbered)    \
    NYSTROMFORMER_FEATURES_avx512bf16(first, next, numbered) \
    numbered(amx-tile, 24) numbered(amx-bf16, 22) numbered(amx-int8, 25)
#define NYSTROMFORMER_FEATURES_neon(first, next, numbered)
#if defined(__clang__)
#define NYSTROMFORMER_FEATURES_armv8_2(first) first(v8.2a)
#else
#define NYSTROMFORMER_FEATURES_armv8_2(first) first(arch=armv8.2-a)
#endif
#define NYSTROMFORMER_FEATURES_neon_dotprod(first, next, numbered) \
    NYSTROMFORMER_FEATURES_armv8_2(first) numbered(dotprod, 20)
#define NYSTROMFORMER_FEATURES_neon_i8mm(first, next, numbered) \
    NYSTROMFORMER_FEATURES_neon_dotprod(first, next, numbered) numbered(i8mm, 64 + 13)
#define NYSTROMFORMER_FEATURES_neon_bf16(first, next, numbered) \
    NYSTROMFORMER_FEATURES_neon_i8mm(first, next, numbered) numbered(bf16, 64 + 14)
// For the tests of amx (below).
#define NYSTROMFORMER_FEATURES_tile_model(first, next, numbered)
#define NYSTROMFORMER_FEATURES_wide_portable(first, next, numbered)
// clang-format on

// The table of backends, best first: the instruction set that it needs, and the regions of
// targets.hpp that its float, bf16 and byte kernels are from.
//
// Tests may define NYSTROMFORMER_TILE_MODEL, for a last row that any CPU runs if it is forced: the
// kernels of amx on a model of its tiles in plain C++.
// clang-format off
#if defined(NYSTROMFORMER_TILE_MODEL)
#define NYSTROMFORMER_TILE_MODEL_ROW(row) row(tile_model, wide_portable, tile_model, tile_model)
#else
#define NYSTROMFORMER_TILE_MODEL_ROW(row)
#endif
#if NYSTROMFORMER_WIDE_X86
#define NYSTROMFORMER_BACKENDS(row)                 \
    row(amx, avx512, amx, amx)                      \
    row(avx512bf16, avx512, avx512bf16, avx512vnni) \
    row(avx512vnni, avx512, avx512, avx512vnni)     \
    row(avx512, avx512, avx512, avx512)             \
    row(avx2, avx2, avx2, avx2)                     \
    row(portable, portable, portable, portable)     \
    NYSTROMFORMER_TILE_MODEL_ROW(row)
#elif NYSTROMFORMER_NEON
#define NYSTROMFORMER_BACKENDS(row)                \
    row(neon_bf16, neon, neon_bf16, neon_i8mm)     \
    row(neon_i8mm, neon, neon, neon_i8mm)          \
    row(neon_dotprod, neon, neon, neon_dotprod)    \
    row(neon, neon, neon, neon)                    \
    row(portable, portable, portable, portable)    \
    NYSTROMFORMER_TILE_MODEL_ROW(row)
#else
#define NYSTROMFORMER_BACKENDS(row)             \
    row(portable, portable, portable, portable) \
    NYSTROMFORMER_TILE_MODEL_ROW(row)
#endif
#if NYSTROMFORMER_X86
#define NYSTROMFORMER_AND_HAS(feature) && __builtin_cpu_supports(#feature)
#else
#define NYSTROMFORMER_AND_HAS(feature)  // a version of the architecture; its features tell
#endif
#define NYSTROMFORMER_AND_FEATURE(feature, number) && has_feature(number)
// clang-format on

// GCC's words for AArch64 have a plus before each, all others a comma between.
#define NYSTROMFORMER_FIRST_WORD(feature) #feature
#define NYSTROMFORMER_NEXT_WORD(feature) "," #feature
#if NYSTROMFORMER_NEON && !defined(__clang__)
#define NYSTROMFORMER_NUMBERED_WORD(feature, number) "+" #feature
#else
#define NYSTROMFORMER_NUMBERED_WORD(feature, number) "," #feature
#endif
/// The features of an instruction set as text.
#define NYSTROMFORMER_FEATURE_TEXT(isa)                                                \
    "" NYSTROMFORMER_FEATURES_##isa(NYSTROMFORMER_FIRST_WORD, NYSTROMFORMER_NEXT_WORD, \
                                    NYSTROMFORMER_NUMBERED_WORD)

namespace nystromformer::inline v0_2 {

/// `portable` is what the compiler makes for any CPU of the target (SSE2 on x86-64). `neon` is the
/// same instructions as `portable` on AArch64, with tiles for its 32 registers. `avx512vnni` adds
/// products of bytes to `avx512`, `avx512bf16` those of bf16 to `avx512vnni`; `amx` makes both on
/// tiles. `neon_dotprod` and `neon_i8mm` add products of bytes to `neon`, `neon_bf16` those of bf16
/// to `neon_i8mm`.
enum class Isa {
    portable,
    neon,
    avx2,
    avx512,
    avx512vnni,
    avx512bf16,
    amx,
    neon_dotprod,
    neon_i8mm,
    neon_bf16,
#if defined(NYSTROMFORMER_TILE_MODEL)
    tile_model,
#endif
};

inline std::string_view name(Isa isa) {
    constexpr std::string_view names[]{"portable",   "neon",       "avx2",      "avx512",
                                       "avx512vnni", "avx512bf16", "amx",       "neon_dotprod",
                                       "neon_i8mm",  "neon_bf16",  "tile_model"};
    return names[static_cast<int>(isa)];
}

namespace detail {

/// A row of the table.
struct Backend {
    Isa isa;
    std::string_view features;  // all that its kernels are compiled with
    bool (*runs_here)();        // true when the CPU and the operating system have all of them
};

#define NYSTROMFORMER_BACKEND(isa, floats, bfloats, bytes)                                      \
    {Isa::isa, NYSTROMFORMER_FEATURE_TEXT(isa), [] {                                            \
         return true NYSTROMFORMER_FEATURES_##isa(NYSTROMFORMER_AND_HAS, NYSTROMFORMER_AND_HAS, \
                                                  NYSTROMFORMER_AND_FEATURE);                   \
     }},
inline constexpr Backend backends[]{NYSTROMFORMER_BACKENDS(NYSTROMFORMER_BACKEND)};
#undef NYSTROMFORMER_BACKEND
#undef NYSTROMFORMER_AND_HAS
#undef NYSTROMFORMER_AND_FEATURE

}  // namespace detail

/// True when this CPU and operating system run the kernels of `isa`. Where the CPU has tiles, the
/// first question about `amx` asks Linux to let this process use them.
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
    std::string names;
    for (const Backend& backend : backends) names.append(name(backend.isa)).append(", ");
    throw UnsupportedError({"", "environment variable NYSTROMFORMER_ISA",
                            names + "and a CPU and an operating system that have it",
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
