// SPDX-License-Identifier: MIT
// Request: one input of a command, and what becomes of it.
#pragma once

#include "requests/json_line.hpp"

#include <nystromformer/options.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace command_line {

/// About what small things of an output take in memory, for Answerer::output_bytes.
inline constexpr double json_number_bytes = 24, json_object_bytes = 400;

/// One input of a command: a JSON line or a TEXT argument.
struct Request {
    std::uint64_t line;  ///< number of the line from --first-line on, or of the TEXT from 1
    Json fields;         ///< of the input; an empty object if it could not be read
    /// The members of the input that its answer carries, as they were spelled (json_line.hpp).
    std::string members = {};
    std::string error = {};        ///< why there will be no answer, or empty
    Json output = {};              ///< of a command of its own
    std::string output_text = {};  ///< or the output as the library spells it, for JSON lines
    Json cut = {};                 ///< how the input was cut to fit the model; null if it was not

    /// The string under `field`; InputError if there is none.
    const std::string& text(const char* field) const;
    /// The same, or `otherwise` if there is no such field.
    const std::string& text(const char* field, const std::optional<std::string>& otherwise) const;
    /// The array of strings under `field`; InputError if there is none.
    std::vector<std::string> texts(const char* field) const;
    /// The array of integers from 0 to `max` under `field`; InputError if there is none.
    std::vector<std::int64_t> integers(const char* field, std::int64_t max) const;
    /// Bytes of the string under `field`; 0 if there is none.
    double size_of(const char* field) const;
};

/// A JSON line as a request; what is wrong with it as the request's error.
Request read_request(std::uint64_t number, const std::string& line);
/// A text, or another input of the command line, as a request.
Request request_of(std::uint64_t number, Json fields);
/// The fields {"text": ...} of each text.
std::vector<Json> text_fields(const std::vector<std::string>& texts);

/// An error's message without the number of the input, because its line has a number.
std::string message_of(const nystromformer::InputError& error);
/// Runs `body`; an Error becomes the request's error. One bad line must not end the others.
void guard(Request& request, const std::function<void()>& body);

/// Notes how an input was cut, in the request whose place in `requests` the notice names.
std::function<void(const nystromformer::TruncationNotice&)> cut_noter(
    std::span<Request* const> requests);

}  // namespace command_line
