// SPDX-License-Identifier: MIT
// The templates that most tests use. Compiled anew in each, they take most of its time.
#pragma once

#include <nystromformer/nystromformer.hpp>

#define NYSTROMFORMER_TEST_MODEL(how, Model, Scalar)                                 \
    how template class nystromformer::PreTrainedModel<nystromformer::Model<Scalar>>; \
    how template class nystromformer::Model<Scalar>;
#define NYSTROMFORMER_TEST_SCALAR(how, Scalar)                                    \
    how template nystromformer::detail::FloatKernels<Scalar>                      \
        nystromformer::detail::float_kernels<Scalar>(nystromformer::Isa);         \
    NYSTROMFORMER_TEST_MODEL(how, NystromformerModel, Scalar)                     \
    NYSTROMFORMER_TEST_MODEL(how, NystromformerForMaskedLM, Scalar)               \
    NYSTROMFORMER_TEST_MODEL(how, NystromformerForSequenceClassification, Scalar) \
    NYSTROMFORMER_TEST_MODEL(how, NystromformerForMultipleChoice, Scalar)         \
    NYSTROMFORMER_TEST_MODEL(how, NystromformerForTokenClassification, Scalar)    \
    NYSTROMFORMER_TEST_MODEL(how, NystromformerForQuestionAnswering, Scalar)

/// Declares these instances (`how` is extern) or makes them (`how` is empty).
#define NYSTROMFORMER_TEST_INSTANCES(how) \
    NYSTROMFORMER_TEST_SCALAR(how, float) \
    NYSTROMFORMER_TEST_SCALAR(how, double)
