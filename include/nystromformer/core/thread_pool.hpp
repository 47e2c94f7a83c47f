// SPDX-License-Identifier: MIT
// The workers of a ThreadPool: indices of a loop are handed out one by one; a thread without work
// looks for it for a moment, then sleeps.
#pragma once

#include <nystromformer/core/cores.hpp>
#include <nystromformer/core/float_mode.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/threads.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

class ThreadPool::Workers : public std::enable_shared_from_this<ThreadPool::Workers> {
public:
    struct Loop {
        Index count;
        void (*call)(const void*, Index);
        const void* body;
        detail::FloatMode mode = detail::float_mode();  // every thread computes as the caller does
        std::atomic<Index> next = 0;
        std::atomic<Index> helpers = 0;  // workers inside, changed under mutex_
        std::exception_ptr error = nullptr;
    };

    Workers(Index num_threads, Index cores) {
        // If threads share cores, one that waits would keep another from its work.
        if (num_threads <= cores) patience_ = std::chrono::microseconds(100);
        workers_.reserve(static_cast<std::size_t>(num_threads - 1));
        try {
            for (Index i = 1; i < num_threads; ++i) workers_.emplace_back([this] { serve(); });
        } catch (const std::system_error&) {
            // Fewer threads give the same answers, later.
        } catch (const std::bad_alloc&) {
            // The same; those that have started could not be left alone.
        }
    }
    explicit Workers(Executor executor) : executor_(std::move(executor)) {}
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;
    ~Workers() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        work_.notify_all();
        for (std::thread& worker : workers_) worker.join();
    }

    /// Threads besides the caller of a loop.
    Index size() const noexcept {
        return executor_.submit ? executor_.num_threads - 1 : static_cast<Index>(workers_.size());
    }

    /// True on a thread that is inside a loop of any pool.
    static bool& inside_loop() {
        static thread_local bool inside = false;
        return inside;
    }

    void run(Loop& loop) {
        {
            const std::lock_guard lock(mutex_);
            loops_.push_back(&loop);
            ++num_begun_;
        }
        work_.notify_all();
        submit_help(loop);
        take_part(loop);
        {
            const std::lock_guard lock(mutex_);
            loops_.erase(std::find(loops_.begin(), loops_.end(), &loop));
        }
        spin_while([&loop] { return loop.helpers != 0; });
        std::unique_lock lock(mutex_);
        done_.wait(lock, [&loop] { return loop.helpers == 0; });
        if (loop.error) std::rethrow_exception(loop.error);
    }

private:
    /// Asks the executor for helpers. One that comes late finds no open loop.
    void submit_help(const Loop& loop) {
        if (!executor_.submit) return;
        const Index helpers = std::min(size(), loop.count - 1);
        for (Index i = 0; i < helpers; ++i)
            executor_.submit([self = shared_from_this()] { self->help(); });
    }
    void help() {
        std::unique_lock lock(mutex_);
        if (Loop* open = open_loop()) help(*open, lock);
    }
    void help(Loop& loop, std::unique_lock<std::mutex>& lock) {
        ++loop.helpers;
        lock.unlock();
        take_part(loop);
        lock.lock();
        if (--loop.helpers == 0) done_.notify_all();
    }

    void take_part(Loop& loop) {
        inside_loop() = true;
        const detail::FloatModeScope scope(loop.mode);
        try {
            for (Index i = loop.next++; i < loop.count; i = loop.next++) loop.call(loop.body, i);
        } catch (...) {
            loop.next = loop.count;
            const std::lock_guard lock(mutex_);
            if (!loop.error) loop.error = std::current_exception();
        }
        inside_loop() = false;
    }

    /// Until `waiting()` is false, but not for long: from one loop of a forward pass to the next
    /// takes less than to wake a thread. The caller then sleeps until it is notified.
    template <typename Waiting>
    void spin_while(const Waiting& waiting) const {
        using Clock = std::chrono::steady_clock;
        for (const auto end = Clock::now() + patience_; waiting() && Clock::now() < end;) {
#if defined(__GNUC__) && defined(__x86_64__)
            __builtin_ia32_pause();
#endif
        }
    }

    void serve() {
        std::unique_lock lock(mutex_);
        while (true) {
            Loop* open = open_loop();
            if (open == nullptr && !stopping_) {
                const Index begun = num_begun_;
                lock.unlock();
                spin_while([&] { return num_begun_ == begun && !stopping_; });
                lock.lock();
            }
            work_.wait(lock,
                       [this, &open] { return stopping_ || (open = open_loop()) != nullptr; });
            if (open == nullptr) return;
            help(*open, lock);
        }
    }

    Loop* open_loop() const {
        for (Loop* loop : loops_) {
            if (loop->next.load() < loop->count) return loop;
        }
        return nullptr;
    }

    Executor executor_{};  // without `submit`: the workers below
    std::vector<std::thread> workers_;
    std::mutex mutex_;
    std::condition_variable work_;
    std::condition_variable done_;
    std::vector<Loop*> loops_;
    std::atomic<Index> num_begun_ = 0;
    std::chrono::microseconds patience_{0};
    std::atomic<bool> stopping_ = false;
};

namespace detail {

inline void check_num_threads(Index num_threads, Index min) {
    constexpr Index max = ThreadPool::max_threads;
    if (num_threads >= min && num_threads <= max) return;
    throw InputError({"", "num_threads", std::to_string(min) + " to " + std::to_string(max),
                      std::to_string(num_threads)});
}

}  // namespace detail

NYSTROMFORMER_INLINE ThreadPool::ThreadPool(Index num_threads) {
    detail::check_num_threads(num_threads, 0);
    const Index cores = detail::available_cores();
    if (num_threads == 0) num_threads = std::min(cores, max_threads);
    workers_ = std::make_shared<Workers>(num_threads, cores);
}

NYSTROMFORMER_INLINE ThreadPool::ThreadPool(Executor executor) {
    detail::check_num_threads(executor.num_threads, 1);
    if (!executor.submit) throw InputError({"", "submit", "a function", "none"});
    workers_ = std::make_shared<Workers>(std::move(executor));
}

NYSTROMFORMER_INLINE std::shared_ptr<ThreadPool> ThreadPool::shared() {
    static std::mutex mutex;
    static std::weak_ptr<ThreadPool> last;
    const std::lock_guard lock(mutex);
    auto pool = last.lock();
    if (!pool) last = pool = std::make_shared<ThreadPool>();
    return pool;
}

NYSTROMFORMER_INLINE ThreadPool::~ThreadPool() = default;

NYSTROMFORMER_INLINE Index ThreadPool::num_threads() const noexcept { return workers_->size() + 1; }

NYSTROMFORMER_INLINE bool ThreadPool::is_free() const noexcept {
    return workers_->size() > 0 && !Workers::inside_loop();
}

NYSTROMFORMER_INLINE void ThreadPool::run(Index count, void (*call)(const void*, Index),
                                          const void* context) {
    Workers::Loop loop{count, call, context};
    workers_->run(loop);
}

}  // namespace nystromformer::inline v0_2
