// SPDX-License-Identifier: MIT
#include "command_line.hpp"

#include "json_line.hpp"
#include "progress.hpp"
#include "text_file.hpp"

#include <nystromformer/error.hpp>
#include <nystromformer/threads.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <memory>
#include <set>
#include <sstream>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace command_line {

namespace nf = nystromformer;
namespace utf8 = nystromformer::detail::utf8;

// ---- options

void CommonOptions::add_model(CLI::App& command) {
    command.add_option("--model", model, "Hugging Face folder")->required()->type_name("DIR");
}

void CommonOptions::add_threads(CLI::App& command) {
    command.add_option("--threads", threads, "threads to compute on (default: every core)")
        ->check(CLI::Range(Index{1}, nf::ThreadPool::max_threads))
        ->type_name("N");
}

void CommonOptions::add_precision(CLI::App& command) {
    command
        .add_option("--precision", precision,
                    "of the encoder's weights: fp32 (the default), bf16 or int8")
        ->check(CLI::IsMember({"fp32", "bf16", "int8"}))
        ->type_name("NAME");
}

void CommonOptions::add_forward(CLI::App& command) {
    add_threads(command);
    add_precision(command);
    command
        .add_option("--attention", attention,
                    "config (what Hugging Face runs, the default), exact or nystrom")
        ->check(CLI::IsMember({"config", "exact", "nystrom"}))
        ->type_name("NAME");
    command
        .add_option("--landmarks", landmarks,
                    "landmarks of nystrom attention (default: the config's)")
        ->check(CLI::Range(Index{1}, Index{1} << 20))
        ->type_name("N");
}

void CommonOptions::add_json(CLI::App& command) {
    command.add_flag("--json", json, "JSON lines even on a terminal");
}

void CommonOptions::add_lines(CLI::App& command) {
    add_json(command);
    command
        .add_option("--skip", skip, "leave out the first N lines of stdin, to resume after them")
        ->type_name("N");
    command
        .add_option("--first-line", first_line,
                    "what errors call the first line of stdin (default: 1), where it is a part")
        ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62))
        ->type_name("N");
}

void CommonOptions::add_pipeline(CLI::App& command) {
    add_forward(command);
    command
        .add_option("--batch-tokens", batch_tokens,
                    "tokens computed at once (default: 4096); answers do not depend on it")
        ->check(CLI::Range(Index{1}, Index{1} << 30))
        ->type_name("N");
    add_lines(command);
}

void CommonOptions::add_corpus(CLI::App& command, const std::string& what) {
    command.add_option("--corpus", corpus, what)->type_name("FILE");
    command
        .add_option("--split", split,
                    "what is a text there: lines, paragraphs or json, for JSON lines with \"text\" "
                    "(default: json for a name that ends in .jsonl, else paragraphs, or lines "
                    "where none is blank)")
        ->check(CLI::IsMember({"auto", "lines", "paragraphs", "json"}))
        ->type_name("NAME");
}

nf::LoadOptions CommonOptions::load_options() const {
    return {.num_threads = threads,
            .precision = nf::precision_named(precision).value(),
            .on_notice = notice_printer()};
}

nf::Attention CommonOptions::attention_mode() const {
    if (attention == "exact") return nf::Attention::exact;
    return attention == "nystrom" ? nf::Attention::nystrom : nf::Attention::config;
}

void CommonOptions::note_idle_landmarks(const nf::NystromformerConfig& config) const {
    const bool exact =
        attention == "exact" || (attention == "config" && config.uses_exact_attention());
    if (landmarks != 0 && exact) {
        print_message("--landmarks has no effect on exact attention; give --attention nystrom");
    }
}

bool CommonOptions::writes_json() const { return json || isatty(STDOUT_FILENO) == 0; }

void add_texts(CLI::App& command, const std::string& text, const std::string& fields) {
    command.allow_extras();
    command.footer("Every other argument is " + text +
                   " (after --, every one). Without any, JSON lines\n" + fields +
                   " are read from stdin, and a line is written for each.");
}

