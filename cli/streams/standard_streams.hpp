// SPDX-License-Identifier: MIT
// Standard input as lines, and standard output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace command_line {

/// Writes to stdout at once; throws std::system_error when the pipe is closed or the disk full.
void write_out(std::string_view text);

/// The lines of stdin, in memory that a long one does not blow up.
class StdinLines {
public:
    /// The longest line in bytes that a command reads.
    static constexpr std::size_t max_line = std::size_t{16} << 20;

    /// The next line without its end; nothing at the end of the input. Of a line longer than
    /// max_line the first max_line + 1 bytes.
    std::optional<std::string> next();

    /// True if more input is there already, so that reading on keeps no client from its answer.
    bool more_waits() const;

    /// Bytes of the lines that `next` gave.
    std::uint64_t bytes_done() const { return bytes_ - (end_ - begin_); }
    /// Bytes of all lines; 0 if that is not known.
    static std::uint64_t total_bytes();
    static bool holds_json() { return true; }

private:
    /// True if the buffer holds at least one byte.
    bool fill();

    std::vector<char> buffer_ = std::vector<char>(1 << 16);
    std::size_t begin_ = 0, end_ = 0;
    std::uint64_t bytes_ = 0;
};

}  // namespace command_line
