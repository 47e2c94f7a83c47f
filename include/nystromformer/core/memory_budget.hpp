// SPDX-License-Identifier: MIT
// How much memory reading a file may take: hostile files ask for many times their size.
#pragma once

#include <nystromformer/error.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace nystromformer::inline v0_2::detail {

/// Counts, roughly, the memory for what is built from a file, before it is allocated.
class MemoryBudget {
public:
    /// What any file may take, however small.
    static constexpr std::size_t free_memory = std::size_t{48} << 20;

    /// For `file`, named in errors, of `size` bytes: `ratio` times that and 48 MiB.
    MemoryBudget(std::string file, std::size_t size, std::size_t ratio)
        : file_(std::move(file)), left_(ratio * size + free_memory) {}

    const std::string& file() const { return file_; }
    std::size_t left() const { return left_; }

    /// Throws FormatError if less is left.
    void take(std::size_t bytes) {
        if (bytes > left_)
            throw FormatError(
                {file_, "", "values of less memory for a file of this size", "many small values"});
        left_ -= bytes;
    }
    void give(std::size_t bytes) noexcept { left_ += bytes; }

private:
    std::string file_;
    std::size_t left_;
};

}  // namespace nystromformer::inline v0_2::detail
