// SPDX-License-Identifier: MIT
// The base of the small JSON readers here: they take what they know from the event stream, so a
// hostile header never becomes a tree in memory.
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/error.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace nystromformer::inline v0_2::detail {

/// SAX handler for nlohmann::json that refuses every event; a reader hides those that it takes. The
/// values of keys that no one knows can be skipped, to a small depth.
class HeaderSax {
public:
    using Json = nlohmann::json;

    explicit HeaderSax(std::string file) : file_(std::move(file)) {}

    bool parse_error(std::size_t position, const std::string& token, const Json::exception& error) {
        // A number like 1e400 arrives here as an out_of_range exception, not as a syntax error.
        const std::string reason = error.id == 406 ? "a number out of range" : "invalid JSON";
        throw FormatError({file_, place("byte " + std::to_string(position)), "JSON",
                           reason + " at " + in_quotes(token)});
    }

protected:
    static constexpr std::size_t max_name_bytes = 65536;
    static constexpr std::size_t max_token_bytes = 6 * max_name_bytes;  // as \u0061\u0062...

    /// Parses the whole of `text`, after what nlohmann lets pass: a byte order mark, a NUL, which
    /// it takes as the end, and a token of any length, which it copies twice.
    template <typename Reader>
    static void parse(std::string_view text, Reader& reader) {
        if (text.starts_with("\xEF\xBB\xBF")) reader.fail("JSON", "a byte order mark", "byte 0");
        if (const auto nul = text.find('\0'); nul != std::string_view::npos)
            reader.fail("JSON", "a NUL byte", "byte " + std::to_string(nul));
        if (const auto begin = long_token(text, max_token_bytes); begin != std::string_view::npos) {
            reader.fail("names, numbers and what is between of at most " +
                            std::to_string(max_token_bytes) + " bytes",
                        "more: " + in_quotes(text.substr(begin)), "byte " + std::to_string(begin));
        }
        Json::sax_parse(text.begin(), text.end(), &reader);
    }

    /// Throws FormatError at `where`, a path in the JSON or a byte.
    [[noreturn]] void fail(std::string expected, std::string found, std::string where = "") const {
        throw FormatError(
            {file_, place(where.empty() ? path() : where), std::move(expected), std::move(found)});
    }
    std::string place(const std::string& where) const { return "header: " + where; }
    virtual std::string path() const = 0;

    /// A name from a file: not too long, and no NUL, which C programs would read as its end.
    void check_name(const std::string& name) const {
        if (name.size() > max_name_bytes) {
            fail("names of at most " + std::to_string(max_name_bytes) + " bytes",
                 std::to_string(name.size()) + " bytes: " + in_quotes(name));
        }
        if (name.find('\0') != std::string::npos) fail("names without NUL", in_quotes(name));
    }

    ~HeaderSax() = default;

    std::string file_;
};

}  // namespace nystromformer::inline v0_2::detail
