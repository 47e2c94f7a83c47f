// SPDX-License-Identifier: MIT
// The error of one input, with its number in a batch.
#pragma once

#include <nystromformer/error.hpp>

#include <cstddef>
#include <exception>
#include <utility>

namespace nystromformer::inline v0_2::detail {

/// The same error, of text `input`: std::rethrow_exception throws it.
inline std::exception_ptr numbered(const InputError& error, std::size_t input) {
    ErrorDetails details{error.file(), error.place(), error.expected(), error.found(), input};
    if (const auto* length = dynamic_cast<const LengthError*>(&error)) {
        return std::make_exception_ptr(
            LengthError(std::move(details), length->tokens(), length->limit()));
    }
    return std::make_exception_ptr(InputError(std::move(details)));
}

}  // namespace nystromformer::inline v0_2::detail
