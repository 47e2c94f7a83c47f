// SPDX-License-Identifier: MIT
#include "platform/platform.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace command_line {

const char list_separator = ':';

std::vector<std::string> arguments_of_main(int argc, char** argv) { return {argv, argv + argc}; }

std::optional<std::string> environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

std::filesystem::path program_file() {
    std::error_code none;
    return std::filesystem::read_symlink("/proc/self/exe", none);
}

std::filesystem::path home_folder() { return environment("HOME").value_or(""); }

std::optional<double> peak_memory_mib() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        std::istringstream words(line);
        std::string name;
        double kib = 0;
        if (words >> name >> kib && name == "VmHWM:") return kib / 1024;
    }
    return std::nullopt;
}

void prepare_streams() {
    std::signal(SIGPIPE, SIG_IGN);
    // A file opened later must not become stdin, stdout or stderr. Writing to a stdout that was
    // closed still fails, as it should: /dev/null is open for reading only.
    for (int descriptor = 0; descriptor <= 2; ++descriptor) {
        if (fcntl(descriptor, F_GETFD) == -1 && open("/dev/null", O_RDONLY) != descriptor)
            throw std::system_error(errno, std::generic_category(), "/dev/null");
    }
}

bool stdin_is_terminal() { return isatty(STDIN_FILENO) != 0; }
bool stdout_is_terminal() { return isatty(STDOUT_FILENO) != 0; }
bool stderr_is_terminal() { return isatty(STDERR_FILENO) != 0; }

std::size_t read_stdin(std::span<char> to) {
    for (;;) {
        const ssize_t count = ::read(STDIN_FILENO, to.data(), to.size());
        if (count >= 0) return static_cast<std::size_t>(count);
        if (errno != EINTR)
            throw std::system_error(errno, std::generic_category(), "reading stdin");
    }
}

bool stdin_is_ready() {
    pollfd descriptor{STDIN_FILENO, POLLIN, 0};
    return poll(&descriptor, 1, 0) > 0 && (descriptor.revents & POLLIN) != 0;
}

std::uint64_t stdin_size() {
    struct stat status {};
    const bool is_file = fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode);
    return is_file ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::size_t write_stdout(std::string_view text) {
    for (;;) {
        const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
        if (written >= 0) return static_cast<std::size_t>(written);
        if (errno != EINTR)
            throw std::system_error(errno, std::generic_category(), "writing to stdout");
    }
}

}  // namespace command_line
