// SPDX-License-Identifier: MIT
// nystromformer tokenize
#include "commands/commands.hpp"
#include "requests/answer_all.hpp"
#include "terminal/terminal.hpp"

#include <nystromformer/threads.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

namespace tokenize_command {

using namespace command_line;
namespace nf = nystromformer;

constexpr std::int64_t max_id = 0xFFFFFFFF;

struct Options : CommonOptions {
    std::optional<std::string> pair;
    bool no_special_tokens = false;
    bool byte_offsets = false;
    bool decode = false;
};

Json encode(const nf::Tokenizer& tokenizer, const Request& request, const Options& options) {
    const nf::EncodeOptions encode_options{.add_special_tokens = !options.no_special_tokens};
    const bool own_pair = request.fields.contains("pair");
    const nf::Encoding encoding =
        own_pair || options.pair
            ? tokenizer.encode(request.text("text"),
                               own_pair ? request.text("pair") : *options.pair, encode_options)
            : tokenizer.encode(request.text("text"), encode_options);
    Json output{{"ids", encoding.ids},
                {"tokens", encoding.tokens},
                {"offsets", options.byte_offsets ? encoding.byte_offsets : encoding.offsets},
                {"type_ids", encoding.type_ids},
                {"attention_mask", encoding.attention_mask},
                {"special_tokens_mask", encoding.special_tokens_mask}};
    if (options.decode) output["decoded"] = tokenizer.decode(encoding.ids);
    return output;
}

std::string table(const Request& request) {
    const Json& output = request.output;
    if (output.is_string()) return for_terminal(output.get_ref<const std::string&>()) + '\n';
    std::string text = for_terminal(request.text("text")) + '\n';
    for (std::size_t i = 0; i < output["ids"].size(); ++i) {
        char numbers[96];
        std::snprintf(numbers, sizeof numbers, "%8lld %6lld %6lld  ",
                      output["ids"][i].get<long long>(), output["offsets"][i][0].get<long long>(),
                      output["offsets"][i][1].get<long long>());
        text += numbers + for_terminal(output["tokens"][i].get_ref<const std::string&>()) + '\n';
    }
    if (output.contains("decoded"))
        text += for_terminal(output["decoded"].get_ref<const std::string&>()) + '\n';
    return text;
}

/// How many tokens the shortest texts get: tokenizer.json may pad them to a million.
double min_tokens(const nf::Tokenizer& tokenizer) {
    try {
        return static_cast<double>(
            std::max(tokenizer.encode("").size(), tokenizer.encode("a").size()));
    } catch (const nf::Error&) {
        return 0;  // every text will get that error
    }
}

int run(const Options& options, const std::vector<std::string>& texts) {
    const nf::Tokenizer tokenizer = nf::Tokenizer::from_pretrained(
        options.folder(), false, {.on_notice = options.load_options().on_notice});
    nf::ThreadPool threads(options.threads);
    const auto answer = [&](const std::vector<Request*>& requests) {
        threads.parallel_for(static_cast<Index>(requests.size()), [&](Index i) {
            Request& request = *requests[static_cast<std::size_t>(i)];
            guard(request, [&] {
                const bool has_ids = options.decode && request.fields.contains("ids");
                request.output = has_ids ? Json(tokenizer.decode(request.integers("ids", max_id)))
                                         : encode(tokenizer, request, options);
            });
        });
    };
    const double tokens = min_tokens(tokenizer);
    const auto output_bytes = [&](const Request& request) {
        return (tokens + request.size_of("text")) * json_object_bytes;
    };
    return answer_all(text_fields(texts), options, {answer, table, 256, output_bytes});
}

}  // namespace tokenize_command

void add_tokenize(command_line::Program& program) {
    using namespace tokenize_command;
    auto options = std::make_shared<Options>();
    Command command = program.add("tokenize", "Texts to token ids with offsets, and back");
    options->add_model(command);
    command.takes_texts();
    options->add_corpus(command);
    command.text("--pair", options->pair, "the second text of each pair; in JSON lines \"pair\"");
    command.flag("--no-special-tokens", options->no_special_tokens,
                 "without [CLS], [SEP] and the like");
    command.flag("--byte-offsets", options->byte_offsets, "offsets in bytes, not in code points");
    command.flag(
        "--decode", options->decode,
        "also the text of the ids, as \"decoded\"; of JSON lines {\"ids\": [...]} only that");
    options->add_threads(command);
    options->add_lines(command);
    command.runs([options](const auto& texts) { return run(*options, texts); });
}
