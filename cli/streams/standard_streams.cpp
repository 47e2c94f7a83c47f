// SPDX-License-Identifier: MIT
#include "streams/standard_streams.hpp"

#include "streams/files.hpp"

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace command_line {

void prepare_streams() {
    std::signal(SIGPIPE, SIG_IGN);
    // A file opened later must not become stdin, stdout or stderr. Writing to a stdout that was
    // closed still fails, as it should: /dev/null is open for reading only.
    for (int descriptor = 0; descriptor <= 2; ++descriptor) {
        if (fcntl(descriptor, F_GETFD) == -1 && open("/dev/null", O_RDONLY) != descriptor) {
            throw std::system_error(errno, std::generic_category(), "/dev/null");
        }
    }
}

void write_out(std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0)
            throw std::system_error(errno, std::generic_category(), "writing to stdout");
        text.remove_prefix(static_cast<std::size_t>(written));
    }
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

bool StdinLines::more_waits() const {
    if (begin_ < end_) return true;
    pollfd descriptor{STDIN_FILENO, POLLIN, 0};
    return poll(&descriptor, 1, 0) > 0 && (descriptor.revents & POLLIN) != 0;
}

std::uint64_t StdinLines::total_bytes() {
    struct stat status {};
    const bool is_file = fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode);
    return is_file ? static_cast<std::uint64_t>(status.st_size) : 0;
}

bool StdinLines::fill() {
    while (begin_ == end_) {
        const ssize_t count = ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
        if (count == 0) return false;
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) throw std::system_error(errno, std::generic_category(), "reading stdin");
        begin_ = 0;
        end_ = static_cast<std::size_t>(count);
        if (bytes_ == 0) refuse_utf16({buffer_.data(), end_}, "stdin");
        bytes_ += end_;
    }
    return true;
}

}  // namespace command_line
