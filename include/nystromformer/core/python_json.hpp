// SPDX-License-Identifier: MIT
// JSON as Python's json module reads it, for the files that Python alone reads: config.json,
// tokenizer_config.json and the like. (tokenizer.json and safetensors are read by Rust: strict.)
#pragma once

#include <nystromformer/core/file.hpp>
#include <nystromformer/core/finite.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/core/json_tree.hpp>
#include <nystromformer/core/memory_budget.hpp>
#include <nystromformer/core/notice.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace nystromformer::inline v0_2::detail {

/// The infinity that Python reads a number beyond a double's range as; nothing for any other token.
inline std::optional<double> overflowing_number(std::string_view token) {
    constexpr std::size_t longest = 4096;
    const bool is_number = token.find_first_not_of("+-.0123456789eE") == token.npos;
    if (token.size() > longest || !is_number) return std::nullopt;
    const std::string_view digits = token.substr(token.starts_with('-') ? 1 : 0);
    if (digits.empty() || digits[0] < '0' || digits[0] > '9') return std::nullopt;
    if (digits.size() > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9')
        return std::nullopt;  // no JSON
    const std::string text(token);
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (end != text.c_str() + text.size() || is_finite(value)) return std::nullopt;
    return value;
}

/// The value of a token that Python's json takes for a number and JSON does not have: NaN,
/// Infinity, -Infinity, 1e400.
inline std::optional<double> python_number(std::string_view token) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (token == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (token == "Infinity") return infinity;
    if (token == "-Infinity") return -infinity;
    return overflowing_number(token);
}

/// `text` with such tokens as strings that the builder makes numbers of (JsonRules::literal_mark).
inline std::string with_marked_literals(std::string_view text) {
    constexpr std::string_view between = " \t\r\n,:{}[]\"";
    std::string result;
    std::size_t copied = 0;
    for (std::size_t i = 0; i < text.size();) {
        if (text[i] == '"') {
            for (++i; i < text.size() && text[i] != '"'; ++i)
                if (text[i] == '\\') ++i;
            ++i;
        } else if (between.find(text[i]) != between.npos) {
            ++i;
        } else {
            const std::size_t end = std::min(text.find_first_of(between, i), text.size());
            if (const auto value = python_number(text.substr(i, end - i))) {
                result.append(text.substr(copied, i - copied)).append("\"\\u0001");
                result.append(is_nan(*value) ? "NaN" : *value < 0 ? "-Infinity" : "Infinity");
                result += '"';
                copied = end;
            }
            i = end;
        }
    }
    return result.append(text.substr(std::min(copied, text.size())));
}

/// Parses `text` as Python's json.loads: NaN and infinities are numbers, and the last value of a
/// repeated key counts, with a notice to `files`. Throws FormatError.
inline JsonTree parse_python_json(std::string_view text, const std::string& file,
                                  const FileOptions& files = {}) {
    std::string repeated;
    JsonRules rules;
    rules.has_marked_literals = true;
    rules.on_repeated_key = [&](const std::string& key) {
        if (repeated.empty()) repeated = key;
    };
    MemoryBudget budget(file, text.size(), 1);
    JsonTree tree = parse_json(with_marked_literals(text), budget, rules);
    if (!repeated.empty()) {
        give_notice(files, file, printable(repeated),
                    "a key that stands more than once: its last value counts, as in Python");
    }
    return tree;
}

inline JsonTree read_python_json(const std::filesystem::path& path, std::uint64_t max_bytes,
                                 const FileOptions& files = {}) {
    return parse_python_json(read_file(path, max_bytes, files), path_to_utf8(path), files);
}

}  // namespace nystromformer::inline v0_2::detail
