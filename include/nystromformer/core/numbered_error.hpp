// SPDX-License-Identifier: MIT
// The error of one input, with its number in a batch.
#pragma once

#include <nystromformer/error.hpp>

#include <cstddef>

namespace nystromformer::inline v0_2::detail {

/// What `error` says, of text `input`.
inline ErrorDetails numbered_details(const InputError& error, std::size_t input) {
    return {error.file(), error.place(), error.expected(), error.found(), input};
}

}  // namespace nystromformer::inline v0_2::detail
