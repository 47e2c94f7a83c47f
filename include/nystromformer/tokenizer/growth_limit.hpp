// SPDX-License-Identifier: MIT
// How much a tokenizer may make a text grow: rules that each double it would use up all
// memory.
#pragma once

#include <nystromformer/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace nystromformer::inline v0_2::detail {

/// At most 64 times the original plus 64 KiB, which no honest tokenizer needs: a ligature that NFKD
/// decomposes, written in the alphabet of bytes, is 22 times as long.
class GrowthLimit {
public:
    /// Adds `bytes` of the original.
    void add(std::size_t bytes) { max_bytes_ += std::uint64_t{64} * bytes; }

    /// InputError if `rules` made more `bytes` than that. (Other texts may be good.)
    void check(std::size_t bytes, const char* rules) const {
        if (bytes <= max_bytes_) return;
        throw InputError({"", rules, "at most " + std::to_string(max_bytes_) + " bytes of text",
                          std::to_string(bytes)});
    }

private:
    std::uint64_t max_bytes_ = 65536;
};

}  // namespace nystromformer::inline v0_2::detail
