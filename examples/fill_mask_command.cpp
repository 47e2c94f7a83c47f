// SPDX-License-Identifier: MIT
// nystromformer fill-mask
#include "command_line.hpp"

#include <nystromformer/pipelines/fill_mask.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <sstream>

namespace {

using namespace command_line;
namespace nf = nystromformer;

using Answers = std::vector<std::vector<nf::FillMaskAnswer>>;  // one list a mask

struct Options : CommonOptions {
    Index top_k = 5;
    std::optional<std::string> targets;
    bool truncation = false;

    nf::FillMaskOptions of_pipeline() const {
        nf::FillMaskOptions options;
        options.top_k = top_k;
        if (targets) {
            std::istringstream list(*targets +
                                    ',');  // "" is a list of one, which no token answers to
            for (std::string target; std::getline(list, target, ',');)
                options.targets.push_back(target);
        }
        options.truncation = truncation;
        options.attention = attention_mode();
        options.num_landmarks = landmarks;
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

/// Answers all at once, and one by one where one of them is bad.
void answer(const nf::FillMaskPipeline& pipeline, const std::vector<Request*>& requests,
            const nf::FillMaskOptions& options) {
    try {
        std::vector<std::string> texts;
        for (const Request* request : requests) texts.push_back(request->text("text"));
        const std::vector<Answers> answers = pipeline.batch(texts, options);
        for (std::size_t i = 0; i < requests.size(); ++i) requests[i]->output = to_json(answers[i]);
    } catch (const nf::Error&) {
        for (Request* request : requests) {
            guard(*request, [&] {
                request->output = to_json(pipeline.each_mask(request->text("text"), options));
            });
        }
    }
}

std::string table(const Request& request) {
    std::string text = for_terminal(request.text("text")) + '\n';
    const auto add = [&text](const Json& answers) {
        for (const Json& answer : answers) {
            char score[32];
            std::snprintf(score, sizeof score, "  %.4f  ", answer["score"].get<double>());
            std::string word = for_terminal(answer["token_str"].get_ref<const std::string&>());
            word.resize(std::max<std::size_t>(word.size(), 12), ' ');
            text += score + word + "  " +
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
    const nf::FillMaskPipeline pipeline(options.model, options.load_options());
    const nf::FillMaskOptions pipeline_options = options.of_pipeline();
    options.note_idle_landmarks(pipeline.model().config());
    try {
        pipeline.check(pipeline_options);
    } catch (const nf::InputError& error) {
        throw UsageError(error.what());
    }
    const Answerer answerer{[&](const std::vector<Request*>& requests) {
                                answer(pipeline, requests, pipeline_options);
                            },
                            table};
    return answer_all(texts, options.writes_json(), answerer);
}

}  // namespace

void add_fill_mask(CLI::App& app, command_line::Session& session) {
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
    command.add_flag("--truncation", options->truncation,
                     "cut texts that are too long for the model");
    options->add_forward(command);
    options->add_json(command);
    command.callback([options, &command, &session] {
        session.exit_code = run(*options, texts_of(command, session));
    });
}
