// SPDX-License-Identifier: MIT
// What the commands share: common options, JSON lines in and out, messages, exit codes.
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/core/matrix.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/pipelines/batches.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

namespace command_line {

using nystromformer::Index;
using nystromformer::detail::Json;

/// About what small things of an output take in memory, for Answerer::output_bytes.
inline constexpr double json_number_bytes = 24, json_object_bytes = 400;

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
    Index batch_tokens = 4096;
    std::uint64_t skip = 0;
    std::uint64_t first_line = 1;
    bool json = false;
    std::string corpus;  ///< a file of texts in the place of stdin
    std::string split = "auto";

    void add_model(CLI::App& command);
    void add_threads(CLI::App& command);
    void add_precision(CLI::App& command);
    /// --threads, --precision, --attention and --landmarks.
    void add_forward(CLI::App& command);
    void add_json(CLI::App& command);
    /// --json, --skip and --first-line: what a command has that answers JSON lines.
    void add_lines(CLI::App& command);
    /// All that a pipeline's command has: --batch-tokens and those of add_forward and add_lines.
    void add_pipeline(CLI::App& command);

    /// --corpus, with `what` as its help, and --split.
    void add_corpus(CLI::App& command, const std::string& what);

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

/// Makes `command` take TEXT arguments; its help says what they are, and the fields of lines.
void add_texts(CLI::App& command, const std::string& text = "a TEXT",
               const std::string& fields = "{\"text\": ...}");
/// An option whose value is any text, an empty one too. (CLI11's own for an optional would take ""
/// for no value at all.)
CLI::Option* add_text_option(CLI::App& command, const std::string& name,
                             std::optional<std::string>& value, const std::string& about);
/// A decimal number as it is usually written; nothing for any other text. (CLI11 reads 010 as 8,
/// and a number that is too large as the largest.)
std::optional<Index> whole_number(const std::string& text);
/// Refuses values that no number, name or path is, of every option of `app`'s commands that takes
/// one.
void refuse_empty_values(CLI::App& app);
/// --truncation: cut what is too long for the model.
void add_truncation(CLI::App& command, bool& truncation);
/// --byte-offsets: places in bytes, too.
void add_byte_offsets(CLI::App& command, bool& byte_offsets);
/// --stride: read what is too long in windows.
void add_stride(CLI::App& command, std::optional<Index>& stride);
/// Those TEXTs unchanged, after parsing. (CLI11's own positionals would read "[a,b]" as a
/// list.) Throws UsageError for what looks like an option.
std::vector<std::string> texts_of(const CLI::App& command, const Session& session);

/// The items of "a,b,c"; of "" one that is empty. A comma within an item is written "\,", and a
/// list of nothing but commas is one item.
std::vector<std::string> items_of(std::string_view list);
/// An option whose value is such a list. Each time it is given, its items are added.
CLI::Option* add_list_option(CLI::App& command, const std::string& name,
                             std::optional<std::vector<std::string>>& items,
                             const std::string& about);

/// Makes sure of the three standard descriptors and of an error instead of SIGPIPE.
void prepare_streams();
/// Writes to stdout and flushes; throws std::runtime_error when the pipe is closed or the disk
/// full.
void write_out(std::string_view text);
/// One line on stderr, made safe for a terminal.
void print_message(std::string_view text);
/// Prints each notice of the library on stderr, once.
std::function<void(const nystromformer::Notice&)> notice_printer();
/// `text` with control characters and invalid UTF-8 escaped; other UTF-8 stays.
std::string for_terminal(std::string_view text);
/// JSON on one line; invalid UTF-8 becomes U+FFFD.
std::string dump(const Json& value);

/// One input of a command: a JSON line or a TEXT argument.
struct Request {
    std::uint64_t line;  ///< of --first-line and on, or of the TEXTs from 1
    Json fields;         ///< what was read; an empty object where nothing could be
    /// The members of the input that its answer carries, as they were spelled (json_line.hpp).
    std::string members = {};
    std::string error = {};        ///< why there will be no answer, or empty
    Json output = {};              ///< of a command of its own
    std::string output_text = {};  ///< or the output as the library spells it, for JSON lines
    Json cut = {};  ///< how the input was cut to fit the model; null where it was not