void add_truncation(CLI::App& command, bool& truncation) {
    command.add_flag("--truncation", truncation, "cut texts that are too long for the model");
}

void add_byte_offsets(CLI::App& command, bool& byte_offsets) {
    command.add_flag("--byte-offsets", byte_offsets,
                     "also byte_start and byte_end, beside start and end in code points");
}

void add_stride(CLI::App& command, std::optional<Index>& stride) {
    command
        .add_option("--stride", stride,
                    "read texts that are too long in windows that share N tokens")
        ->type_name("N");
}

CLI::Option* add_text_option(CLI::App& command, const std::string& name,
                             std::optional<std::string>& value, const std::string& about) {
    return command
        .add_option_function<std::string>(
            name, [&value](const std::string& text) { value = text; }, about)
        ->type_name("TEXT");
}

std::optional<Index> whole_number(const std::string& text) {
    Index number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return std::to_string(number) == text ? std::optional(number) : std::nullopt;
}

void refuse_empty_values(CLI::App& app) {
    const CLI::Validator not_empty(
        [](const std::string& value) { return value.empty() ? "a value, not nothing" : ""; }, "");
    const CLI::Validator is_number(
        [](const std::string& value) {
            return whole_number(value) ? "" : "a whole number of 64 bits, not " + value;
        },
        "");
    for (CLI::App* command : app.get_subcommands({})) {
        for (CLI::Option* option : command->get_options()) {
            const std::string type = option->get_type_name();
            if (option->get_expected_min() == 0 || type == "TEXT" || type == "A,B,...") continue;
            // CLI11 adds what an option is checked for: "N:POSITIVE".
            option->check(type == "N" || type.starts_with("N:") ? is_number : not_empty);
        }
    }
}

std::vector<std::string> texts_of(const CLI::App& command, const Session& session) {
    std::vector<std::string> texts = command.remaining();
    for (const std::string& text : texts) {
        if (text.size() > 1 && text[0] == '-')
            throw UsageError("unknown option " + text + " (see --help)");
    }
    texts.insert(texts.end(), session.after_dashes.begin(), session.after_dashes.end());
    return texts;
}

std::vector<std::string> items_of(std::string_view list) {
    if (!list.empty() && list.find_first_not_of(',') == list.npos) return {std::string(list)};
    std::vector<std::string> items(1);
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list[i] == ',') {
            items.emplace_back();
        } else {
            if (list.substr(i, 2) == "\\,") ++i;
            items.back() += list[i];
        }
    }
    return items;
}

CLI::Option* add_list_option(CLI::App& command, const std::string& name,
                             std::optional<std::vector<std::string>>& items,
                             const std::string& about) {
    const auto add = [&items](const std::string& list) {
        if (!items) items.emplace();
        for (std::string& item : items_of(list)) items->push_back(std::move(item));
    };
    return command.add_option_function<std::string>(name, add, about)
        ->trigger_on_parse()
        ->type_name("A,B,...");
}

std::vector<Json> text_fields(const std::vector<std::string>& texts) {
    std::vector<Json> fields;
    for (const std::string& text : texts) fields.push_back({{"text", text}});
    return fields;
}

// ---- streams

void prepare_streams() {
    std::signal(SIGPIPE, SIG_IGN);
    // A file opened later must not become stdin, stdout or stderr. Writing to a stdout that was
    // closed still fails, as it should: /dev/null is open for reading only.
    for (int descriptor = 0; descriptor <= 2; ++descriptor) {
        if (fcntl(descriptor, F_GETFD) == -1 && open("/dev/null", O_RDONLY) != descriptor) {
            throw std::system_error(errno, std::generic_category(), "/dev/null");
        }
    }
}

void write_out(std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0)
            throw std::system_error(errno, std::generic_category(), "writing to stdout");
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

std::function<void(const nf::Notice&)> notice_printer() {
    return [told = std::make_shared<std::set<std::string>>()](const nf::Notice& notice) {
        if (told->insert(notice.text()).second) print_message("note: " + notice.text());
    };
}

