// SPDX-License-Identifier: MIT
// nystromformer answer
#include "commands/commands.hpp"
#include "requests/answer_with.hpp"
#include "terminal/tables.hpp"
#include "terminal/terminal.hpp"

#include <nystromformer/answers_json.hpp>
#include <nystromformer/question_answering.hpp>

#include <memory>
#include <optional>

namespace answer_command {

using namespace command_line;
namespace nf = nystromformer;

struct Options : CommonOptions {
    std::optional<std::string> question;
    bool no_align_to_words = false, byte_offsets = false;
    nf::QuestionAnsweringOptions pipeline;
};

int run(const Options& options, const std::vector<std::string>& contexts) {
    if (!contexts.empty() && !options.question)
        throw UsageError("--question is required with a TEXT to answer it from");
    std::vector<Json> arguments;
    for (const std::string& context : contexts)
        arguments.push_back({{"question", *options.question}, {"context", context}});
    nf::QuestionAnsweringOptions pipeline_options = options.pipeline;
    pipeline_options.align_to_words = !options.no_align_to_words;
    const auto read = [&](const Request& request) -> nf::QuestionAnsweringInput {
        return {request.text("question", options.question), request.text("context")};
    };
    const auto json_of = [&](const nf::QuestionAnsweringInput&, const auto& answers) {
        return nf::to_json(answers, {.byte_offsets = options.byte_offsets});
    };
    const auto table = [&](const Request& request) {
        return for_terminal(request.text("question", options.question)) + '\n' +
               scored_lines(request.output, "answer");
    };
    return answer_with(nf::QuestionAnsweringPipeline(options.folder(), options.load_options()),
                       pipeline_options, arguments, options, read, json_of, table);
}

}  // namespace answer_command

void add_answer(command_line::Program& program) {
    using namespace answer_command;
    auto options = std::make_shared<Options>();
    Command command = program.add("answer", "The spans of a text that answer a question");
    options->add_model(command);
    command.takes_texts("a TEXT to find the answer in", "{\"question\": ..., \"context\": ...}");
    const auto number = [&](const char* name, auto& field, const char* about) {
        command.option(name, field, about).type("N");
    };
    nf::QuestionAnsweringOptions& pipeline = options->pipeline;
    command.text("--question", options->question, "for each TEXT, and lines without a question");
    number("--top-k", pipeline.top_k, "answers at most (default: 1)");
    number("--max-seq-len", pipeline.max_seq_len,
           "tokens of question and context in a window (default: 384, or what the model takes)");
    number("--doc-stride", pipeline.doc_stride,
           "tokens that windows of a long context share (default: 128, or half a window)");
    number("--max-answer-len", pipeline.max_answer_len, "tokens of an answer (default: 15)");
    command.flag("--handle-impossible-answer", pipeline.handle_impossible_answer,
                 "also consider that the context holds no answer");
    command.flag("--no-align-to-words", options->no_align_to_words,
                 "answers may start and end inside a word");
    add_byte_offsets(command, options->byte_offsets);
    options->add_pipeline(command);
    command.runs([options](const auto& texts) { return run(*options, texts); });
}
