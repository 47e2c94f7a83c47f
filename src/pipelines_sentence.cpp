// SPDX-License-Identifier: MIT
#define NYSTROMFORMER_BODIES
#include <nystromformer/pipelines/sentence/semantic_search.hpp>
#include <nystromformer/pipelines/sentence/sentence_embedding.hpp>
