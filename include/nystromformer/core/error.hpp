// SPDX-License-Identifier: MIT
// The errors of the library: one hierarchy, each naming the file, the place in it, what was
// expected and what was found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace nystromformer {

/// What an Error tells, each part possibly empty.
struct ErrorDetails {
    std::string file;      ///< the file that was read, empty for run-time input
    std::string place;     ///< tensor name, JSON path (`/model/vocab/17`), byte offset or argument
    std::string expected;  ///< what would have been right
    std::string found;     ///< what was there
    std::optional<std::size_t> input = std::nullopt;  ///< which of a call's texts, from 0
};

namespace detail {

/// `text` for a message: control characters and invalid bytes escaped, cut to 128 bytes.
inline std::string printable(std::string_view text) {
    constexpr std::size_t limit = 128;
    constexpr char digits[] = "0123456789abcdef";
    std::string result;
    for (const char character : text.substr(0, limit)) {
        const auto byte = static_cast<unsigned char>(character);
        if (byte >= 0x20 && byte < 0x7F) {
            result += character;
        } else {
            result += "\\x";
            result += digits[byte >> 4];
            result += digits[byte & 15];
        }
    }
    if (text.size() > limit) result += "...";
    return result;
}

/// `printable` between double quotes: the form in which names from a file appear in messages.
inline std::string in_quotes(std::string_view text) { return '"' + printable(text) + '"'; }

inline std::string error_message(const ErrorDetails& details) {
    std::string message;
    if (!details.file.empty()) message += details.file + ": ";
    if (details.input) message += "text " + std::to_string(*details.input) + ": ";
    if (!details.place.empty()) message += details.place + ": ";
    if (!details.expected.empty()) message += "expected " + details.expected;
    if (!details.expected.empty() && !details.found.empty()) message += ", ";
    if (!details.found.empty()) message += "found " + details.found;
    return message;
}

}  // namespace detail

/// The base of everything this library throws (besides std::bad_alloc).
class Error : public std::runtime_error {
public:
    explicit Error(ErrorDetails details)
        : std::runtime_error(detail::error_message(details)), details_(std::move(details)) {}

    const std::string& file() const noexcept { return details_.file; }
    const std::string& place() const noexcept { return details_.place; }
    const std::string& expected() const noexcept { return details_.expected; }
    const std::string& found() const noexcept { return details_.found; }
    std::optional<std::size_t> input() const noexcept { return details_.input; }

private:
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

/// A config.json value that is missing, of the wrong type or out of range.
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

/// A result that is NaN or infinite, or an inverse that diverges, where a call asks for that to be
/// checked (ForwardOptions::check_finite).
class NumericError : public Error {
    using Error::Error;
};

/// An argument of a call: ids, masks, shapes, lengths or options.
class InputError : public Error {
    using Error::Error;
};

}  // namespace nystromformer
