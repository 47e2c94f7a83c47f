// SPDX-License-Identifier: MIT
// The progress bar of a command.
#pragma once

#include "platform/platform.hpp"
#include "terminal/terminal.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

namespace command_line {

/// A bar with rate and remaining time on stderr, if that is a terminal.
class Progress {
public:
    /// `shown` false: the terminal shows something else. `total_bytes` 0: not known.
    Progress(bool shown, std::uint64_t total_bytes)
        : total_bytes_(static_cast<double>(total_bytes)), shown_(shown && stderr_is_terminal()) {}
    ~Progress() {
        if (shown_ && lines_ > 0) std::fputc('\n', stderr);
    }
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// Counts answered lines; shows them five times a second, and the last time.
    void advance(std::size_t lines, std::uint64_t bytes_done, bool last = false) {
        lines_ += lines;
        const double elapsed =
            std::max(1e-3, std::chrono::duration<double>(Clock::now() - start_).count());
        if (!shown_ || (elapsed < next_ && !last)) return;
        next_ = elapsed + 0.2;
        std::fprintf(stderr, "\r%zu lines, %.1f a second", lines_,
                     static_cast<double>(lines_) / elapsed);
        if (total_bytes_ > 0) {
            const double share = std::min(1.0, static_cast<double>(bytes_done) / total_bytes_);
            const std::string done(static_cast<std::size_t>(share * 30), '#');
            std::fprintf(stderr, " [%-30s] %3.0f %%, %.0f s to go ", done.c_str(), share * 100,
                         elapsed * (1 - share) / std::max(share, 1e-9));
        }
    }

private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point start_ = Clock::now();
    double next_ = 0;
    std::size_t lines_ = 0;
    double total_bytes_;
    bool shown_;
};

}  // namespace command_line
