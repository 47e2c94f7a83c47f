// SPDX-License-Identifier: MIT
// nystromformer run
#include "run_head.hpp"

#include <nystromformer/models.hpp>

#include <memory>
#include <string>
#include <vector>

namespace run_command {

namespace nf = nystromformer;

using command_line::RunOptions;

int run(const RunOptions& options) {
    if (options.scalar == "double") {
        command_line::run_head<double>(options);
    } else {
        command_line::run_head<float>(options);
    }
    return command_line::good;
}

}  // namespace run_command

void add_run(CLI::App& app, command_line::Session& session) {
    using namespace run_command;
    auto options = std::make_shared<RunOptions>();
    CLI::App& command = *app.add_subcommand("run", "Raw tensors in, raw tensors out");
    options->add_model(command);
    const auto choice = [&command](const char* name, std::string& value,
                                   std::vector<std::string> names, const char* help) {
        return command.add_option(name, value, help)
            ->check(CLI::IsMember(std::move(names)))
            ->type_name("NAME");
    };
    std::vector<std::string> heads;
    nf::for_each_head([&](const auto& head) { heads.emplace_back(head.name); });
    choice("--head", options->head, heads,
           "model, masked-lm, sequence-classification, multiple-choice, token-classification or "
           "question-answering")
        ->required();
    command
        .add_option(
            "--input", options->input,
            "safetensors file with input_ids [B, n] or inputs_embeds [B, n, hidden] ([B, choices, "
            "n] for "
            "multiple-choice); optional attention_mask, token_type_ids, position_ids, labels, "
            "start_positions, end_positions")
        ->required()
        ->type_name("FILE");
    command.add_option("--output", options->output, "safetensors file to write")
        ->required()
        ->type_name("FILE");
    choice("--scalar", options->scalar, {"float", "double"}, "float (the default) or double");
    choice("--inverse", options->inverse, {"batch", "sequence", "matrix"},
           "start of the iterative inverse: batch (as Hugging Face), sequence or matrix (default: "
           "the config's)");
    command.add_flag("--hidden-states", options->hidden_states, "write hidden_states.0 to .L");
    command.add_flag("--attentions", options->attentions, "write attentions.0 to .L-1");
    options->add_forward(command);
    command.callback([options, &session] { session.exit_code = run(*options); });
}
