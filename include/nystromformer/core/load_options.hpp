// SPDX-License-Identifier: MIT
// What the options of a load ask for.
#pragma once

#include <nystromformer/options.hpp>
#include <nystromformer/threads.hpp>

#include <memory>

namespace nystromformer::inline v0_2::detail {

/// The pool of a model that is loaded with `options`.
inline std::shared_ptr<ThreadPool> threads_of(const LoadOptions& options) {
    if (options.threads) return options.threads;
    if (options.num_threads == 0) return ThreadPool::shared();
    return std::make_shared<ThreadPool>(options.num_threads);
}

}  // namespace nystromformer::inline v0_2::detail
