// SPDX-License-Identifier: MIT
// The heads that a folder holds, for a program that has to choose a model class.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/config.hpp>
#include <nystromformer/core/mode.hpp>

#include <string>
#include <vector>

namespace nystromformer::inline v0_2 {

/// A head whose tensors a folder has.
struct HeldHead {
    std::string name;                   ///< as in for_each_head: "masked-lm"
    std::vector<std::string> commands;  ///< commands of the program `nystromformer` that need it
};

/// The heads of a folder, best first, and last "model": the encoder, which every folder has. The
/// tensors decide. One tensor, such as a BERT's classifier.weight, may serve several heads: the
/// head that config.json names wins, and heads that only share its tensors are left out.
[[nodiscard]] std::vector<HeldHead> held_heads(const NystromformerConfig& config,
                                               const Checkpoint& checkpoint);

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/model/held_heads.hpp>
#endif
