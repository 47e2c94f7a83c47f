// SPDX-License-Identifier: MIT
#include "options/spelling.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

namespace command_line {

namespace {

/// How many letters must be put in, left out or changed to make `b` of `a`.
std::size_t edits(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t corner = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t changed = corner + (a[i] != b[j]);
            corner = row[j + 1];
            row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

std::string nearest(std::string_view word, const std::vector<std::string>& words) {
    std::string best;
    const std::string letters(word.substr(std::min(word.find_first_not_of('-'), word.size())));
    std::size_t least = letters.size() / 3 + 1;
    for (const std::string& candidate : words) {
        const std::size_t count = edits(word, candidate);
        // "-m" and "--mod" begin a name, "--labels" ends one.
        const bool is_part =
            !letters.empty() && candidate.starts_with("--") &&
            (candidate.starts_with("--" + letters) || candidate.ends_with("-" + letters));
        if (count > least && !is_part) continue;
        if (!best.empty() && count >= least) continue;
        least = std::min(least, count);
        best = candidate;
    }
    return best;
}

}  // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string>& words) {
    const std::string found = nearest(word, words);
    return found.empty() ? "" : "; did you mean " + found + "?";
}

}  // namespace command_line
