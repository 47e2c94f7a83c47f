// SPDX-License-Identifier: MIT
// answer_with: answers requests by a pipeline of the library.
#pragma once

#include "requests/answer_all.hpp"

#include "options/usage.hpp"

#include <nystromformer/models.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace command_line {

/// Answers requests together, or one by one if one of them is bad. `read` makes a pipeline's
/// input of a request, and `run` answers a span of those: JSON text for each, in order. It is given
/// what to call for inputs that are cut, and for bad ones.
template <typename Read, typename Run>
void answer_together(const std::vector<Request*>& requests, Read&& read, Run&& run) {
    std::vector<Request*> good;
    std::vector<decltype(read(*requests[0]))> inputs;
    for (Request* request : requests) {
        guard(*request, [&] {
            inputs.push_back(read(*request));
            good.push_back(request);
        });
    }
    const auto answer = [&](std::size_t first, std::size_t count) {
        const auto some = std::span<Request* const>(good).subspan(first, count);
        const auto outputs = run(std::span(std::as_const(inputs)).subspan(first, count),
                                 cut_noter(some), [&](const nystromformer::InputError& error) {
                                     some[error.input().value()]->error = message_of(error);
                                 });
        for (std::size_t i = 0; i < count; ++i) some[i]->output_text = outputs[i];
    };
    try {
        answer(0, good.size());
    } catch (const nystromformer::Error&) {
        for (std::size_t i = 0; i < good.size(); ++i) guard(*good[i], [&] { answer(i, 1); });
    }
}

/// Runs a pipeline's command. `read` makes an input of a request, `to_json` the output, as text,
/// of an input and its answer. What the pipeline's `check` refuses is a usage error.
template <typename Pipeline, typename PipelineOptions, typename Read, typename ToJson>
int answer_with(const Pipeline& pipeline, PipelineOptions pipeline_options,
                const std::vector<Json>& arguments, const CommonOptions& options, Read&& read,
                ToJson&& to_json, const std::function<std::string(const Request&)>& table,
                const std::function<double(const Request&)>& output_bytes = {}) {
    options.note_idle_landmarks(pipeline.model().config());
    pipeline_options.run.attention = options.attention_mode();
    pipeline_options.run.num_landmarks = options.used_landmarks(pipeline.model().config());
    pipeline_options.run.batch_tokens = options.batch_tokens;
    try {
        pipeline.check(pipeline_options);
    } catch (const nystromformer::InputError& error) {
        throw UsageError(error.what());
    }
    const auto run = [&](auto inputs, const auto& cut, const auto& refuse) {
        if constexpr (requires { pipeline_options.long_text; }) {
            pipeline_options.long_text.on_truncation = cut;
        } else {
            pipeline_options.on_truncation = cut;
        }
        std::vector<bool> is_bad(inputs.size());
        pipeline_options.run.on_error = [&](const nystromformer::InputError& error) {
            is_bad[error.input().value()] = true;
            refuse(error);
        };
        std::vector<std::string> outputs;
        for (const auto& answer : pipeline.batch(inputs, pipeline_options)) {
            const std::size_t i = outputs.size();
            outputs.push_back(is_bad[i] ? "" : to_json(inputs[i], answer));
        }
        return outputs;
    };
    const Answerer answerer{
        [&](const std::vector<Request*>& requests) { answer_together(requests, read, run); }, table,
        256, output_bytes};
    return answer_all(arguments, options, answerer);
}

}  // namespace command_line
