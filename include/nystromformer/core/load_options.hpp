// SPDX-License-Identifier: MIT
// What the options of a load ask for.
#pragma once

#include <nystromformer/error.hpp>
#include <nystromformer/options.hpp>
#include <nystromformer/threads.hpp>

#include <memory>
#include <string>

namespace nystromformer::inline v0_2::detail {

/// The pool of a model that is loaded with `options`. InputError for a number of threads beside a
/// pool, and for one that no pool has.
inline std::shared_ptr<ThreadPool> threads_of(const LoadOptions& options) {
    if (options.threads && options.num_threads != 0) {
        throw InputError({"", "num_threads", "0 beside a pool: the pool has its own threads",
                          std::to_string(options.num_threads)});
    }
    if (options.threads) return options.threads;
    if (options.num_threads == 0) return ThreadPool::shared();
    return std::make_shared<ThreadPool>(options.num_threads);
}

}  // namespace nystromformer::inline v0_2::detail
