// SPDX-License-Identifier: MIT
// A command of the program and its options. CLI11, which compiles slowly, stays behind these
// classes.
#pragma once

#include <nystromformer/options.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace command_line {

using nystromformer::Index;

/// An option of a command. Each function narrows which values it takes, or says more about it.
class Option {
public:
    explicit Option(CLI::Option& option) : option_(&option) {}

    const Option& required() const;
    const Option& excludes(const std::string& name) const;
    /// What --help calls the value. "N" takes whole numbers; only "TEXT" and "A,B,..." take "".
    const Option& type(const std::string& name) const;
    const Option& in_range(Index min, Index max) const;
    const Option& in_range(std::uint64_t min, std::uint64_t max) const;
    const Option& positive() const;
    const Option& not_negative() const;
    const Option& one_of(const std::vector<std::string>& names) const;
    /// The value may name a model (model_folder).
    const Option& names_model() const;

private:
    CLI::Option* option_;
};

/// What the commands of a program share.
struct Session {
    std::vector<std::string> after_dashes;  ///< the arguments after "--", which are all texts
    int exit_code = 0;
};

/// Declares a command. Options keep references to the variables that take their values.
class Command {
public:
    Command(CLI::App& app, Session& session) : app_(&app), session_(&session) {}

    Option option(const std::string& name, std::string& value, const std::string& about);
    Option option(const std::string& name, std::optional<std::string>& value,
                  const std::string& about);
    Option option(const std::string& name, Index& value, const std::string& about);
    Option option(const std::string& name, std::optional<Index>& value, const std::string& about);
    Option option(const std::string& name, std::uint64_t& value, const std::string& about);
    /// Values separated by commas.
    Option option(const std::string& name, std::vector<Index>& values, const std::string& about);
    Option option(const std::string& name, std::vector<std::string>& values,
                  const std::string& about);
    void flag(const std::string& name, bool& value, const std::string& about);
    /// An option whose value is any text, also "".
    Option text(const std::string& name, std::optional<std::string>& value,
                const std::string& about);
    /// An option whose value is a list (items_of). Each time it is given, its items are added.
    Option list(const std::string& name, std::optional<std::vector<std::string>>& items,
                const std::string& about);
    Option get(const std::string& name);

    /// Makes the command take TEXT arguments; its help says what they are, and the fields of lines.
    void takes_texts(const std::string& text = "a TEXT",
                     const std::string& fields = "{\"text\": ...}");
    /// Adds a paragraph to the end of --help.
    void footer(const std::string& text);

    /// What the command does with its TEXTs; it returns the exit code.
    void runs(std::function<int(const std::vector<std::string>& texts)> body);

private:
    CLI::App* app_;
    Session* session_;
    std::string footer_;
};

/// The items of "a,b,c"; of "" one that is empty. A comma within an item is written "\,", and a
/// list of nothing but commas is one item.
std::vector<std::string> items_of(std::string_view list);

/// A decimal number as it is usually written; nothing for any other text. (CLI11 reads 010 as 8,
/// and a number that is too large as the largest.)
std::optional<Index> whole_number(const std::string& text);

}  // namespace command_line
