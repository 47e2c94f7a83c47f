// SPDX-License-Identifier: MIT
// The error of a batch: that of its first bad input, on one thread or on several.
#pragma once

#include <nystromformer/core/numbered_error.hpp>
#include <nystromformer/error.hpp>

#include <atomic>
#include <cstddef>
#include <exception>
#include <limits>
#include <mutex>

namespace nystromformer::inline v0_2::detail {

/// Runs what is done for each input of a batch, and keeps the error of the first bad one.
class FirstBadInput {
public:
    /// Calls `body`, unless an input before `input` is known to be bad.
    template <typename Body>
    void run(std::size_t input, const Body& body) {
        if (first_.load(std::memory_order_relaxed) < input) return;
        try {
            body();
        } catch (const InputError& error) {
            const std::lock_guard lock(mutex_);
            if (first_ < input) return;
            first_ = input;
            error_ = numbered(error, input);
        }
    }
    /// The InputError of that input, which it names. Call it when no thread runs anything more.
    void throw_if_any() const {
        if (error_) std::rethrow_exception(error_);
    }

private:
    std::mutex mutex_;
    std::atomic<std::size_t> first_ = std::numeric_limits<std::size_t>::max();
    std::exception_ptr error_;
};

}  // namespace nystromformer::inline v0_2::detail
