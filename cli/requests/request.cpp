// SPDX-License-Identifier: MIT
#include "requests/request.hpp"

#include "streams/standard_streams.hpp"

#include <nystromformer/error.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace command_line {

namespace nf = nystromformer;

namespace {

[[noreturn]] void fail_field(const Json& fields, const char* field, const char* expected) {
    const auto found = fields.find(field);
    throw nf::InputError({"", std::string("/") + field, expected,
                          found == fields.end() ? "nothing" : nf::describe(*found)});
}

}  // namespace

const std::string& Request::text(const char* field) const {
    const auto found = fields.find(field);
    if (found == fields.end() || !found->is_string()) fail_field(fields, field, "a string");
    return found->get_ref<const std::string&>();
}

const std::string& Request::text(const char* field,
                                 const std::optional<std::string>& otherwise) const {
    return otherwise && !fields.contains(field) ? *otherwise : text(field);
}

std::vector<std::string> Request::texts(const char* field) const {
    const auto found = fields.find(field);
    const auto is_string = [](const Json& value) { return value.is_string(); };
    if (found == fields.end() || !found->is_array() ||
        !std::all_of(found->begin(), found->end(), is_string)) {
        fail_field(fields, field, "an array of strings");
    }
    return found->get<std::vector<std::string>>();
}

std::vector<std::int64_t> Request::integers(const char* field, std::int64_t max) const {
    const auto found = fields.find(field);
    if (found == fields.end() || !found->is_array()) fail_field(fields, field, "an array");
    std::vector<std::int64_t> result;
    for (std::size_t i = 0; i < found->size(); ++i) {
        const Json& value = (*found)[i];
        if (!value.is_number_integer() || value < 0 || value > max) {
            throw nf::InputError({"", std::string("/") + field + '/' + std::to_string(i),
                                  "an integer from 0 to " + std::to_string(max),
                                  nf::describe(value)});
        }
        result.push_back(value.get<std::int64_t>());
    }
    return result;
}

double Request::size_of(const char* field) const {
    const auto found = fields.find(field);
    const bool is_text = found != fields.end() && found->is_string();
    return is_text ? static_cast<double>(found->get_ref<const std::string&>().size()) : 0;
}

Request read_request(std::uint64_t number, const std::string& line) {
    Request request{number, Json::object()};
    guard(request, [&] {
        if (line.size() > StdinLines::max_line) {
            throw nf::FormatError(
                {"", "", "a line of at most " + std::to_string(StdinLines::max_line) + " bytes",
                 "a longer one"});
        }
        JsonLine read = read_json_line(line);
        request.fields = std::move(read.fields);
        request.members = std::move(read.members);
    });
    return request;
}

Request request_of(std::uint64_t number, Json fields) {
    std::string members = members_of(fields);
    return {number, std::move(fields), std::move(members)};
}

std::vector<Json> text_fields(const std::vector<std::string>& texts) {
    std::vector<Json> fields;
    for (const std::string& text : texts) fields.push_back({{"text", text}});
    return fields;
}

std::function<void(const nf::TruncationNotice&)> cut_noter(std::span<Request* const> requests) {
    return [requests](const nf::TruncationNotice& cut) {
        requests[static_cast<std::size_t>(cut.input)]->cut = {
            {"tokens", cut.tokens}, {"length", cut.length}, {"windows", cut.windows}};
    };
}

std::string message_of(const nf::InputError& error) {
    return nf::InputError({error.file(), error.place(), error.expected(), error.found()}).what();
}

void guard(Request& request, const std::function<void()>& body) {
    try {
        body();
    } catch (const nf::InputError& error) {
        request.error = message_of(error);
    } catch (const nf::Error& error) {
        request.error = error.what();
    }
}

}  // namespace command_line
