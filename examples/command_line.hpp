// SPDX-License-Identifier: MIT
// What the commands share: common options, JSON lines in and out, messages, exit codes.
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/model/options.hpp>
#include <nystromformer/model/pretrained.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace command_line {

using nystromformer::Index;
using nystromformer::detail::Json;

enum ExitCode { good = 0, run_time_failure = 1, usage = 2, some_lines_failed = 3 };

/// An option whose value is wrong: told as a usage error.
class UsageError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Options of more than one command. Each add_... declares some of them.
struct CommonOptions {
    std::string model;
    Index threads = 0;
    std::string precision = "fp32";
    std::string attention = "config";
    Index landmarks = 0;
    bool json = false;

    void add_model(CLI::App& command);
    void add_threads(CLI::App& command);
    /// --precision, --attention and --landmarks.
    void add_forward(CLI::App& command);
    void add_json(CLI::App& command);

    nystromformer::LoadOptions load_options() const;
    nystromformer::Attention attention_mode() const;
    /// Notes on stderr where --landmarks has no effect on a model of `config`.
    void note_idle_landmarks(const nystromformer::NystromformerConfig& config) const;
    /// True where answers are to be JSON lines: asked for, or stdout is no terminal.
    bool writes_json() const;
};

/// What main and the commands share.
struct Session {
    std::vector<std::string> after_dashes;  ///< the arguments after "--", which are all texts
    int exit_code = good;
};

/// Makes `command` take TEXT arguments.
void add_texts(CLI::App& command);
/// Those TEXTs as they stand, after parsing. (CLI11's own positionals would read "[a,b]" as a
/// list.) Throws UsageError for what looks like an option.
std::vector<std::string> texts_of(const CLI::App& command, const Session& session);

/// Makes sure of the three standard descriptors and of an error instead of SIGPIPE.
void prepare_streams();
/// Writes to stdout and flushes; throws std::runtime_error when the pipe is closed or the disk
/// full.
void write_out(std::string_view text);
/// One line on stderr, made safe for a terminal.
void print_message(std::string_view text);
/// `text` with control characters and invalid UTF-8 escaped; other UTF-8 stays.
std::string for_terminal(std::string_view text);
/// JSON on one line; invalid UTF-8 becomes U+FFFD.
std::string dump(const Json& value);

/// One input of a command: a JSON line or a TEXT argument.
struct Request {
    std::uint64_t line;  ///< from 1
    Json fields;         ///< what was read; an empty object where nothing could be
    std::string error;   ///< why there will be no answer, or empty
    Json output;

    /// The string under `field`; InputError where there is none.
    const std::string& text(const char* field) const;
};

/// How a command answers.
struct Answerer {
    /// Sets output or error of each request; errors of the whole run are thrown.
    std::function<void(const std::vector<Request*>&)> answer;
    /// An answer as a person reads it.
    std::function<std::string(const Request&)> table;
    /// Requests per call, where that many wait.
    std::size_t batch = 32;
};

/// Answers the TEXTs, or the JSON lines of stdin where there are none; one line for each, in order.
int answer_all(const std::vector<std::string>& texts, bool json, const Answerer& answerer);

/// Runs `body`; an Error becomes the request's error. One bad line must not end the others.
void guard(Request& request, const std::function<void()>& body);

}  // namespace command_line

/// Each declares its command. The command runs when it is parsed and stores its exit code.
void add_fill_mask(CLI::App& app, command_line::Session& session);
void add_tokenize(CLI::App& app, command_line::Session& session);
void add_run(CLI::App& app, command_line::Session& session);
void add_bench(CLI::App& app, command_line::Session& session);
void add_info(CLI::App& app, command_line::Session& session);
