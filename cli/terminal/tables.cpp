// SPDX-License-Identifier: MIT
#include "terminal/tables.hpp"

#include "terminal/terminal.hpp"

#include <cstddef>
#include <cstdio>

namespace command_line {

std::string first_numbers(const Json& numbers) {
    constexpr std::size_t max_shown = 6;
    std::string text;
    for (std::size_t i = 0; i < numbers.size() && i < max_shown; ++i) {
        char number[32];
        std::snprintf(number, sizeof number, " %.4f", numbers[i].get<double>());
        text += number;
    }
    return text + (numbers.size() > max_shown ? " ...\n" : "\n");
}

std::string score_text(const Json& score) {
    char text[32];
    std::snprintf(text, sizeof text, "  %.4f  ", score.get<double>());
    return text;
}

std::string scored_lines(const Json& output, const char* field) {
    std::string text;
    for (const Json& answer : output.is_object() ? Json::array({output}) : output) {
        text += score_text(answer["score"]) +
                for_terminal(answer[field].get_ref<const std::string&>()) + '\n';
    }
    return text;
}

std::string named_row(std::string name, const std::string& value) {
    name.resize(12, ' ');
    return name + for_terminal(value) + '\n';
}

std::string plain(const Json& value) {
    return value.is_string() ? value.get<std::string>() : dump(value);
}

std::string joined(const Json& values, const char* none) {
    std::string text;
    for (const Json& value : values) text += (text.empty() ? "" : ", ") + plain(value);
    return text.empty() ? none : text;
}

}  // namespace command_line
