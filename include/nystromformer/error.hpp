// SPDX-License-Identifier: MIT
// The errors of the library: one hierarchy, each naming the file, the place in it, what was
// expected and what was found.
#pragma once

#include <nystromformer/version.hpp>

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace nystromformer::inline v0_2 {

/// What an Error says, each part possibly empty.
struct ErrorDetails {
    std::string file;      ///< the file that was read, empty for run-time input
    std::string place;     ///< tensor name, JSON path (`/model/vocab/17`), byte offset or argument
    std::string expected;  ///< what would have been right
    std::string found;     ///< what was there
    std::optional<std::size_t> input = std::nullopt;  ///< which of a call's texts, from 0
};

/// The base of everything that this library throws, except std::bad_alloc. what() joins the parts
/// of ErrorDetails in one line.
class Error : public std::runtime_error {
public:
    explicit Error(ErrorDetails details)
        : std::runtime_error(message_of(details)), details_(std::move(details)) {}

    const std::string& file() const noexcept { return details_.file; }
    const std::string& place() const noexcept { return details_.place; }
    const std::string& expected() const noexcept { return details_.expected; }
    const std::string& found() const noexcept { return details_.found; }
    std::optional<std::size_t> input() const noexcept { return details_.input; }

private:
    static std::string message_of(const ErrorDetails& details);

    ErrorDetails details_;
};

/// A file that cannot be opened, read, mapped or written.
class IoError : public Error {
    using Error::Error;
};

/// A file whose bytes break its own format (safetensors, zip, pickle, JSON syntax, duplicate keys).
class FormatError : public Error {
    using Error::Error;
};

/// A file name inside a folder's own files that is not a plain basename.
class UnsafePathError : public Error {
    using Error::Error;
};

/// A value of a config.json, or of a NystromformerConfig made in code, that is missing, of the
/// wrong type or out of range.
class ConfigError : public Error {
    using Error::Error;
};

/// A tensor that is missing, of the wrong shape or of the wrong type for the model.
class TensorError : public Error {
    using Error::Error;
};

/// A tokenizer file whose values contradict each other or are out of range.
class TokenizerError : public Error {
    using Error::Error;
};

/// Something well-formed that this library does not run; the message says what it does run.
class UnsupportedError : public Error {
    using Error::Error;
};

/// A result that is NaN or infinite, or an inverse that diverges, if a call asks for that check
/// (ForwardOptions::check_finite).
class NumericError : public Error {
    using Error::Error;
};

/// An argument of a call that is wrong: ids, masks, shapes, lengths or options.
class InputError : public Error {
    using Error::Error;
};

/// A text with more tokens than the model, or the call, takes.
class LengthError : public InputError {
public:
    LengthError(ErrorDetails details, std::size_t tokens, std::size_t limit)
        : InputError(std::move(details)), tokens_(tokens), limit_(limit) {}

    std::size_t tokens() const noexcept { return tokens_; }  ///< of the text, special ones included
    std::size_t limit() const noexcept { return limit_; }

private:
    std::size_t tokens_, limit_;
};

/// `text` between double quotes, the form in which names and bytes of files appear in messages:
/// control characters and bytes beyond ASCII escaped, cut to 128 bytes.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace nystromformer::inline v0_2

#include <nystromformer/core/error_text.hpp>
