// SPDX-License-Identifier: MIT
// The texts of a file, one after another.
#pragma once

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

namespace command_line {

/// Reads a file of lines, paragraphs or JSON lines in UTF-8, in memory that does not grow with it.
/// A byte order mark is not part of a text. (In JSON lines it stays in the first line, which is
/// then not JSON.)
class TextFile {
public:
    /// `split`: "lines" (those that are not blank), "paragraphs" (lines up to a blank one, joined
    /// by spaces), "json", or "auto" by the file's name. IoError if it cannot be read.
    TextFile(const std::string& path, const std::string& split);

    /// The next text, or JSON line, without its end; nothing at the end of the file. FormatError
    /// for one of more than 16 MiB.
    std::optional<std::string> next();

    bool holds_json() const { return split_ == "json"; }
    /// The number of the line at which the last text began, from 1.
    std::uint64_t line() const { return first_line_; }
    std::uint64_t bytes_done() const { return bytes_; }
    std::uint64_t total_bytes() const { return total_bytes_; }
    static bool more_waits() { return true; }

private:
    void skip_mark();
    bool read_line(std::string& line);

    std::string path_, split_;
    std::ifstream stream_;
    std::uint64_t lines_ = 0, first_line_ = 0, bytes_ = 0, total_bytes_ = 0;
};

}  // namespace command_line
