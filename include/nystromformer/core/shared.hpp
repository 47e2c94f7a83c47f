// SPDX-License-Identifier: MIT
// Shared: what a public handle holds of its body.
#pragma once

#include <memory>
#include <utility>

namespace nystromformer::inline v0_2::detail {

/// Shares an immutable body with its copies. Moving copies, so that a handle always has a body.
template <typename Body>
class Shared {
public:
    explicit Shared(std::shared_ptr<const Body> body) : body_(std::move(body)) {}
    Shared(const Shared&) = default;
    Shared& operator=(const Shared&) = default;

    const Body& operator*() const { return *body_; }
    const Body* operator->() const { return body_.get(); }

private:
    std::shared_ptr<const Body> body_;
};

}  // namespace nystromformer::inline v0_2::detail
