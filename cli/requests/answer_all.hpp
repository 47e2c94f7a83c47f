// SPDX-License-Identifier: MIT
// From inputs to output lines: answers requests in groups and writes a line for each, in order.
#pragma once

#include "options/common_options.hpp"
#include "requests/request.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace command_line {

/// How a command answers.
struct Answerer {
    /// Sets output or error of each request; errors of the whole run are thrown.
    std::function<void(const std::vector<Request*>&)> answer;
    /// An answer as a person reads it.
    std::function<std::string(const Request&)> table;
    /// Requests per call, if that many wait.
    std::size_t batch = 32;
    /// About how many bytes a request's output takes, if it can be many times the request: what
    /// waits is answered before that becomes much.
    std::function<double(const Request&)> output_bytes = {};
};

/// Answers requests of these fields, or if there are none the texts of --corpus, or the JSON lines
/// of stdin (without the first --skip); one line for each, in order. Returns the exit code.
int answer_all(const std::vector<Json>& arguments, const CommonOptions& options,
               const Answerer& answerer);

}  // namespace command_line
