// SPDX-License-Identifier: MIT
#define NYSTROMFORMER_BODIES
#include <nystromformer/pipelines/feature_extraction.hpp>
#include <nystromformer/pipelines/fill_mask.hpp>
#include <nystromformer/pipelines/question_answering.hpp>
#include <nystromformer/pipelines/token_classification.hpp>
