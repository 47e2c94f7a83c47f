// SPDX-License-Identifier: MIT
// nystromformer info
#include "commands/commands.hpp"
#include "options/common_options.hpp"
#include "options/usage.hpp"
#include "streams/standard_streams.hpp"
#include "terminal/tables.hpp"

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/heads.hpp>
#include <nystromformer/isa.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/text.hpp>
#include <nystromformer/threads.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

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
    return {{"file", nf::path_to_utf8(checkpoint.source().filename())},
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
    if (config.model_type != "nystromformer")
        return {{"runs", "exact"}, {"why", "a BERT; give --attention nystrom for landmarks"}};
    const std::string sizes = "num_landmarks " + std::to_string(config.num_landmarks) +
                              (config.uses_exact_attention() ? " = " : " differs from ") +
                              "segment_means_seq_len " +
                              std::to_string(config.segment_means_seq_len);
    if (config.uses_exact_attention()) {
        return {{"runs", "exact"}, {"why", sizes + ", where Hugging Face runs exact attention"}};
    }
    return {{"runs", "nystrom"}, {"why", sizes + ';' + nystrom_why}};
}

/// The folder's tokenizer; null if none runs, with the reason in `notices`.
Json tokenizer_of(const CommonOptions& options, std::vector<std::string>& notices,
                  const nf::FileOptions& files) {
    try {
        const nf::Tokenizer tokenizer =
            nf::Tokenizer::from_pretrained(options.folder(), false, files);
        const auto mask = tokenizer.mask_token();
        return {{"vocab_size", tokenizer.vocab_size()},
                {"mask_token", mask ? Json(*mask) : Json()}};
    } catch (const nf::Error& error) {
        notices.push_back(error.what());
        return nullptr;
    }
}

/// Loads the folder with each of its heads, which proves that it runs. `heads` ends with "model",
/// the encoder, which is loaded alone if there is no other. Returns the precision of their layers.
nf::Precision load_heads(const std::vector<nf::HeldHead>& heads, const CommonOptions& options,
                         const nf::LoadOptions& load) {
    nf::Precision precision = load.precision;
    const std::span loaded(heads.data(), std::max<std::size_t>(heads.size() - 1, 1));
    nf::for_each_head([&]<template <typename> typename Model>(nf::HeadName<Model> head) {
        const bool is_held = std::any_of(loaded.begin(), loaded.end(),
                                         [&](const auto& held) { return held.name == head.name; });
        if (is_held) precision = Model<float>::from_pretrained(options.folder(), load).precision();
    });
    return precision;
}

/// The commands that run the folder.
Json commands_of(const std::vector<nf::HeldHead>& heads, bool has_tokenizer) {
    Json commands = Json::array({"run", "bench"});
    if (!has_tokenizer) return commands;
    for (const char* command : {"tokenize", "compare", "attention"}) commands.push_back(command);
    for (const nf::HeldHead& head : heads)
        for (const std::string& command : head.commands) commands.push_back(command);
    return commands;
}

Json info_of(const CommonOptions& options) {
    std::vector<std::string> notices;
    nf::LoadOptions load = options.load_options();
    load.on_notice = [&](const nf::Notice& notice) {
        if (std::find(notices.begin(), notices.end(), notice.text()) == notices.end())
            notices.push_back(notice.text());
    };
    load.files.on_notice = load.on_notice;
    const nf::FileOptions& files = load.files;
    const auto config = nf::NystromformerConfig::from_pretrained(options.folder(), files);
    const auto checkpoint = nf::Checkpoint::open(options.folder(), files);
    const std::vector<nf::HeldHead> heads = nf::held_heads(config, checkpoint);
    const nf::Precision precision = load_heads(heads, options, load);
    options.note_idle_landmarks(config);
    const Json tokenizer = tokenizer_of(options, notices, files);
    Json names = Json::array();
    for (std::size_t i = 0; i + 1 < heads.size(); ++i) names.push_back(heads[i].name);
    return {{"folder", options.model},
            {"runs", true},
            {"family", config.model_type},
            {"heads", names},
            {"commands", commands_of(heads, !tokenizer.is_null())},
            {"config", Json::parse(config.to_json())},
            {"max_length", config.max_length()},
            {"weights", weights_of(checkpoint)},
            {"tokenizer", tokenizer},
            {"attention", attention_of(config, options)},
            {"precision", nf::name(precision)},
            {"isa", nf::name(nf::active_isa())},
            {"threads", nf::ThreadPool(options.threads).num_threads()},
            {"notices", notices}};
}

std::string shape_of(const Json& info) {
    const auto config = nf::NystromformerConfig::from_json(dump(info["config"]));
    const auto number = [](Index value) { return std::to_string(value); };
    return number(config.num_hidden_layers) + " layers, hidden " + number(config.hidden_size) +
           ", " + number(config.num_attention_heads) + " heads, intermediate " +
           number(config.intermediate_size) + ", " + config.hidden_act + ", vocabulary " +
           number(config.vocab_size) + ", at most " + number(config.max_length()) + " tokens";
}

std::string table(const Json& info) {
    std::string rows = named_row("folder", plain(info["folder"]));
    if (!info["runs"].get<bool>()) return rows + named_row("runs", "no: " + plain(info["why"]));
    const Json& weights = info["weights"];
    const Json& attention = info["attention"];
    const Json architectures = info["config"].value("architectures", Json::array());
    rows += named_row("runs", "yes: " + joined(info["commands"], "none")) +
            named_row("family", plain(info["family"])) +
            named_row("heads", joined(info["heads"], "none")) +
            named_row("made for", dump(architectures)) + named_row("shape", shape_of(info)) +
            named_row("weights", plain(weights["file"]) + ", " + dump(weights["numbers"]) +
                                     " numbers in " + dump(weights["bytes"]) + " bytes, tensors " +
                                     dump(weights["tensors"])) +
            named_row("tokenizer", info["tokenizer"].is_null() ? "none" : dump(info["tokenizer"])) +
            named_row("attention", plain(attention["runs"]) + ": " + plain(attention["why"])) +
            named_row("runs in", plain(info["precision"]) + " on " + plain(info["isa"]) + ", " +
                                     dump(info["threads"]) + " threads");
    for (const Json& notice : info["notices"]) rows += named_row("note", plain(notice));
    return rows;
}

/// Runs, or why not. Wrong options are errors of the call; what is wrong with the folder is the
/// answer.
int run(const CommonOptions& options) {
    Json info;
    try {
        info = info_of(options);
    } catch (const nf::Error& error) {
        info = {{"folder", options.model}, {"runs", false}, {"why", error.what()}};
    }
    write_out(options.writes_json() ? dump(info) + '\n' : table(info));
    return info["runs"].get<bool>() ? good : run_time_failure;
}

}  // namespace info_command

void add_info(command_line::Program& program) {
    using namespace info_command;
    auto options = std::make_shared<CommonOptions>();
    Command command = program.add("info", "What a folder holds, and whether and how it runs");
    options->add_model(command);
    options->add_forward(command);
    options->add_json(command);
    command.runs([options](const auto&) { return run(*options); });
}
