// SPDX-License-Identifier: MIT
// nystromformer fill-mask
#include "command_line.hpp"

#include <nystromformer/pipelines/fill_mask.hpp>

#include <algorithm>
#include <memory>
#include <optional>

namespace fill_mask_command {

using namespace command_line;
namespace nf = nystromformer;

using Answers = std::vector<std::vector<nf::FillMaskAnswer>>;  // one list a mask

struct Options : CommonOptions {
    Index top_k = 5;
    std::optional<std::string> targets;
    bool truncation = false;
    std::optional<Index> stride;

    nf::FillMaskOptions of_pipeline() const {
        nf::FillMaskOptions options;
        options.top_k = top_k;
        // "" is a list of one, which no token answers to.
        if (targets) options.targets = split_at_commas(*targets);
        options.truncation = truncation;
        options.stride = stride;
        return options;
    }
};

Json to_json(const Answers& answers) {
    Json lists = Json::array();
    for (const auto& list : answers) {
        Json& json = lists.emplace_back(Json::array());
        for (const auto& [score, token, token_str, sequence] : list) {
            json.push_back({{"score", score},
                            {"token", token},
                            {"token_str", token_str},
                            {"sequence", sequence}});
        }
    }
    return lists.size() == 1 ? Json(lists[0]) : lists;
}

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
    return answer_with(
        nf::FillMaskPipeline(options.model, options.load_options()), options.of_pipeline(),
        text_fields(texts), options, [](const Request& request) { return request.text("text"); },
        [](const std::string&, const Answers& answers) { return to_json(answers); }, table);
}

}  // namespace fill_mask_command

void add_fill_mask(CLI::App& app, command_line::Session& session) {
    using namespace fill_mask_command;
    auto options = std::make_shared<Options>();
    CLI::App& command =
        *app.add_subcommand("fill-mask", "The likeliest tokens for each mask of a text");
    options->add_model(command);
    add_texts(command);
    command.add_option("--top-k", options->top_k, "answers for each mask (default: 5)")
        ->check(CLI::NonNegativeNumber)
        ->type_name("N");
    command.add_option("--targets", options->targets, "score only these tokens")
        ->type_name("A,B,...");
    add_truncation(command, options->truncation);
    add_stride(command, options->stride);
    options->add_pipeline(command);
    command.callback([options, &command, &session] {
        session.exit_code = run(*options, texts_of(command, session));
    });
}
