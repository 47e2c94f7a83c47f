// SPDX-License-Identifier: MIT
// Limits the memory that a model takes if tensors of its checkpoint share bytes.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/checkpoint/tensor_layout.hpp>
#include <nystromformer/core/error_text.hpp>
#include <nystromformer/dtype.hpp>
#include <nystromformer/error.hpp>

#include <cstdint>
#include <string>

namespace nystromformer::inline v0_2::detail {

/// Counts the bytes of the tensors that are made of a checkpoint. Those of a pytorch_model.bin may
/// share bytes. Tied layers do so honestly; but a small file can also hold thousands of names for
/// one storage, each of which the model would get a copy of.
class MadeBytes {
public:
    static constexpr std::uint64_t max_times = 32;  ///< the bytes that the tensors have in the file
    static constexpr std::uint64_t always_allowed = std::uint64_t{8} << 20;

    explicit MadeBytes(const Checkpoint& checkpoint)
        : left_(checkpoint.stored_bytes() * max_times + always_allowed) {}

    /// TensorError if `tensor`, of `file`, makes too much with those before it.
    void add(const TensorView& tensor, const std::string& file) {
        const auto size = static_cast<std::uint64_t>(tensor.size());
        const auto bytes = checked_bytes(size, tensor.dtype).value_or(left_ + 1);
        if (bytes > left_) {
            throw TensorError({file, "tensor " + in_quotes(tensor.name),
                               "tensors that share bytes to make at most " +
                                   std::to_string(max_times) + " times those and " +
                                   std::to_string(always_allowed) + " bytes",
                               "more"});
        }
        left_ -= bytes;
    }

private:
    std::uint64_t left_;
};

}  // namespace nystromformer::inline v0_2::detail
