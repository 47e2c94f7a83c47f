// SPDX-License-Identifier: MIT
// nystromformer fill-mask
#include "commands/commands.hpp"
#include "requests/answer_with.hpp"
#include "terminal/tables.hpp"
#include "terminal/terminal.hpp"

#include <nystromformer/answers_json.hpp>
#include <nystromformer/fill_mask.hpp>
#include <nystromformer/tokenizer.hpp>

#include <algorithm>
#include <memory>
#include <optional>

namespace fill_mask_command {

using namespace command_line;
namespace nf = nystromformer;

using Answers = std::vector<std::vector<nf::FillMaskAnswer>>;  // one list a mask

struct Options : CommonOptions {
    Index top_k = 5;
    std::optional<std::vector<std::string>> targets;
    bool truncation = false;
    std::optional<Index> stride;

    nf::FillMaskOptions of_pipeline() const {
        nf::FillMaskOptions options;
        options.top_k = top_k;
        // "" is a list of one, which no token answers to.
        if (targets) options.targets = *targets;
        options.long_text.truncation = truncation;
        options.long_text.stride = stride;
        return options;
    }
};

std::string table(const Request& request) {
    std::string text = for_terminal(request.text("text")) + '\n';
    const auto add = [&text](const Json& answers) {
        for (const Json& answer : answers) {
            std::string word = for_terminal(answer["token_str"].get_ref<const std::string&>());
            word.resize(std::max<std::size_t>(word.size(), 12), ' ');
            text += score_text(answer["score"]) + word + "  " +
                    for_terminal(answer["sequence"].get_ref<const std::string&>()) + '\n';
        }
    };
    const bool several = !request.output.empty() && request.output[0].is_array();
    if (!several) add(request.output);
    for (std::size_t i = 0; several && i < request.output.size(); ++i) {
        text += " mask " + std::to_string(i + 1) + '\n';
        add(request.output[i]);
    }
    return text;
}

int run(const Options& options, const std::vector<std::string>& texts) {
    const nf::FillMaskPipeline pipeline(options.folder(), options.load_options());
    const std::string mask = pipeline.tokenizer().mask_token().value_or("");
    // Each answer for each mask holds the text.
    const auto output_bytes = [&](const Request& request) {
        if (request.size_of("text") == 0) return 0.0;
        const std::string& text = request.text("text");
        double masks = 0;
        for (auto at = text.find(mask); at != text.npos; at = text.find(mask, at + mask.size()))
            ++masks;
        return masks * static_cast<double>(options.top_k) *
               (static_cast<double>(text.size()) + json_object_bytes);
    };
    return answer_with(
        pipeline, options.of_pipeline(), text_fields(texts), options,
        [](const Request& request) { return request.text("text"); },
        [](const std::string&, const Answers& answers) { return nf::to_json(answers); }, table,
        output_bytes);
}

}  // namespace fill_mask_command

void add_fill_mask(command_line::Program& program) {
    using namespace fill_mask_command;
    auto options = std::make_shared<Options>();
    Command command = program.add("fill-mask", "The most likely tokens for each mask of a text");
    options->add_model(command);
    command.takes_texts();
    options->add_corpus(command);
    command.option("--top-k", options->top_k, "answers for each mask (default: 5)")
        .not_negative()
        .type("N");
    command.list("--targets", options->targets, "score only these tokens");
    add_truncation(command, options->truncation);
    add_stride(command, options->stride);
    options->add_pipeline(command);
    command.runs([options](const auto& texts) { return run(*options, texts); });
}
