// SPDX-License-Identifier: MIT
// nystromformer convert
#include "commands/commands.hpp"
#include "options/common_options.hpp"
#include "options/usage.hpp"
#include "streams/standard_streams.hpp"
#include "terminal/tables.hpp"

#include <nystromformer/conversion.hpp>
#include <nystromformer/text.hpp>

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

std::string table(const Json& report) {
    std::string positions = dump(report["max_position_embeddings"]) + " tokens";
    if (report["max_position_embeddings"] != report["source_positions"])
        positions += ", the " + dump(report["source_positions"]) + " positions repeated";
    return named_row("from", plain(report["from"]) + ", " + plain(report["source_architecture"])) +
           named_row("to", plain(report["to"]) + ", " + plain(report["architecture"])) +
           named_row("head", plain(report["head"])) +
           named_row("attention", "exact: " + plain(report["attention"]["why"])) +
           named_row("at most", positions) +
           named_row("left out", joined(report["left_out"], "nothing")) +
           named_row("files", joined(report["files"], "nothing"));
}

int run(const Options& options) {
    const Json report =
        to_json(options, nf::convert_bert(nf::path_from_utf8(options.from),
                                          nf::path_from_utf8(options.to), options.conversion));
    write_out(options.common.writes_json() ? dump(report) + '\n' : table(report));
    return good;
}

}  // namespace convert_command

void add_convert(command_line::Program& program) {
    using namespace convert_command;
    auto options = std::make_shared<Options>();
    Command command =
        program.add("convert", "A BERT folder to a Nystromformer one (BERTs also run unconverted)");
    command
        .option("--from", options->from,
                "BERT, RoBERTa, XLM-RoBERTa, CamemBERT, DistilBERT or ELECTRA folder")
        .required()
        .names_model()
        .type("DIR");
    command.option("--to", options->to, "folder to write, new or empty").required().type("DIR");
    command
        .option("--max-positions", options->conversion.max_positions,
                "longest text in tokens; the position rows are repeated (default: as before)")
        .in_range(Index{1}, Index{1} << 24)
        .type("N");
    command.flag("--encoder-only", options->conversion.encoder_only, "leave the head out");
    options->common.add_json(command);
    command.runs([options](const auto&) { return run(*options); });
}
