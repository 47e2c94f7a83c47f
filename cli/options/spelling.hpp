// SPDX-License-Identifier: MIT
// The nearest spelling of a word that is not known.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace command_line {

/// "; did you mean NAME?" with the one of `words` that `word` is most like, or "" if none is.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& words);

}  // namespace command_line
