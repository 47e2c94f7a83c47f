// SPDX-License-Identifier: MIT
#include "requests/json_line.hpp"

#include <nystromformer/error.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace command_line {

namespace nf = nystromformer;

namespace {

/// `line` with integers of more digits than a double's range cut to 300 of them, so that the parser
/// takes them. It reads every integer that is larger than 64 bits as a double.
std::string with_short_integers(std::string_view line) {
    constexpr std::string_view digits = "0123456789";
    constexpr std::size_t max_digits = 300;
    std::string text;
    for (std::size_t at = 0; at < line.size();) {
        const std::string_view rest = line.substr(at);
        std::size_t size = 1, kept = 1;
        if (rest[0] == '"') {
            size = kept = nf::json_string_size(rest);
        } else if (digits.find(rest[0]) != digits.npos) {
            size = kept = std::min(rest.find_first_not_of("0123456789+-.eE"), rest.size());
            if (rest.substr(0, size).find_first_not_of(digits) == rest.npos)
                kept = std::min(size, max_digits);
        }
        text += rest.substr(0, kept);
        at += size;
    }
    return text;
}

/// `text`, of valid JSON, without the white space between its tokens.
std::string compact(std::string_view text) {
    std::string result;
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view rest = text.substr(at);
        const std::size_t size = rest[0] == '"' ? nf::json_string_size(rest) : 1;
        const bool is_white = std::string_view(" \t\r\n").find(rest[0]) != std::string_view::npos;
        if (!is_white) result += rest.substr(0, size);
        at += size;
    }
    return result;
}

/// The members of a valid object, as JsonLine has them.
std::string spelled_members(std::string_view object) {
    std::string members;
    nf::for_each_json_member(object, [&](const std::string& key, std::string_view value) {
        if (key == "output" || key == "error" || key == "cut") return;
        members += (members.empty() ? "" : ",") + Json(key).dump() + ':' + compact(value);
    });
    return members;
}

/// FormatError for a line in a form that people may expect, but that is not supported.
void refuse_other_forms(std::string_view line, const std::string& file) {
    const auto begin = line.find_first_not_of(" \t\r");
    if (begin == line.npos || line.starts_with("\xEF\xBB\xBF")) return;
    const std::string_view text = line.substr(begin);
    const bool may_be_json = text.find_first_of("{[\"-0123456789") == 0 || text == "null" ||
                             text == "true" || text == "false";
    if (!may_be_json) {
        throw nf::FormatError(
            {file, "",
             "JSON, an object such as {\"text\": ...} (plain text is for --corpus, "
             "or an argument)",
             nf::in_quotes(text.substr(0, 40))});
    }
    if (text.starts_with("{'")) {
        throw nf::FormatError(
            {file, "", "JSON, whose strings have double quotes", nf::in_quotes(text)});
    }
}

}  // namespace

JsonLine read_json_line(std::string_view line, const std::string& file) {
    refuse_other_forms(line, file);
    Json fields = nf::read_json(with_short_integers(line), file);
    if (!fields.is_object())
        throw nf::FormatError({file, "", "a JSON object", nf::describe(fields)});
    return {std::move(fields), spelled_members(line)};
}

std::string members_of(const Json& fields) { return spelled_members(dump(fields)); }

std::string dump(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace command_line
