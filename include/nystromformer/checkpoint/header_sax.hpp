// SPDX-License-Identifier: MIT
// The base of the small JSON readers here: they take what they know from the event stream, so a
// hostile header never becomes a tree in memory.
#pragma once

#include <nystromformer/core/json_events.hpp>
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
        refuse_byte(position, "JSON", parse_error_text(token, error));
    }
    [[noreturn]] void refuse_byte(std::size_t byte, std::string expected, std::string found) const {
        fail(std::move(expected), std::move(found), "byte " + std::to_string(byte));
    }

protected:
    static constexpr std::size_t max_name_bytes = 65536;
    static constexpr std::size_t max_token_bytes = 6 * max_name_bytes;  // as \u0061\u0062...

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