void print_message(std::string_view text) {
    const std::string line = "nystromformer: " + for_terminal(text) + '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string for_terminal(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const auto [size, valid] = utf8::scan(text, 0);
        const std::string_view character = text.substr(0, size);
        // Control characters: C0 and DEL, and C1, which terminals obey too.
        const char32_t point = valid ? utf8::decode(character, 0).point : 0;
        result += point < 0x20 || (point >= 0x7F && point < 0xA0) ? nf::detail::printable(character)
                                                                  : std::string(character);
        text.remove_prefix(size);
    }
    return result;
}

std::string dump(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// ---- requests

namespace {

constexpr std::size_t max_line = std::size_t{16} << 20;
constexpr std::uint64_t max_waiting_bytes = std::uint64_t{4} << 20;  // of lines answered together
constexpr double max_output_bytes = 64 << 20;                        // of their answers, about

/// The lines of stdin, in memory that a long one does not blow up.
class Lines {
public:
    /// The next line without its end; nothing at the end of the input. Of a line longer than
    /// max_line the first max_line + 1 bytes.
    std::optional<std::string> next() {
        std::string line;
        bool any = false;
        while (fill()) {
            any = true;
            const std::string_view rest(buffer_.data() + begin_, end_ - begin_);
            const std::size_t newline = rest.find('\n');
            const std::string_view part = rest.substr(0, newline);
            line += part.substr(0, max_line + 1 - line.size());
            begin_ += part.size();
            if (newline != rest.npos) {
                ++begin_;
                return line;
            }
        }
        return any ? std::optional(std::move(line)) : std::nullopt;
    }

    /// True where more is there already: to read on keeps no client from its answer.
    bool more_waits() const {
        if (begin_ < end_) return true;
        pollfd descriptor{STDIN_FILENO, POLLIN, 0};
        return poll(&descriptor, 1, 0) > 0 && (descriptor.revents & POLLIN) != 0;
    }

    /// Bytes of the lines that `next` gave.
    std::uint64_t bytes_done() const { return bytes_ - (end_ - begin_); }
    /// Bytes of all lines; 0 where that is not known.
    static std::uint64_t total_bytes() {
        struct stat status {};
        const bool is_file = fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode);
        return is_file ? static_cast<std::uint64_t>(status.st_size) : 0;
    }
    static bool holds_json() { return true; }

private:
    /// True where the buffer holds at least one byte.
    bool fill() {
        while (begin_ == end_) {
            const ssize_t count = ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
            if (count == 0) return false;
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) throw std::system_error(errno, std::generic_category(), "reading stdin");
            begin_ = 0;
            end_ = static_cast<std::size_t>(count);
            if (bytes_ == 0) refuse_utf16({buffer_.data(), end_}, "stdin");
            bytes_ += end_;
        }
        return true;
    }

    std::vector<char> buffer_ = std::vector<char>(1 << 16);
    std::size_t begin_ = 0, end_ = 0;
    std::uint64_t bytes_ = 0;
};

/// A JSON line as a request; what is wrong with it as the request's error.
Request read_request(std::uint64_t number, const std::string& line) {
    Request request{number, Json::object()};
    guard(request, [&] {
        if (line.size() > max_line) {
            throw nf::FormatError({"", "",
                                   "a line of at most " + std::to_string(max_line) + " bytes",
                                   "a longer one"});
        }
        JsonLine read = read_json_line(line);
        request.fields = std::move(read.fields);
        request.members = std::move(read.members);
    });
    return request;
}

/// A text, or another input of the command line, as a request.
Request request_of(std::uint64_t number, Json fields) {
    std::string members = members_of(fields);
    return {number, std::move(fields), std::move(members)};
}

