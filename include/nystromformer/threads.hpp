// SPDX-License-Identifier: MIT
// ThreadPool: the threads of a model, which several models may share.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/core/mode.hpp>

#include <functional>
#include <memory>

namespace nystromformer::inline v0_2 {

/// A program's own threads, for a ThreadPool that starts none.
struct Executor {
    Index num_threads;  ///< tasks that run at once, the caller of a loop among them; at least 1
    /// Runs a task on another thread, soon or never: a loop waits only for tasks that have begun.
    /// Several threads may call it at once. It must not throw.
    std::function<void(std::function<void()> task)> submit;
};

/// Runs loops on `num_threads` threads, the calling one among them. Safe to use from several
/// threads at once; a loop inside a loop runs on the thread that starts it.
class ThreadPool {
public:
    static constexpr Index max_threads = 1024;

    /// 0 takes every core that the process may use, by its affinity and the CPU quota of its
    /// container. InputError below 0 or above `max_threads`. If the system refuses to start a
    /// thread, the pool has fewer.
    explicit ThreadPool(Index num_threads = 0);
    /// Starts no threads: parts of loops go to `executor`. InputError for a number of threads that
    /// is not from 1 to `max_threads`, or without `submit`.
    explicit ThreadPool(Executor executor);
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;
    ~ThreadPool();

    /// The pool of every core, shared by all models that are loaded with LoadOptions::num_threads 0
    /// and no pool of their own. Its threads end with the last model that uses it.
    [[nodiscard]] static std::shared_ptr<ThreadPool> shared();

    /// The number of threads that run a loop, the caller among them.
    Index num_threads() const noexcept;

    /// Calls `body(i)` once for each i in [0, count), in any order, and returns when all are done.
    /// Throws the first exception of a body; indices that have not begun by then are left out.
    /// `work` estimates the multiplications of the whole loop. A loop with few of them runs on this
    /// thread, because waking another would take longer.
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
    std::shared_ptr<Workers> workers_;  // a task of an Executor may outlive the pool
};

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/core/thread_pool.hpp>
#endif
