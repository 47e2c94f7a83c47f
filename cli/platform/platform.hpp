// SPDX-License-Identifier: MIT
// What differs between operating systems: arguments, the environment, the standard streams.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace command_line {

/// The arguments of main in UTF-8, the program's name first.
std::vector<std::string> arguments_of_main(int argc, char** argv);

/// An environment variable in UTF-8; nothing if it is not set or empty.
std::optional<std::string> environment(const char* name);

/// The file of this program; empty if the system does not say.
std::filesystem::path program_file();

/// The user's own folder; empty if the system does not say.
std::filesystem::path home_folder();

/// The most memory that this process has held so far, in MiB; nothing if the system does not say.
std::optional<double> peak_memory_mib();

/// Between the folders of a list in the environment.
extern const char list_separator;

/// Opens the standard streams for bytes in UTF-8. A closed pipe becomes an error of the write.
void prepare_streams();

bool stdin_is_terminal();
bool stdout_is_terminal();
bool stderr_is_terminal();

/// Reads at least one byte from stdin and returns how many; 0 at the end of the input. Throws
/// std::system_error.
std::size_t read_stdin(std::span<char> to);

/// True if stdin has bytes, or its end, that a read does not wait for.
bool stdin_is_ready();

/// The size of the file that is stdin; 0 if it is no file.
std::uint64_t stdin_size();

/// Writes some of `text` to stdout and returns how many bytes. Throws std::system_error.
std::size_t write_stdout(std::string_view text);

}  // namespace command_line
