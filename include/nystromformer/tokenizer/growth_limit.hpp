// SPDX-License-Identifier: MIT
// What a tokenizer may make of a text: rules that double it, one after the other, would take all
// memory.
#pragma once

#include <nystromformer/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace nystromformer::inline v0_2::detail {

/// At most 64 times the original and 64 KiB, which no honest tokenizer needs: a ligature that NFKD
/// takes apart, written in the alphabet of bytes, is 22 times as long.
class GrowthLimit {
public:
    /// So many bytes more are of the original.
    void add(std::size_t bytes) { most_ += std::uint64_t{64} * bytes; }

    /// Throws TokenizerError for more `bytes` of a text; `rules` made it.
    void check(std::size_t bytes, const char* rules) const {
        if (bytes <= most_) return;
        throw TokenizerError({"", rules, "at most " + std::to_string(most_) + " bytes of text",
                              std::to_string(bytes)});
    }

private:
    std::uint64_t most_ = 65536;
};

}  // namespace nystromformer::inline v0_2::detail
