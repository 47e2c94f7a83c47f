// SPDX-License-Identifier: MIT
// Shared by the programs that time forward passes.
#pragma once

#include <nystromformer/model_input.hpp>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <utility>
#include <vector>

namespace timed {

/// CPU seconds of this thread, so that a busy machine disturbs less.
template <typename Work>
double seconds_of(const Work& work) {
    const auto now = [] {
        timespec time;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
    };
    const double start = now();
    work();
    return now() - start;
}

inline double least(const std::vector<double>& seconds) {
    return *std::min_element(seconds.begin(), seconds.end());
}

inline double median(std::vector<double> seconds) {
    std::sort(seconds.begin(), seconds.end());
    return seconds[seconds.size() / 2];
}

/// One text of `length` tokens, with the ids that models.py and peers.py make, too.
inline nystromformer::ModelInput<float> input_of(std::int64_t vocab_size, std::int64_t length) {
    std::vector<std::int64_t> ids;
    for (std::int64_t i = 0; i < length; ++i) ids.push_back((i * 7919 + 13) % vocab_size);
    return nystromformer::ModelInput<float>::batch(std::move(ids), 1, length);
}

}  // namespace timed
