// SPDX-License-Identifier: MIT
// Which heads a folder holds: what a program asks before it loads a model class.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/config.hpp>
#include <nystromformer/core/mode.hpp>

#include <string>
#include <vector>

namespace nystromformer::inline v0_2 {

/// A head that the tensors of a folder make up.
struct HeldHead {
    std::string name;                   ///< as in for_each_head: "masked-lm"
    std::vector<std::string> commands;  ///< of the program `nystromformer` that need it
};

/// The heads of a folder, best first, and last "model": the encoder, which every folder has. The
/// tensors decide. One tensor, a BERT's classifier.weight, may serve several heads: the one that
/// config.json names wins, and heads that only share its tensors are left out.
[[nodiscard]] std::vector<HeldHead> held_heads(const NystromformerConfig& config,
                                               const Checkpoint& checkpoint);

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/model/held_heads.hpp>
#endif
