// SPDX-License-Identifier: MIT
// Fuzz target: json_line, the command line's reader and writer of lines with the commands' readers
// of fields: data is stdin, and stdout is read back.
#include "fuzz.hpp"

#include "commands/tokenize.cpp"
#include "options/usage.hpp"
#include "requests/answer_all.hpp"
#include "streams/text_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::fuzz {
namespace {

/// A file in memory in the place of a standard descriptor.
int in_place_of(int descriptor) {
    const int file = memfd_create("stream", 0);
    require(file >= 0 && dup2(file, descriptor) == descriptor, "a file in memory");
    return descriptor;
}

void refill(int descriptor, std::string_view bytes) {
    require(ftruncate(descriptor, 0) == 0 && lseek(descriptor, 0, SEEK_SET) == 0, "emptied");
    require(write(descriptor, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
                lseek(descriptor, 0, SEEK_SET) == 0,
            "filled");
}

std::string take(int descriptor) {
    std::string bytes(static_cast<std::size_t>(lseek(descriptor, 0, SEEK_CUR)), '\0');
    require(pread(descriptor, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
            "read back");
    return bytes;
}

const Tokenizer& tokenizer() {
    static const Tokenizer result = set_up([] {
        return Tokenizer::from_json(
            R"({"added_tokens": [{"id": 0, "content": "<unk>", "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true}],
            "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always",
            "split": true}, "decoder": {"type": "Metaspace", "replacement": "\u2581",
            "prepend_scheme": "always", "split": true}, "model": {"type": "Unigram", "unk_id": 0,
            "byte_fallback": false, "vocab": [["<unk>", 0.0], ["\u2581", -2.0], ["a", -1.0],
            ["\u2581ab", -1.5]]}})");
    });
    return result;
}

/// What the commands read of a request: texts, pairs, ids, lists of texts.
void answer(const std::vector<command_line::Request*>& requests) {
    tokenize_command::Options options;
    options.decode = true;
    for (command_line::Request* request : requests) {
        command_line::guard(*request, [&] {
            const Json& fields = request->fields;
            if (fields.contains("ids")) {
                request->output =
                    tokenizer().decode(request->integers("ids", tokenize_command::max_id));
            } else if (fields.contains("choices")) {
                request->output = request->texts("choices");
            } else if (fields.contains("question")) {
                request->output = request->text("question") + request->text("context", "none");
            } else {
                request->output = tokenize_command::encode(tokenizer(), *request, options);
            }
        });
    }
}

/// A line out for each line in, in order: an object with the fields that came and output or error.
void json_line(std::string_view data) {
    static const int in = in_place_of(STDIN_FILENO), out = in_place_of(STDOUT_FILENO);
    refill(in, data);
    refill(out, "");
    command_line::CommonOptions options;
    const int code = command_line::answer_all({}, options, {answer, tokenize_command::table, 3});
    const std::string written = take(out);
    const auto lines_in =
        std::count(data.begin(), data.end(), '\n') + (!data.empty() && data.back() != '\n' ? 1 : 0);
    require(std::count(written.begin(), written.end(), '\n') == lines_in, "as many lines out");
    bool any_failed = false;
    for (std::size_t begin = 0, end = 0; begin < written.size(); begin = end + 1) {
        end = written.find('\n', begin);
        const Json line = Json::parse(written.begin() + static_cast<std::ptrdiff_t>(begin),
                                      written.begin() + static_cast<std::ptrdiff_t>(end));
        require(line.is_object() && line.contains("output") != line.contains("error"),
                "an output or an error");
        any_failed = any_failed || line.contains("error");
    }
    require(code == (any_failed ? command_line::some_lines_failed : command_line::good),
            "the exit code tells of failed lines");
}

/// The texts of a --corpus: lines, paragraphs or JSON lines.
void text_file(std::string_view data) {
    static const std::string path = [] {
        const int file = memfd_create("texts", 0);
        require(file >= 0, "a file in memory");
        return "/proc/self/fd/" + std::to_string(file);
    }();
    static const int file = std::stoi(path.substr(path.rfind('/') + 1));
    refill(file, data);
    for (const char* split : {"auto", "lines", "paragraphs", "json"}) {
        command_line::TextFile texts(path, split);
        std::uint64_t line = 0;
        for (auto text = texts.next(); text; text = texts.next()) {
            require(texts.line() > line, "later lines");
            line = texts.line();
            require(texts.holds_json() || !text->empty(), "no empty texts");
        }
        require(texts.bytes_done() == data.size(), "all of the file");
    }
}

constexpr Target all[] = {{"json_line", json_line}, {"text_file", text_file}};

}  // namespace

std::span<const Target> targets() { return all; }

}  // namespace nystromformer::fuzz
