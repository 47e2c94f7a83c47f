// SPDX-License-Identifier: MIT
// nystromformer run
#include "commands/commands.hpp"
#include "commands/run/run_input.hpp"
#include "commands/run/run_output.hpp"
#include "options/common_options.hpp"
#include "options/usage.hpp"

#include <nystromformer/models.hpp>

#include <memory>
#include <string>
#include <vector>

namespace run_command {

using namespace command_line;

struct RunOptions : CommonOptions {
    std::string head, input, output;
    std::string scalar = "float";
    std::string inverse;
    bool hidden_states = false;
    bool attentions = false;
};

nf::ForwardOptions forward_options(const RunOptions& options,
                                   const nf::NystromformerConfig& config) {
    nf::ForwardOptions forward;
    forward.attention = options.attention_mode();
    forward.num_landmarks = options.used_landmarks(config);
    if (options.inverse == "batch") forward.inverse = nf::InverseInit::batch;
    if (options.inverse == "sequence") forward.inverse = nf::InverseInit::sequence;
    if (options.inverse == "matrix") forward.inverse = nf::InverseInit::matrix;
    forward.output_hidden_states = options.hidden_states;
    forward.output_attentions = options.attentions;
    return forward;
}

template <typename Scalar, template <typename> typename Model>
void run_model(const RunOptions& options) {
    const RunInput input(options.input, options.head == "multiple-choice");
    const auto model = Model<Scalar>::from_pretrained(options.folder(), options.load_options());
    options.note_idle_landmarks(model.config());
    const auto result =
        model(input.read<Scalar>(model.config()), forward_options(options, model.config()));
    RunOutput<Scalar> output(input);
    output.add_result(result);
    output.add_report(result);
    if constexpr (requires { result.loss; }) output.add_loss(result.loss);
    output.write(options.output);
}

template <typename Scalar>
void run_head(const RunOptions& options) {
    nf::for_each_head([&]<template <typename> typename Model>(nf::HeadName<Model> head) {
        if (options.head == head.name) run_model<Scalar, Model>(options);
    });
}

int run(const RunOptions& options) {
    if (options.scalar == "double") {
        run_head<double>(options);
    } else {
        run_head<float>(options);
    }
    return good;
}

}  // namespace run_command

void add_run(command_line::Program& program) {
    using namespace run_command;
    auto options = std::make_shared<RunOptions>();
    Command command = program.add("run", "Raw tensors in, raw tensors out");
    options->add_model(command);
    const auto choice = [&command](const char* name, std::string& value,
                                   const std::vector<std::string>& names, const char* help) {
        return command.option(name, value, help).one_of(names).type("NAME");
    };
    std::vector<std::string> heads;
    nf::for_each_head([&](const auto& head) { heads.emplace_back(head.name); });
    choice("--head", options->head, heads,
           "model, masked-lm, sequence-classification, multiple-choice, token-classification or "
           "question-answering")
        .required();
    command
        .option(
            "--input", options->input,
            "safetensors file with input_ids [B, n] or inputs_embeds [B, n, hidden] ([B, choices, "
            "n] for "
            "multiple-choice); optional attention_mask, token_type_ids, position_ids, labels, "
            "start_positions, end_positions")
        .required()
        .type("FILE");
    command.option("--output", options->output, "safetensors file to write")
        .required()
        .type("FILE");
    choice("--scalar", options->scalar, {"float", "double"}, "float (the default) or double");
    choice("--inverse", options->inverse, {"batch", "sequence", "matrix"},
           "start of the iterative inverse: batch (as Hugging Face), sequence or matrix (default: "
           "the config's)");
    command.flag("--hidden-states", options->hidden_states, "write hidden_states.0 to .L");
    command.flag("--attentions", options->attentions, "write attentions.0 to .L-1");
    options->add_forward(command);
    command.runs([options](const auto&) { return run(*options); });
}
