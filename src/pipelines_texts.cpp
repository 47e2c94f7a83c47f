// SPDX-License-Identifier: MIT
#define NYSTROMFORMER_BODIES
#include <nystromformer/pipelines/answers_json.hpp>
#include <nystromformer/pipelines/multiple_choice.hpp>
#include <nystromformer/pipelines/rerank.hpp>
#include <nystromformer/pipelines/sentence/semantic_search.hpp>
#include <nystromformer/pipelines/sentence/sentence_embedding.hpp>
#include <nystromformer/pipelines/text_classification.hpp>
#include <nystromformer/pipelines/zero_shot_classification.hpp>
