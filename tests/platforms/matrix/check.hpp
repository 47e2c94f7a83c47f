// SPDX-License-Identifier: MIT
// What the programs of the compiler matrix share; no test framework, so that they build without
// exceptions' type information and for other CPUs.
#pragma once

#include <cstdio>
#include <exception>
#include <string>

inline int failures = 0;

inline void check(bool good, const char* what) {
    if (good) return;
    ++failures;
    std::printf("FAILED: %s\n", what);
}

/// True where `action` throws an ErrorType.
template <typename ErrorType, typename Action>
bool refuses(const Action& action) {
    try {
        action();
    } catch (const ErrorType&) {
        return true;
    } catch (const std::exception& error) {
        std::printf("another error: %s\n", error.what());
    }
    return false;
}

/// The exit code of a program that calls `run`.
template <typename Run>
int run_checks(const Run& run) {
    try {
        run();
    } catch (const std::exception& error) {
        check(false, error.what());
    }
    std::printf("%d failures\n", failures);
    return failures == 0 ? 0 : 1;
}
