// SPDX-License-Identifier: MIT
// nystromformer convert
#include "command_line.hpp"

#include <nystromformer/conversion.hpp>

#include <memory>
#include <string>

namespace convert_command {

using namespace command_line;
namespace nf = nystromformer;

struct Options {
    std::string from, to;
    nf::ConversionOptions conversion;
    CommonOptions common;
};

/// Whose formula the head of the new folder has.
std::string head_of(const nf::NystromformerConfig& config) {
    if (config.architectures.front() == "NystromformerModel") return "none";
    if (!config.head_model_type) return "Nystromformer's: transformers runs it, too";
    return *config.head_model_type +
           "'s, which Nystromformer's is not equal to: this library runs it, transformers would "
           "make "
           "a random one (the old folder runs in both)";
}

Json to_json(const Options& options, const nf::ConversionReport& report) {
    const nf::NystromformerConfig& config = report.config;
    const std::string why = "num_landmarks " + std::to_string(config.num_landmarks) +
                            " = segment_means_seq_len " +
                            std::to_string(config.segment_means_seq_len) +
                            ", where this library and transformers run exact attention, and a "
                            "convolution of zeros";
    return {{"from", options.from},
            {"to", options.to},
            {"source_architecture", report.source_architecture},
            {"architecture", config.architectures.front()},
            {"head", head_of(config)},
            {"attention", {{"runs", "exact"}, {"why", why}}},
            {"source_positions", report.source_positions},
            {"max_position_embeddings", config.max_position_embeddings},
            {"left_out", report.left_out},
            {"files", report.files}};
}

std::string joined(const Json& names) {
    std::string text;
    for (const Json& name : names) text += (text.empty() ? "" : ", ") + name.get<std::string>();
    return text.empty() ? "nothing" : text;
}

std::string table(const Json& report) {
    const auto row = [](std::string name, const std::string& value) {
        name.resize(12, ' ');
        return name + for_terminal(value) + '\n';
    };
    std::string positions = dump(report["max_position_embeddings"]) + " tokens";
    if (report["max_position_embeddings"] != report["source_positions"])
        positions += ", the " + dump(report["source_positions"]) + " positions repeated";
    return row("from", report["from"].get<std::string>() + ", " +
                           report["source_architecture"].get<std::string>()) +
           row("to",
               report["to"].get<std::string>() + ", " + report["architecture"].get<std::string>()) +
           row("head", report["head"].get<std::string>()) +
           row("attention", "exact: " + report["attention"]["why"].get<std::string>()) +
           row("at most", positions) + row("left out", joined(report["left_out"])) +
           row("files", joined(report["files"]));
}

int run(const Options& options) {
    const Json report =
        to_json(options, nf::convert_bert(options.from, options.to, options.conversion));
    write_out(options.common.writes_json() ? dump(report) + '\n' : table(report));
    return good;
}

}  // namespace convert_command

void add_convert(CLI::App& app, command_line::Session& session) {
    using namespace convert_command;
    auto options = std::make_shared<Options>();
    CLI::App& command = *app.add_subcommand(
        "convert", "A BERT folder to a Nystromformer one (it also runs as it is)");
    command
        .add_option("--from", options->from,
                    "BERT, RoBERTa, XLM-RoBERTa, CamemBERT, DistilBERT or ELECTRA folder")
        ->required()
        ->type_name("DIR");
    command.add_option("--to", options->to, "folder to write, new or empty")
        ->required()
        ->type_name("DIR");
    command
        .add_option("--max-positions", options->conversion.max_positions,
                    "longest text in tokens; the position rows are repeated (default: as before)")
        ->check(CLI::Range(Index{1}, Index{1} << 24))
        ->type_name("N");
    command.add_flag("--encoder-only", options->conversion.encoder_only, "leave the head out");
    options->common.add_json(command);
    command.callback([options, &session] { session.exit_code = run(*options); });
}
