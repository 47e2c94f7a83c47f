// SPDX-License-Identifier: MIT
#include "options/command.hpp"

#include "options/model_folder.hpp"
#include "options/usage.hpp"

#include <charconv>
#include <utility>

#include <CLI/CLI.hpp>

namespace command_line {

namespace {

/// The TEXTs of a parsed command, unchanged. (CLI11's own positionals would read "[a,b]" as a
/// list.) Throws UsageError for what looks like an option.
std::vector<std::string> texts_of(const CLI::App& command, const Session& session) {
    std::vector<std::string> texts = command.remaining();
    for (const std::string& text : texts) {
        if (text.size() > 1 && text[0] == '-')
            throw UsageError("unknown option " + text + " (see --help)");
    }
    texts.insert(texts.end(), session.after_dashes.begin(), session.after_dashes.end());
    return texts;
}

template <typename Value>
Option separated(CLI::App& app, const std::string& name, std::vector<Value>& values,
                 const std::string& about) {
    return Option(*app.add_option(name, values, about)->delimiter(',')->allow_extra_args(false));
}

}  // namespace

const Option& Option::required() const { return option_->required(), *this; }
const Option& Option::excludes(const std::string& name) const {
    return option_->excludes(name), *this;
}
const Option& Option::type(const std::string& name) const {
    return option_->type_name(name), *this;
}
const Option& Option::in_range(Index min, Index max) const {
    return option_->check(CLI::Range(min, max)), *this;
}
const Option& Option::in_range(std::uint64_t min, std::uint64_t max) const {
    return option_->check(CLI::Range(min, max)), *this;
}
const Option& Option::positive() const { return option_->check(CLI::PositiveNumber), *this; }
const Option& Option::not_negative() const { return option_->check(CLI::NonNegativeNumber), *this; }
const Option& Option::one_of(const std::vector<std::string>& names) const {
    return option_->check(CLI::IsMember(names)), *this;
}

const Option& Option::names_model() const {
    const auto resolve = [](std::string& value) {
        value = model_folder(value);
        return std::string();
    };
    return option_->transform(CLI::Validator(resolve, "")), *this;
}

Option Command::option(const std::string& name, std::string& value, const std::string& about) {
    return Option(*app_->add_option(name, value, about));
}
Option Command::option(const std::string& name, std::optional<std::string>& value,
                       const std::string& about) {
    return Option(*app_->add_option(name, value, about));
}
Option Command::option(const std::string& name, Index& value, const std::string& about) {
    return Option(*app_->add_option(name, value, about));
}
Option Command::option(const std::string& name, std::optional<Index>& value,
                       const std::string& about) {
    return Option(*app_->add_option(name, value, about));
}
Option Command::option(const std::string& name, std::uint64_t& value, const std::string& about) {
    return Option(*app_->add_option(name, value, about));
}
Option Command::option(const std::string& name, std::vector<Index>& values,
                       const std::string& about) {
    return separated(*app_, name, values, about);
}
Option Command::option(const std::string& name, std::vector<std::string>& values,
                       const std::string& about) {
    return separated(*app_, name, values, about);
}

void Command::flag(const std::string& name, bool& value, const std::string& about) {
    app_->add_flag(name, value, about);
}

// CLI11's own option for an optional text would take "" for no value at all.
Option Command::text(const std::string& name, std::optional<std::string>& value,
                     const std::string& about) {
    const auto set = [&value](const std::string& text) { value = text; };
    return Option(*app_->add_option_function<std::string>(name, set, about)->type_name("TEXT"));
}

Option Command::list(const std::string& name, std::optional<std::vector<std::string>>& items,
                     const std::string& about) {
    const auto add = [&items](const std::string& list) {
        if (!items) items.emplace();
        for (std::string& item : items_of(list)) items->push_back(std::move(item));
    };
    return Option(*app_->add_option_function<std::string>(name, add, about)
                       ->trigger_on_parse()
                       ->type_name("A,B,..."));
}

Option Command::get(const std::string& name) { return Option(*app_->get_option(name)); }

void Command::takes_texts(const std::string& text, const std::string& fields) {
    app_->allow_extras();
    footer("Every other argument is " + text + " (after --, every one). Without any, JSON lines\n" +
           fields + " are read from stdin, and a line is written for each.");
}

void Command::footer(const std::string& text) {
    footer_ += (footer_.empty() ? "" : "\n\n") + text;
    app_->footer(footer_);
}

void Command::runs(std::function<int(const std::vector<std::string>& texts)> body) {
    app_->callback([app = app_, session = session_, body = std::move(body)] {
        session->exit_code = body(texts_of(*app, *session));
    });
}

std::vector<std::string> items_of(std::string_view list) {
    if (!list.empty() && list.find_first_not_of(',') == list.npos) return {std::string(list)};
    std::vector<std::string> items(1);
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (list[i] == ',') {
            items.emplace_back();
        } else {
            if (list.substr(i, 2) == "\\,") ++i;
            items.back() += list[i];
        }
    }
    return items;
}

std::optional<Index> whole_number(const std::string& text) {
    Index number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return std::to_string(number) == text ? std::optional(number) : std::nullopt;
}

}  // namespace command_line
