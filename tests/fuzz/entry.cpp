// SPDX-License-Identifier: MIT
// libFuzzer's entry points, the same for every program of fuzz targets.
#include "fuzz.hpp"

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <exception>
#include <string>
#include <string_view>

namespace nystromformer::fuzz {
namespace {

const Target* chosen = nullptr;

/// Seconds of CPU that this process has had: a pause of the machine is no hang.
double cpu_seconds() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace
}  // namespace nystromformer::fuzz

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
    using namespace nystromformer::fuzz;
    chosen = &targets().front();
    for (int i = 1; i < *count; ++i) {
        const std::string_view argument = (*arguments)[i];
        if (!argument.starts_with("--target=")) continue;
        chosen = nullptr;
        for (const Target& target : targets())
            if (argument.substr(9) == target.name) chosen = &target;
        if (chosen == nullptr) finding("no target of the name " + std::string(argument));
    }
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nystromformer::fuzz;
    constexpr double most_seconds = 1;
    const double start = cpu_seconds();
    try {
        chosen->run({reinterpret_cast<const char*>(data), size});
    } catch (const nystromformer::Error&) {
    } catch (const std::exception& error) {
        finding(std::string("another exception: ") + error.what());
    }
    if (cpu_seconds() - start > most_seconds) finding("more than a second of CPU");
    return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t most, unsigned seed) {
    using namespace nystromformer::fuzz;
    // One time in four the plain bytes, which break structure too.
    if (chosen->mutate == nullptr || seed % 4 == 0) return LLVMFuzzerMutate(data, size, most);
    std::string bytes(reinterpret_cast<const char*>(data), size);
    chosen->mutate(bytes, seed / 4, most);
    bytes.resize(bytes.size() < most ? bytes.size() : most);
    bytes.copy(reinterpret_cast<char*>(data), bytes.size());
    return bytes.size();
}
