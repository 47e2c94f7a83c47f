// SPDX-License-Identifier: MIT
// nystromformer info
#include "command_line.hpp"

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/kernels/isa.hpp>
#include <nystromformer/threads.hpp>
#include <nystromformer/tokenizer.hpp>

#include <filesystem>
#include <map>
#include <memory>

namespace info_command {

using namespace command_line;
namespace nf = nystromformer;

Json weights_of(const nf::Checkpoint& checkpoint) {
    Index parameters = 0;
    std::uint64_t bytes = 0;
    std::map<std::string, Index> tensors;  // by dtype
    for (const nf::TensorView& tensor : checkpoint.tensors()) {
        parameters += tensor.size();
        bytes += tensor.bytes.size();
        ++tensors[std::string(nf::name(tensor.dtype))];
    }
    return {{"file", checkpoint.source().filename().string()},
            {"tensors", tensors},
            {"numbers", parameters},
            {"bytes", bytes}};
}

Json attention_of(const nf::NystromformerConfig& config, const CommonOptions& options) {
    const std::string landmarks =
        std::to_string(options.landmarks ? options.landmarks : config.num_landmarks);
    const std::string nystrom_why =
        " for texts of more than " + landmarks + " tokens, exact for others";
    switch (options.attention_mode()) {
        case nf::Attention::exact:
            return {{"runs", "exact"}, {"why", "--attention exact"}};
        case nf::Attention::nystrom:
            return {{"runs", "nystrom"}, {"why", "--attention nystrom," + nystrom_why}};
        case nf::Attention::config:
            break;
    }
    const std::string sizes = "num_landmarks " + std::to_string(config.num_landmarks) +
                              (config.uses_exact_attention() ? " = " : " differs from ") +
                              "segment_means_seq_len " +
                              std::to_string(config.segment_means_seq_len);
    if (config.uses_exact_attention()) {
        return {{"runs", "exact"}, {"why", sizes + ", where Hugging Face runs exact attention"}};
    }
    return {{"runs", "nystrom"}, {"why", sizes + ';' + nystrom_why}};
}

/// What the folder's tokenizer is; null where there is none.
Json tokenizer_of(const std::filesystem::path& folder) {
    if (!std::filesystem::exists(folder / "tokenizer.json")) return nullptr;
    const nf::Tokenizer tokenizer = nf::Tokenizer::from_pretrained(folder);
    const auto mask = tokenizer.mask_token();
    return {{"vocab_size", tokenizer.vocab_size()}, {"mask_token", mask ? Json(*mask) : Json()}};
}

Json info_of(const CommonOptions& options) {
    const auto config = nf::NystromformerConfig::from_pretrained(options.model);
    options.note_idle_landmarks(config);
    return {{"folder", options.model},
            {"config", Json::parse(config.to_json())},
            {"weights", weights_of(nf::Checkpoint::open(options.model))},
            {"tokenizer", tokenizer_of(options.model)},
            {"attention", attention_of(config, options)},
            {"precision", options.precision},
            {"isa", nf::name(nf::active_isa())},
            {"threads", nf::ThreadPool(options.threads).num_threads()}};
}

std::string table(const Json& info) {
    const Json& config = info["config"];
    const Json& weights = info["weights"];
    const auto row = [](std::string name, const std::string& value) {
        name.resize(12, ' ');
        return name + for_terminal(value) + '\n';
    };
    const auto plain = [](const Json& value) {
        return value.is_string() ? value.get<std::string>() : dump(value);
    };
    const std::string shape =
        dump(config["num_hidden_layers"]) + " layers, hidden " + dump(config["hidden_size"]) +
        ", " + dump(config["num_attention_heads"]) + " heads, intermediate " +
        dump(config["intermediate_size"]) + ", " + plain(config["hidden_act"]) + ", vocabulary " +
        dump(config["vocab_size"]) + ", at most " + dump(config["max_position_embeddings"]) +
        " tokens";
    return row("folder", plain(info["folder"])) + row("made for", dump(config["architectures"])) +
           row("shape", shape) +
           row("weights", plain(weights["file"]) + ", " + dump(weights["numbers"]) +
                              " numbers in " + dump(weights["bytes"]) + " bytes, tensors " +
                              dump(weights["tensors"])) +
           row("tokenizer", info["tokenizer"].is_null() ? "none" : dump(info["tokenizer"])) +
           row("attention",
               plain(info["attention"]["runs"]) + ": " + plain(info["attention"]["why"])) +
           row("runs in", plain(info["precision"]) + " on " + plain(info["isa"]) + ", " +
                              dump(info["threads"]) + " threads");
}

int run(const CommonOptions& options) {
    const Json info = info_of(options);
    write_out(options.writes_json() ? dump(info) + '\n' : table(info));
    return good;
}

}  // namespace info_command

void add_info(CLI::App& app, command_line::Session& session) {
    using namespace info_command;
    auto options = std::make_shared<CommonOptions>();
    CLI::App& command = *app.add_subcommand("info", "What a folder holds and what will run");
    options->add_model(command);
    options->add_forward(command);
    options->add_json(command);
    command.callback([options, &session] { session.exit_code = run(*options); });
}
