// SPDX-License-Identifier: MIT
// nystromformer choose
#include "commands/commands.hpp"
#include "requests/answer_with.hpp"
#include "terminal/tables.hpp"
#include "terminal/terminal.hpp"

#include <nystromformer/answers_json.hpp>
#include <nystromformer/multiple_choice.hpp>

#include <memory>
#include <optional>

namespace choose_command {

using namespace command_line;
namespace nf = nystromformer;

struct Options : CommonOptions {
    std::optional<std::string> prompt;
    nf::MultipleChoiceOptions pipeline;
};

std::string table(const Request& request, const std::optional<std::string>& prompt) {
    std::string text = for_terminal(request.text("prompt", prompt)) + '\n';
    const std::vector<std::string> choices = request.texts("choices");
    for (std::size_t i = 0; i < choices.size(); ++i) {
        const bool chosen = request.output["choice"] == i;
        text += (chosen ? " *" : "  ") + score_text(request.output["scores"][i]) +
                for_terminal(choices[i]) + '\n';
    }
    return text;
}

int run(const Options& options, const std::vector<std::string>& choices) {
    std::vector<Json> arguments;
    if (!choices.empty()) {
        if (!options.prompt) throw UsageError("--prompt is required with TEXTs to choose from");
        arguments.push_back({{"prompt", *options.prompt}, {"choices", choices}});
    }
    const auto read = [&](const Request& request) -> nf::MultipleChoiceInput {
        return {request.text("prompt", options.prompt), request.texts("choices")};
    };
    const auto json_of = [](const nf::MultipleChoiceInput&, const auto& answer) {
        return nf::to_json(answer);
    };
    return answer_with(nf::MultipleChoicePipeline(options.folder(), options.load_options()),
                       options.pipeline, arguments, options, read, json_of,
                       [&](const Request& request) { return table(request, options.prompt); });
}

}  // namespace choose_command

void add_choose(command_line::Program& program) {
    using namespace choose_command;
    auto options = std::make_shared<Options>();
    Command command = program.add("choose", "The text that fits a prompt best, of several");
    options->add_model(command);
    command.takes_texts("one of the TEXTs to choose from", "{\"prompt\": ..., \"choices\": [...]}");
    command.text("--prompt", options->prompt, "for the TEXTs, and lines without a prompt");
    add_truncation(command, options->pipeline.long_text.truncation);
    add_stride(command, options->pipeline.long_text.stride);
    options->add_pipeline(command);
    command.runs([options](const auto& texts) { return run(*options, texts); });
}
