// SPDX-License-Identifier: MIT
// What keeps a search linear: its work is counted, and when it takes long, failures are noted.
#pragma once

#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/regex/regex.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Which step of a program has failed at which byte of a text. Nothing is noted before the search
/// has done so much work that notes pay.
class RegexFailures {
public:
    explicit RegexFailures(const Regex& regex) : regex_(regex) {}

    /// Starts on a text of `size` bytes.
    void start(std::size_t size) {
        text_size_ = size;
        failed_.clear();
        constexpr std::size_t free_work = 4096, work_per_byte = 16;
        work_left_ = free_work + work_per_byte * size;
        // Where a step fails may depend on what a group has matched: there are no notes then.
        constexpr std::size_t work_of_references = 16;
        if (regex_.groups() > 0) work_left_ *= work_of_references;
    }

    /// Counts work, and starts to take notes when it becomes too much. InputError if notes do not
    /// help or would take too much memory.
    void spend(std::size_t work) {
        if (work <= work_left_) {
            work_left_ -= work;
        } else {
            work_left_ = 0;
            if (failed_.empty()) take_notes();
        }
    }

    bool are_noted() const { return !failed_.empty(); }
    bool has(std::uint32_t step, std::size_t at) const { return failed_[place(step, at)]; }
    void add(std::uint32_t step, std::size_t at) { failed_[place(step, at)] = true; }

private:
    std::size_t place(std::uint32_t step, std::size_t at) const {
        return regex_.steps()[step].slot * (text_size_ + 1) + at;
    }

    void take_notes() {
        if (regex_.groups() > 0) {
            throw InputError({"", "text",
                              "a text on which a regular expression with back-references takes "
                              "less work",
                              std::to_string(text_size_) + " bytes"});
        }
        // A bit each: 1 GiB, or 256 MiB if no more could be addressed.
        constexpr auto max_notes = std::size_t{1} << (sizeof(std::size_t) < 8 ? 31 : 33);
        const std::size_t max_bytes = max_notes / (regex_.slots() + 1);
        if (text_size_ >= max_bytes) {
            throw InputError({"", "text",
                              "at most " + std::to_string(max_bytes) +
                                  " bytes for a regular expression that takes long",
                              std::to_string(text_size_)});
        }
        failed_.assign((regex_.slots() + 1) * (text_size_ + 1), false);
    }

    const Regex& regex_;
    std::size_t text_size_ = 0;
    std::vector<bool> failed_;  // empty until notes are taken
    std::size_t work_left_ = 0;
};

}  // namespace nystromformer::inline v0_2::detail