/// True where the answers of what waits, this request's with them, would become much.
class OutputCount {
public:
    explicit OutputCount(const Answerer& answerer) : answerer_(answerer) {}

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

/// Writes what became of `requests` and returns how many failed.
std::size_t write_answers(std::vector<Request>& requests, bool json, const Answerer& answerer) {
    std::string text;
    std::size_t failed = 0;
    for (Request& request : requests) {
        const bool bad = !request.error.empty();
        failed += bad;
        if (!json) {
            if (bad) print_message("text " + std::to_string(request.line) + ": " + request.error);
            if (!bad && !request.output_text.empty())
                request.output = Json::parse(request.output_text);
            if (!bad) text += answerer.table(request);
            if (!bad && !request.cut.is_null()) print_message(cut_message(request));
            continue;
        }
        std::string line = std::move(request.members);
        const auto add = [&line](const char* name, const std::string& value) {
            line += (line.empty() ? "\"" : ",\"") + std::string(name) + "\":" + value;
        };
        if (bad && !request.fields.contains("line")) add("line", std::to_string(request.line));
        if (!bad && !request.cut.is_null()) add("cut", dump(request.cut));
        if (bad) {
            add("error", dump(request.error));
        } else {
            add("output", request.output_text.empty() ? dump(request.output) : request.output_text);
        }
        text += '{' + line + "}\n";
    }
    write_out(text);
    return failed;
}

}  // namespace

namespace {

[[noreturn]] void fail_field(const Json& fields, const char* field, const char* expected) {
    const auto found = fields.find(field);
    throw nf::InputError(
        {"", std::string("/") + field, expected,
         found == fields.end() ? "nothing" : nf::detail::JsonView<nf::Error>::describe(*found)});
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

std::string first_numbers(const Json& numbers) {
    constexpr std::size_t most = 6;
    std::string text;
    for (std::size_t i = 0; i < numbers.size() && i < most; ++i) {
        char number[32];
        std::snprintf(number, sizeof number, " %.4f", numbers[i].get<double>());
        text += number;
    }
    return text + (numbers.size() > most ? " ...\n" : "\n");
}

std::string score_text(const Json& score) {
    char text[32];
    std::snprintf(text, sizeof text, "  %.4f  ", score.get<double>());
    return text;
}

std::string scored_lines(const Json& output, const char* field) {
    std::string text;
    for (const Json& answer : output.is_object() ? Json::array({output}) : output) {
        text += score_text(answer["score"]) +
                for_terminal(answer[field].get_ref<const std::string&>()) + '\n';
    }
    return text;
}

double size_of(const Request& request, const char* field) {
    const auto found = request.fields.find(field);
    const bool is_text = found != request.fields.end() && found->is_string();
    return is_text ? static_cast<double>(found->get_ref<const std::string&>().size()) : 0;
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

namespace {

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
    // The end of the input can be told as "more waits": what was gathered before it is left.
    answer_good(requests, answerer);
    failed += write_answers(requests, json, answerer);
    progress.advance(requests.size(), source.bytes_done(), true);
    return failed == 0 ? good : some_lines_failed;
}

}  // namespace

namespace {

/// Notes on stderr where texts look like the words of one.
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

}  // namespace

int answer_all(const std::vector<Json>& arguments, const CommonOptions& options,
               const Answerer& answerer) {
    if (!arguments.empty()) {
        const bool json = options.writes_json();
        std::vector<Request> requests;
        if (!options.corpus.empty()) throw UsageError("--corpus or a TEXT, not both");
        if (options.skip > 0 || options.first_line != 1)
            throw UsageError("--skip and --first-line are for lines of stdin, not for a TEXT");
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
    if (!options.corpus.empty()) {
        TextFile file(options.corpus, options.split);
        Progress progress(isatty(STDOUT_FILENO) == 0, file.total_bytes());
        return answer_source(file, progress, options, answerer);
    }
    const bool typed = isatty(STDIN_FILENO) != 0;
    if (typed) print_message("reading JSON lines from the terminal, Ctrl-D ends");
    Lines lines;
    Progress progress(!typed && isatty(STDOUT_FILENO) == 0, Lines::total_bytes());
    const int code = answer_source(lines, progress, options, answerer);
    if (lines.bytes_done() == 0)
        print_message("no TEXT was given, and stdin was empty (see --help)");
    return code;
}

}  // namespace command_line