    /// The string under `field`; InputError where there is none.
    const std::string& text(const char* field) const;
    /// The same, or `otherwise` where there is no such field.
    const std::string& text(const char* field, const std::optional<std::string>& otherwise) const;
    /// The array of strings under `field`; InputError where there is none.
    std::vector<std::string> texts(const char* field) const;
};

/// How a command answers.
struct Answerer {
    /// Sets output or error of each request; errors of the whole run are thrown.
    std::function<void(const std::vector<Request*>&)> answer;
    /// An answer as a person reads it.
    std::function<std::string(const Request&)> table;
    /// Requests per call, where that many wait.
    std::size_t batch = 32;
    /// About how many bytes a request's output takes, where it can be many times the request: what
    /// waits is answered before that becomes much.
    std::function<double(const Request&)> output_bytes = {};
};

/// The fields {"text": ...} of each text.
std::vector<Json> text_fields(const std::vector<std::string>& texts);

/// Answers requests of these fields, or where there are none the texts of --corpus, or the JSON
/// lines of stdin (but for the first --skip); one line for each, in order.
int answer_all(const std::vector<Json>& arguments, const CommonOptions& options,
               const Answerer& answerer);

/// An error's message without the number of the input: where it is, its line says.
std::string message_of(const nystromformer::InputError& error);
/// Runs `body`; an Error becomes the request's error. One bad line must not end the others.
void guard(Request& request, const std::function<void()>& body);

/// Bytes of the string under `field`; 0 where there is none.
double size_of(const Request& request, const char* field);

/// Notes in the request whose place in `requests` it names how its input was cut.
std::function<void(const nystromformer::TruncationNotice&)> cut_noter(
    std::span<Request* const> requests);

/// Answers requests together, and one by one where one of them is bad. `read` makes a pipeline's
/// input of a request, and `run` answers a span of those: JSON text for each, in order. It is given
/// what to call for inputs that are cut, and for bad ones.
template <typename Read, typename Run>
void answer_together(const std::vector<Request*>& requests, Read&& read, Run&& run) {
    std::vector<Request*> good;
    std::vector<decltype(read(*requests[0]))> inputs;
    for (Request* request : requests) {
        guard(*request, [&] {
            inputs.push_back(read(*request));
            good.push_back(request);
        });
    }
    const auto answer = [&](std::size_t first, std::size_t count) {
        const auto some = std::span<Request* const>(good).subspan(first, count);
        const auto outputs = run(std::span(std::as_const(inputs)).subspan(first, count),
                                 cut_noter(some), [&](const nystromformer::InputError& error) {
                                     some[error.input().value()]->error = message_of(error);
                                 });
        for (std::size_t i = 0; i < count; ++i) some[i]->output_text = outputs[i];
    };
    try {
        answer(0, good.size());
    } catch (const nystromformer::Error&) {
        for (std::size_t i = 0; i < good.size(); ++i) guard(*good[i], [&] { answer(i, 1); });
    }
}

/// Runs a pipeline's command. `read` makes an input of a request, `to_json` the output, as text,
/// of an input and its answer. What the pipeline's `check` refuses is a usage error.
template <typename Pipeline, typename PipelineOptions, typename Read, typename ToJson>
int answer_with(const Pipeline& pipeline, PipelineOptions pipeline_options,
                const std::vector<Json>& arguments, const CommonOptions& options, Read&& read,
                ToJson&& to_json, const std::function<std::string(const Request&)>& table,
                const std::function<double(const Request&)>& output_bytes = {}) {
    options.note_idle_landmarks(pipeline.model().config());
    pipeline_options.run.attention = options.attention_mode();
    pipeline_options.run.num_landmarks = options.landmarks;
    pipeline_options.run.batch_tokens = options.batch_tokens;
    try {
        pipeline.check(pipeline_options);
    } catch (const nystromformer::InputError& error) {
        throw UsageError(error.what());
    }
    const auto run = [&](auto inputs, const auto& cut, const auto& refuse) {
        if constexpr (requires { pipeline_options.long_text; }) {
            pipeline_options.long_text.on_truncation = cut;
        } else {
            pipeline_options.on_truncation = cut;
        }
        std::vector<bool> is_bad(inputs.size());
        pipeline_options.run.on_error = [&](const nystromformer::InputError& error) {
            is_bad[error.input().value()] = true;
            refuse(error);
        };
        std::vector<std::string> outputs;
        for (const auto& answer : pipeline.batch(inputs, pipeline_options)) {
            const std::size_t i = outputs.size();
            outputs.push_back(is_bad[i] ? "" : to_json(inputs[i], answer));
        }
        return outputs;
    };
    const Answerer answerer{
        [&](const std::vector<Request*>& requests) { answer_together(requests, read, run); }, table,
        256, output_bytes};
    return answer_all(arguments, options, answerer);
}

/// The first numbers of an array, for a table, and the end of the line.
std::string first_numbers(const Json& numbers);
/// "  0.1234  " for a table.
std::string score_text(const Json& score);
/// A line for each answer of an output (one, or an array) with its score and what stands under
/// `field`.
std::string scored_lines(const Json& output, const char* field);

}  // namespace command_line

/// Each declares its command. The command runs when it is parsed and stores its exit code.
void add_fill_mask(CLI::App& app, command_line::Session& session);
void add_classify(CLI::App& app, command_line::Session& session);
void add_zero_shot(CLI::App& app, command_line::Session& session);
void add_tag(CLI::App& app, command_line::Session& session);
void add_answer(CLI::App& app, command_line::Session& session);
void add_choose(CLI::App& app, command_line::Session& session);
void add_embed(CLI::App& app, command_line::Session& session);
void add_rerank(CLI::App& app, command_line::Session& session);
void add_search(CLI::App& app, command_line::Session& session);
void add_features(CLI::App& app, command_line::Session& session);
void add_tokenize(CLI::App& app, command_line::Session& session);
void add_run(CLI::App& app, command_line::Session& session);
void add_bench(CLI::App& app, command_line::Session& session);
void add_compare(CLI::App& app, command_line::Session& session);
void add_info(CLI::App& app, command_line::Session& session);
void add_convert(CLI::App& app, command_line::Session& session);
