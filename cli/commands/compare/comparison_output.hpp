// SPDX-License-Identifier: MIT
// What `nystromformer compare` writes: a comparison as JSON and as a table.
#pragma once

#include "commands/compare/attention_comparison.hpp"
#include "requests/request.hpp"

#include <string>

namespace compare_command {

using command_line::Json;

/// A comparison that `compare` made with these options.
Json to_json(const AttentionComparisonResult& result, const AttentionComparison& compare,
             const AttentionComparisonOptions& options);

/// The same as a person reads it.
std::string table(const command_line::Request& request);

/// The file, or the start of the text.
std::string title_of(const Json& fields);

/// "1,803 tokens, fp32 on avx2, 2 threads, 270 masks".
std::string summary_of(const Json& output);

}  // namespace compare_command
