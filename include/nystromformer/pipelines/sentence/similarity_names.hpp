// SPDX-License-Identifier: MIT
// The names of similarities, as config_sentence_transformers.json spells them.
#pragma once

#include <nystromformer/core/names.hpp>
#include <nystromformer/embeddings.hpp>

namespace nystromformer::inline v0_2::detail {

inline constexpr auto similarity_names =
    enum_names<Similarity>("cosine", "dot", "euclidean", "manhattan");

}  // namespace nystromformer::inline v0_2::detail
