// SPDX-License-Identifier: MIT
// The front end of every JSON reader here: strict events, from which a reader builds a tree or
// takes what it knows.
#pragma once

#include <nystromformer/core/error_text.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace nystromformer::inline v0_2::detail {

/// Where the first string, number or gap between them begins that is longer than `limit` bytes, or
/// npos. nlohmann keeps a copy of such bytes while it reads them, and more for an error.
inline std::size_t long_token(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) return std::string_view::npos;
    constexpr std::string_view between = " \t\r\n,:{}[]";
    bool in_string = false, in_token = false;
    std::size_t begin = 0;  // of the token, or of what stands between two
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool was_in_token = in_token;
        if (in_string && text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            in_string = !in_string;
        }
        in_token = in_string || between.find(text[i]) == between.npos;
        if (in_token != was_in_token) begin = i;
        if (i - begin > limit) return begin;
    }
    return std::string_view::npos;
}

/// What the parser refuses, for an error: 1e400 arrives as an out_of_range exception, not as a
/// syntax error.
inline std::string parse_error_text(const std::string& token,
                                    const nlohmann::json::exception& error) {
    const std::string reason = error.id == 406 ? "a number out of range" : "invalid JSON";
    return reason + " at " + in_quotes(token);
}

/// Calls nlohmann's events on `reader` for the whole of `text`, after a check of what nlohmann
/// would let pass: a byte order mark, a zero byte, which it takes for the end, and strings, numbers
/// and gaps of more than `max_token` bytes. reader.refuse_byte(byte, expected, found) throws.
template <typename Reader>
void parse_json_events(std::string_view text, std::size_t max_token, Reader& reader) {
    if (text.starts_with("\xEF\xBB\xBF")) reader.refuse_byte(0, "JSON", "a byte order mark");
    if (const auto zero = text.find('\0'); zero != text.npos)
        reader.refuse_byte(zero, "JSON", "a zero byte");
    if (const auto begin = long_token(text, max_token); begin != text.npos) {
        reader.refuse_byte(
            begin, "strings, numbers and gaps of at most " + std::to_string(max_token) + " bytes",
            "more: " + in_quotes(text.substr(begin)));
    }
    nlohmann::json::sax_parse(text.begin(), text.end(), &reader);
}

}  // namespace nystromformer::inline v0_2::detail
