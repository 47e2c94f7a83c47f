// SPDX-License-Identifier: MIT
// Features of the CPU that the compiler has no portable question for: AMX's tiles, and those of
// AArch64. Each has a number.
#pragma once

#if defined(__GNUC__) && defined(__linux__)
#if defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif
#endif

namespace nystromformer::inline v0_2::detail {

#if defined(__GNUC__) && defined(__x86_64__)
struct CpuWords {
    unsigned eax, ebx, ecx, edx;
};
inline CpuWords ask_cpu(unsigned leaf) {
    CpuWords words;
    __asm__("cpuid"
            : "=a"(words.eax), "=b"(words.ebx), "=c"(words.ecx), "=d"(words.edx)
            : "0"(leaf), "2"(0));
    return words;
}

/// The parts of a thread's state that the operating system saves (XCR0); 0 if it does not say.
inline unsigned saved_state() {
    constexpr unsigned osxsave = 1u << 27;
    if ((ask_cpu(1).ecx & osxsave) == 0) return 0;
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

/// Linux makes room for tiles only in a process that asks: arch_prctl(ARCH_REQ_XCOMP_PERM,
/// XFEATURE_XTILEDATA), for all of its threads. It refuses where a thread has a signal stack that
/// is too small for them.
inline bool ask_for_tiles() {
#if defined(__linux__)
    return ::syscall(SYS_arch_prctl, 0x1023, 18) == 0;
#else
    return false;
#endif
}

/// The features of tiles that this process may use, as bits of CPUID (leaf 7, EDX). The CPU's word
/// is not enough: the operating system must save tiles when it switches threads.
inline unsigned tile_features() {
    constexpr unsigned tiles = 1u << 24, shapes_and_data = 3u << 17;
    if (ask_cpu(0).eax < 7) return 0;
    const unsigned features = ask_cpu(7).edx;
    if ((features & tiles) == 0 || (saved_state() & shapes_and_data) != shapes_and_data) return 0;
    return ask_for_tiles() ? features : 0;
}

/// `number` is the feature's bit in tile_features(). The first call asks for permission, once in
/// the life of the process.
inline bool has_feature(int number) {
    static const unsigned features = tile_features();
    return (features >> number & 1u) != 0;
}
#elif defined(__GNUC__) && defined(__aarch64__)
/// `number` is the feature's bit in Linux's HWCAP; in HWCAP2 it begins at 64.
inline bool has_feature(int number) {
#if defined(__linux__)
    const unsigned long words = ::getauxval(number < 64 ? AT_HWCAP : AT_HWCAP2);
    return (words >> number % 64 & 1u) != 0;
#else
    return number < 0;
#endif
}
#endif

}  // namespace nystromformer::inline v0_2::detail
