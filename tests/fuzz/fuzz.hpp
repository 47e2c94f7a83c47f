// SPDX-License-Identifier: MIT
// What the fuzz targets share: how a target is chosen, and what counts as a finding.
#pragma once

#include <nystromformer/error.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>
#include <string>
#include <string_view>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

namespace nystromformer::fuzz {

/// One target. `run` may throw nystromformer::Error and nothing else.
struct Target {
    std::string_view name;
    void (*run)(std::string_view data);
    /// Changes `data` while it keeps some of its structure; null: libFuzzer's own mutations.
    void (*mutate)(std::string& data, unsigned seed, std::size_t most) = nullptr;
};

/// The targets of this program; the first is the default of --target=NAME.
std::span<const Target> targets();

[[noreturn]] inline void finding(const std::string& what) {
    std::fprintf(stderr, "FINDING: %s\n", what.c_str());
    std::abort();
}

/// Reports a finding unless `holds`.
inline void require(bool holds, const char* what) {
    if (!holds) finding(what);
}

inline std::span<const std::byte> as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// What a target needs before its first input: an error there is none of the input's.
template <typename Make>
auto set_up(const Make& make) {
    try {
        return make();
    } catch (const std::exception& error) {
        finding(std::string("cannot begin: ") + error.what());
    }
}

/// Calls of small pieces of the library that may refuse what they are given.
template <typename Body>
void allow_errors(const Body& body) {
    try {
        body();
    } catch (const Error&) {
    }
}

}  // namespace nystromformer::fuzz
