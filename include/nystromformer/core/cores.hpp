// SPDX-License-Identifier: MIT
// How many cores the program may use: those of the machine, fewer if its affinity or its
// container's CPU quota says so.
#pragma once

#include <nystromformer/core/index.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace nystromformer::inline v0_2::detail {

/// The quota of one control group in cores, or nothing. `folder` is the group's.
/// Source: https://docs.kernel.org/admin-guide/cgroup-v2.html (cpu.max); version 1 has a file for
/// each number.
inline std::optional<double> quota_of_group(const std::string& folder) {
    double quota = 0, period = 0;
    if (std::ifstream both(folder + "/cpu.max"); both) {
        if (!(both >> quota >> period)) return std::nullopt;  // "max": no limit
    } else {
        std::ifstream(folder + "/cpu.cfs_quota_us") >> quota;
        std::ifstream(folder + "/cpu.cfs_period_us") >> period;
    }
    if (!(quota > 0) || !(period > 0)) return std::nullopt;
    return quota / period;
}

/// The least quota of this process's control group and those around it, in cores; nothing without a
/// limit. `root` is the root folder; tests have another.
inline std::optional<double> cpu_quota(const std::string& root = "") {
    std::optional<double> least;
    // Strings, not paths: libstdc++'s path frees what it does not own when memory is short.
    const auto look_at = [&](const std::string& mount, std::string group) {
        while (true) {
            if (const auto quota = quota_of_group(mount + group))
                least = std::min(least.value_or(*quota), *quota);
            if (group.empty()) return;
            group.erase(group.rfind('/'));
        }
    };
    std::ifstream groups(root + "/proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {  // hierarchy:controllers:/group
        const std::size_t first = line.find(':'), second = line.find(":/", first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const std::string group = line.substr(second + 1), mounts = root + "/sys/fs/cgroup";
        if (controllers.empty()) look_at(mounts, group);
        if ((',' + controllers + ',').find(",cpu,") == std::string::npos) continue;
        look_at(mounts + "/cpu", group);
        look_at(mounts + '/' + controllers, group);
    }
    return least;
}

/// The cores that this process may run on.
inline Index cores_of_affinity() {
#if defined(__linux__)
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
#endif
    return static_cast<Index>(std::thread::hardware_concurrency());
}

/// At least 1; a part of a core counts as one.
inline Index available_cores() {
    const Index cores = std::max<Index>(1, cores_of_affinity());
    const auto quota = cpu_quota();
    if (!quota || *quota >= static_cast<double>(cores)) return cores;
    return std::max<Index>(1, static_cast<Index>(std::ceil(*quota)));
}

}  // namespace nystromformer::inline v0_2::detail
