// SPDX-License-Identifier: MIT
// Memory for packed weights, and the scratch memory that a forward pass takes and gives back.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/core/per_thread.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace nystromformer::inline v0_2::detail {

/// std::bad_alloc for more bytes than addresses.
template <typename Value>
std::size_t bytes_of(Index size) {
    constexpr auto most = static_cast<Index>(PTRDIFF_MAX / sizeof(Value));
    if (size > most) throw std::bad_alloc();
    return static_cast<std::size_t>(size) * sizeof(Value);
}

/// Memory that starts on a cache line, or on a huge page if it is large; not initialised.
template <typename Value>
class AlignedBuffer {
public:
    AlignedBuffer() = default;
    explicit AlignedBuffer(Index size) {
        if (size <= 0) return;
        std::size_t bytes = bytes_of<Value>(size);
        // Almost a huge page is made a whole one.
        if (bytes < huge_page && huge_page - bytes <= bytes / 5) bytes = huge_page;
        const std::size_t alignment = bytes >= huge_page ? huge_page : cache_line;
        memory_ = {static_cast<Value*>(::operator new (bytes, std::align_val_t{alignment})),
                   Delete{alignment}};
#if defined(__linux__)
        // Advice only: fewer page faults while packing and fewer TLB misses while multiplying.
        if (alignment == huge_page) (void)::madvise(memory_.get(), bytes, MADV_HUGEPAGE);
#endif
    }
    Value* data() { return memory_.get(); }
    const Value* data() const { return memory_.get(); }

private:
    static constexpr std::size_t cache_line = 64;
    static constexpr std::size_t huge_page = std::size_t{1} << 21;
    struct Delete {
        std::size_t alignment = cache_line;
        void operator()(Value* memory) const {
            ::operator delete (memory, std::align_val_t{alignment});
        }
    };
    std::unique_ptr<Value[], Delete> memory_;
};

/// The memory behind a thread's Scratch: blocks that are kept, so that the second forward pass of
/// a size allocates nothing.
class ScratchMemory {
public:
    struct Mark {
        std::size_t block = 0, used = 0;  // where the next bytes come from
        std::size_t taken = 0;            // bytes in use
    };

    static ScratchMemory& of_this_thread() { return PerThread<ScratchMemory>::get(); }

    ScratchMemory() {
        Threads& threads = all_threads();
        const std::lock_guard lock(threads.mutex);
        threads.memories.push_back(this);
    }
    ~ScratchMemory() {
        Threads& threads = all_threads();
        const std::lock_guard lock(threads.mutex);
        std::erase(threads.memories, this);
    }
    ScratchMemory(const ScratchMemory&) = delete;
    ScratchMemory& operator=(const ScratchMemory&) = delete;

    /// The most bytes that each thread of the process had in use since the last call, added up.
    /// Not while a forward pass runs.
    static std::size_t take_peaks() {
        Threads& threads = all_threads();
        const std::lock_guard lock(threads.mutex);
        std::size_t sum = 0;
        for (ScratchMemory* memory : threads.memories) sum += memory->peak_.exchange(0);
        return sum;
    }

    std::byte* take(std::size_t bytes) {
        while (at_.block < blocks_.size() && blocks_[at_.block].size - at_.used < bytes) {
            ++at_.block;
            at_.used = 0;
        }
        if (at_.block == blocks_.size()) {
            const std::size_t size = std::max(bytes, min_block);
            blocks_.push_back({AlignedBuffer<std::byte>(static_cast<Index>(size)), size});
        }
        std::byte* memory = blocks_[at_.block].buffer.data() + at_.used;
        at_.used += bytes;
        at_.taken += bytes;
        if (at_.taken > peak_.load(std::memory_order_relaxed))
            peak_.store(at_.taken, std::memory_order_relaxed);
        return memory;
    }

    Mark mark() const { return at_; }

    /// Frees what was taken since `mark`. When nothing is in use any more, several blocks
    /// become one at the next call.
    void reset(const Mark& mark) {
        at_ = mark;
        if (at_.block != 0 || at_.used != 0 || blocks_.size() < 2) return;
        std::size_t total = 0;
        for (const Block& block : blocks_) total += block.size;
        blocks_.clear();
        min_block = total;
    }

    /// Frees everything; no Scratch of this thread may be alive.
    void release() {
        blocks_.clear();
        min_block = first_block;
    }

private:
    struct Block {
        AlignedBuffer<std::byte> buffer;
        std::size_t size;
    };
    struct Threads {
        std::mutex mutex;
        std::vector<ScratchMemory*> memories;
    };
    /// Never destroyed: threads may end after the objects of static life.
    static Threads& all_threads() {
        static auto& threads = *new Threads;
        return threads;
    }

    static constexpr std::size_t first_block = std::size_t{1} << 16;
    std::vector<Block> blocks_;
    Mark at_;
    std::atomic<std::size_t> peak_ = 0;
    std::size_t min_block = first_block;
};

/// Scratch memory of the calling thread, given back at the end of the scope; scopes nest. What is
/// taken is not initialised.
class Scratch {
public:
    Scratch() : memory_(ScratchMemory::of_this_thread()), mark_(memory_.mark()) {}
    ~Scratch() { memory_.reset(mark_); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    template <typename Value>
    Value* array(Index size) {
        return reinterpret_cast<Value*>(memory_.take((bytes_of<Value>(size) + 63) / 64 * 64));
    }

    /// Every row has room for whole panels (a multiple of `widest_panel` numbers), and rows do not
    /// lie a multiple of 4096 bytes apart, where they would share one set of the first-level cache.
    template <typename Scalar>
    Rows<Scalar> rows(Index num_rows, Index num_cols) {
        Index stride = (num_cols + widest_panel - 1) / widest_panel * widest_panel;
        if (stride * Index{sizeof(Scalar)} % 4096 == 0) stride += widest_panel;
        return {array<Scalar>(num_rows * stride), num_rows, num_cols, stride};
    }

    static constexpr Index widest_panel = 32;

private:
    ScratchMemory& memory_;
    ScratchMemory::Mark mark_;
};

}  // namespace nystromformer::inline v0_2::detail
