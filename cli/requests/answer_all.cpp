// SPDX-License-Identifier: MIT
#include "requests/answer_all.hpp"

#include "options/usage.hpp"
#include "platform/platform.hpp"
#include "streams/standard_streams.hpp"
#include "streams/text_file.hpp"
#include "terminal/progress.hpp"
#include "terminal/terminal.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace command_line {

namespace {

constexpr std::uint64_t max_waiting_bytes = std::uint64_t{4} << 20;  // of lines answered together
constexpr double max_output_bytes = 64 << 20;                        // of their answers, about

/// Counts the output that the waiting requests will have.
class OutputCount {
public:
    explicit OutputCount(const Answerer& answerer) : answerer_(answerer) {}

    /// True if the output of all, this request's with them, would become much.
    bool is_much_with(const Request& request) {
        if (answerer_.output_bytes && request.error.empty())
            bytes_ += answerer_.output_bytes(request);
        return bytes_ >= max_output_bytes;
    }
    void clear() { bytes_ = 0; }

private:
    const Answerer& answerer_;
    double bytes_ = 0;
};

/// Answers those of `requests` that could be read.
void answer_good(std::vector<Request>& requests, const Answerer& answerer) {
    std::vector<Request*> good_ones;
    for (Request& request : requests) {
        if (request.error.empty()) good_ones.push_back(&request);
    }
    if (!good_ones.empty()) answerer.answer(good_ones);
}

std::string cut_message(const Request& request) {
    const auto number = [&](const char* field) { return request.cut[field].dump(); };
    return "text " + std::to_string(request.line) + ": its " + number("tokens") + " tokens were " +
           (request.cut["windows"] == 1
                ? "cut to " + number("length")
                : "read in " + number("windows") + " windows of " + number("length"));
}

/// What became of a request, as a person reads it; messages go to stderr.
std::string table_of(Request& request, const Answerer& answerer) {
    if (!request.error.empty()) {
        print_message("text " + std::to_string(request.line) + ": " + request.error);
        return "";
    }
    if (!request.output_text.empty()) request.output = Json::parse(request.output_text);
    std::string table = answerer.table(request);
    if (!request.cut.is_null()) print_message(cut_message(request));
    return table;
}

/// The same as a JSON line.
std::string json_line_of(Request& request) {
    std::string line = std::move(request.members);
    const auto add = [&line](const char* name, const std::string& value) {
        line += (line.empty() ? "\"" : ",\"") + std::string(name) + "\":" + value;
    };
    if (!request.error.empty()) {
        if (!request.fields.contains("line")) add("line", std::to_string(request.line));
        add("error", dump(request.error));
    } else {
        if (!request.cut.is_null()) add("cut", dump(request.cut));
        add("output", request.output_text.empty() ? dump(request.output) : request.output_text);
    }
    return '{' + line + "}\n";
}

/// Writes what became of `requests` and returns how many failed.
std::size_t write_answers(std::vector<Request>& requests, bool json, const Answerer& answerer) {
    std::string text;
    std::size_t failed = 0;
    for (Request& request : requests) {
        failed += !request.error.empty();
        text += json ? json_line_of(request) : table_of(request, answerer);
    }
    write_out(text);
    return failed;
}

/// Answers the lines, or texts, of a source.
template <typename Source>
int answer_source(Source& source, Progress& progress, const CommonOptions& options,
                  const Answerer& answerer) {
    const bool json = options.writes_json();
    std::size_t failed = 0;
    std::vector<Request> requests;
    OutputCount output(answerer);
    std::uint64_t number = 0, answered_bytes = 0;
    for (auto line = source.next(); line; line = source.next()) {
        if (++number <= options.skip) continue;
        const std::uint64_t shown = options.first_line - 1 + number;
        requests.push_back(source.holds_json()
                               ? read_request(shown, *line)
                               : request_of(shown, Json::object({{"text", *line}})));
        const bool few = !output.is_much_with(requests.back()) &&
                         requests.size() < answerer.batch &&
                         source.bytes_done() - answered_bytes < max_waiting_bytes;
        if (few && source.more_waits()) continue;
        answer_good(requests, answerer);
        failed += write_answers(requests, json, answerer);
        progress.advance(requests.size(), source.bytes_done());
        answered_bytes = source.bytes_done();
        requests.clear();
        output.clear();
    }
    // At the end of the input more_waits() may be true, too: what was gathered is not answered yet.
    answer_good(requests, answerer);
    failed += write_answers(requests, json, answerer);
    progress.advance(requests.size(), source.bytes_done(), true);
    return failed == 0 ? good : some_lines_failed;
}

/// A message if the texts look like the words of one.
void note_words(const std::vector<Json>& arguments) {
    const auto is_word = [](const Json& fields) {
        const auto text = fields.find("text");
        return text != fields.end() &&
               text->get_ref<const std::string&>().find(' ') == std::string::npos;
    };
    if (arguments.size() > 1 && std::all_of(arguments.begin(), arguments.end(), is_word)) {
        print_message("these were " + std::to_string(arguments.size()) +
                      " texts; put one that has spaces in quotes");
    }
}

/// Answers the inputs of the command line.
int answer_arguments(const std::vector<Json>& arguments, const CommonOptions& options,
                     const Answerer& answerer) {
    if (!options.corpus.empty()) throw UsageError("--corpus or a TEXT, not both");
    if (options.skip > 0 || options.first_line != 1)
        throw UsageError("--skip and --first-line are for lines of stdin, not for a TEXT");
    const bool json = options.writes_json();
    std::vector<Request> requests;
    OutputCount output(answerer);
    std::size_t failed = 0;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        requests.push_back(request_of(i + 1, arguments[i]));
        if (!output.is_much_with(requests.back()) && i + 1 < arguments.size()) continue;
        answer_good(requests, answerer);
        failed += write_answers(requests, json, answerer);
        requests.clear();
        output.clear();
    }
    if (failed > 0) note_words(arguments);
    return failed == 0 ? good : some_lines_failed;
}

}  // namespace

int answer_all(const std::vector<Json>& arguments, const CommonOptions& options,
               const Answerer& answerer) {
    if (!arguments.empty()) return answer_arguments(arguments, options, answerer);
    if (!options.corpus.empty()) {
        TextFile file(options.corpus, options.split);
        Progress progress(!stdout_is_terminal(), file.total_bytes());
        return answer_source(file, progress, options, answerer);
    }
    const bool typed = stdin_is_terminal();
    if (typed) print_message("reading JSON lines from the terminal, Ctrl-D ends");
    StdinLines lines;
    Progress progress(!typed && !stdout_is_terminal(), StdinLines::total_bytes());
    const int code = answer_source(lines, progress, options, answerer);
    if (lines.bytes_done() == 0)
        print_message("no TEXT was given, and stdin was empty (see --help)");
    return code;
}

}  // namespace command_line
