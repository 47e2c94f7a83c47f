// SPDX-License-Identifier: MIT
// Counts what a forward pass takes from the heap once everything is warm: nothing.
// Usage: nystromformer_allocations MODEL_DIR
#include "support/library.hpp"

#include <nystromformer/models.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

namespace {
std::atomic<long> allocations = 0;
}

// glibc's own functions do the work; operator new and Eigen come through these, too.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
    ++allocations;
    return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
    ++allocations;
    return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
    ++allocations;
    return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
    ++allocations;
    return __libc_memalign(alignment, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
    ++allocations;
    return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
    ++allocations;
    *memory = __libc_memalign(alignment, size);
    return *memory == nullptr ? ENOMEM : 0;
}
}

namespace nf = nystromformer;

namespace {

nf::ModelInput<float> input_of(std::vector<nf::Index> lengths) {
    std::vector<std::vector<std::int64_t>> texts;
    for (const nf::Index length : lengths) {
        texts.emplace_back();
        for (nf::Index i = 0; i < length; ++i) texts.back().push_back(i % 8000);
    }
    return nf::ModelInput<float>::stacked(texts);
}

/// Allocations of the last of several passes.
long count(const nf::NystromformerModel<float>& model, const nf::ModelInput<float>& input,
           nf::Attention attention) {
    nf::BaseModelOutput<float> output;
    long last = 0;
    // Which thread does what changes from pass to pass, so that each has to see its largest part.
    for (int pass = 0; pass < 8; ++pass) {
        const long before = allocations;
        model(input, {.attention = attention}, output);
        last = allocations - before;
        if (pass > 1 && last == 0) break;
    }
    return last;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const long before = allocations;
    std::vector<int> probe(1000);
    volatile int* kept = probe.data();
    *kept = 1;
    if (allocations == before) {
        std::puts("the allocations are not counted");
        return 1;
    }
    long failures = 0;
    for (const nf::Precision precision :
         {nf::Precision::fp32, nf::Precision::bf16, nf::Precision::int8}) {
        for (const nf::Index threads : {1, 2}) {
            const auto model = nf::NystromformerModel<float>::from_pretrained(
                argv[1], {.num_threads = threads, .precision = precision});
            for (const auto attention : {nf::Attention::exact, nf::Attention::nystrom}) {
                for (const auto& lengths : {std::vector<nf::Index>{7}, {300}, {150, 20, 90}}) {
                    const long found = count(model, input_of(lengths), attention);
                    if (found == 0) continue;
                    std::printf("%s, %ld threads, %s, %zu texts: %ld allocations\n",
                                std::string(nf::name(precision)).c_str(),
                                static_cast<long>(threads),
                                attention == nf::Attention::exact ? "exact" : "nystrom",
                                lengths.size(), found);
                    ++failures;
                }
            }
        }
    }
    std::puts(failures == 0 ? "no allocation" : "allocations");
    return failures == 0 ? 0 : 1;
}
