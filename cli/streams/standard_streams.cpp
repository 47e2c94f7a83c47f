// SPDX-License-Identifier: MIT
#include "streams/standard_streams.hpp"

#include "platform/platform.hpp"
#include "streams/files.hpp"

#include <utility>

namespace command_line {

void write_out(std::string_view text) {
    while (!text.empty()) text.remove_prefix(write_stdout(text));
}

std::optional<std::string> StdinLines::next() {
    std::string line;
    bool any = false;
    while (fill()) {
        any = true;
        const std::string_view rest(buffer_.data() + begin_, end_ - begin_);
        const std::size_t newline = rest.find('\n');
        const std::string_view part = rest.substr(0, newline);
        line += part.substr(0, max_line + 1 - line.size());
        begin_ += part.size();
        if (newline != rest.npos) {
            ++begin_;
            return line;
        }
    }
    return any ? std::optional(std::move(line)) : std::nullopt;
}

bool StdinLines::more_waits() const { return begin_ < end_ || stdin_is_ready(); }

std::uint64_t StdinLines::total_bytes() { return stdin_size(); }

bool StdinLines::fill() {
    if (begin_ < end_) return true;
    begin_ = 0;
    end_ = read_stdin(buffer_);
    if (end_ == 0) return false;
    if (bytes_ == 0) refuse_utf16({buffer_.data(), end_}, "stdin");
    bytes_ += end_;
    return true;
}

}  // namespace command_line
