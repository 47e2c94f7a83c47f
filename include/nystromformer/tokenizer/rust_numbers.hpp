// SPDX-License-Identifier: MIT
// Scores of tokenizer.json as Hugging Face's library reads them, which is not always as the nearest
// double: it parses with serde_json without its feature "float_roundtrip".
#pragma once

#include <nystromformer/core/json.hpp>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace nystromformer::detail {

/// serde_json's value of the shortest spelling of `value`, which is how tokenizer.json is written:
/// the digits as one integer, rounded to a double, times or over a power of ten, rounded again.
/// https://github.com/serde-rs/json/blob/v1.0.140/src/de.rs (f64_from_parts)
inline double rust_value(double value) {
    char spelling[32];
    const auto end = std::to_chars(spelling, spelling + sizeof spelling, std::abs(value),
                                   std::chars_format::scientific);
    const std::string_view text(spelling, static_cast<std::size_t>(end.ptr - spelling));
    const std::size_t mark = text.find('e');
    std::uint64_t digits = 0;
    for (const char c : text.substr(0, mark))
        if (c != '.') digits = digits * 10 + static_cast<std::uint64_t>(c - '0');
    int exponent = std::atoi(std::string(text.substr(mark + 1)).c_str());
    if (mark > 1) exponent -= static_cast<int>(mark) - 2;  // the digits behind the point
    double result = static_cast<double>(digits);
    for (; exponent < -308; exponent += 308) result /= 1e308;
    const double power = std::strtod(("1e" + std::to_string(std::abs(exponent))).c_str(), nullptr);
    result = exponent < 0 ? result / power : result * power;
    return value < 0 ? -result : result;
}

/// Gives the scores of a Unigram model at /model/vocab these values. Whatever else is there stays
/// for its reader to refuse.
inline void round_scores_as_rust(Json& tokenizer) {
    if (!tokenizer.is_object() || !tokenizer.contains("model")) return;
    Json& model = tokenizer["model"];
    if (!model.is_object() || !model.contains("vocab") || !model["vocab"].is_array()) return;
    for (Json& entry : model["vocab"])
        if (entry.is_array() && entry.size() == 2 && entry[1].is_number_float())
            entry[1] = rust_value(entry[1].get<double>());
}

}  // namespace nystromformer::detail
