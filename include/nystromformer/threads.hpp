// SPDX-License-Identifier: MIT
// ThreadPool: the threads of a model, which several models may share.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/core/mode.hpp>

#include <memory>

namespace nystromformer {

/// Runs loops on `num_threads` threads, the calling one among them. Safe to use from several
/// threads at once; a loop inside a loop runs on the thread that starts it.
class ThreadPool {
public:
    static constexpr Index max_threads = 1024;

    /// `num_threads` 0 takes every core; InputError below 0 or above `max_threads`. If the system
    /// refuses to start a thread, the pool has fewer.
    explicit ThreadPool(Index num_threads = 0);
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;
    ~ThreadPool();

    /// Threads at work in a loop, the caller among them.
    Index num_threads() const noexcept;

    /// Calls `body(i)` once for each i in [0, count), in any order, and returns when all are done.
    /// The first exception of a body is thrown here; the indices not yet begun are then left out.
    /// `work` is about how many multiplications the whole loop has: a loop with few of them runs on
    /// this thread, because waking another would take longer.
    template <typename Body>
    void parallel_for(Index count, const Body& body, Index work = min_work) {
        if (count > 1 && work >= min_work && is_free()) {
            const auto call = [](const void* context, Index i) {
                (*static_cast<const Body*>(context))(i);
            };
            run(count, call, &body);
        } else {
            for (Index i = 0; i < count; ++i) body(i);
        }
    }

private:
    static constexpr Index min_work = Index{1} << 20;

    /// True if there is another thread to help the calling one.
    bool is_free() const noexcept;
    void run(Index count, void (*call)(const void* context, Index i), const void* context);

    class Workers;
    std::unique_ptr<Workers> workers_;
};

}  // namespace nystromformer

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/core/thread_pool.hpp>
#endif
