// SPDX-License-Identifier: MIT
// The templates that most tests use. Compiled anew in each, they take most of its time.
#pragma once

#include <nystromformer/nystromformer.hpp>

#define NYSTROMFORMER_TEST_MODEL(how, Model, Head, Scalar)                                  \
    how template class nystromformer::PreTrainedModel<nystromformer::Model<Scalar>, Scalar, \
                                                      nystromformer::detail::Head<Scalar>>; \
    how template class nystromformer::Model<Scalar>;
#define NYSTROMFORMER_TEST_SCALAR(how, Scalar)                                                  \
    how template nystromformer::detail::FloatKernels<Scalar>                                    \
        nystromformer::detail::float_kernels<Scalar>(nystromformer::Isa);                       \
    NYSTROMFORMER_TEST_MODEL(how, NystromformerModel, NoHead, Scalar)                           \
    NYSTROMFORMER_TEST_MODEL(how, NystromformerForMaskedLM, MaskedLMHead, Scalar)               \
    NYSTROMFORMER_TEST_MODEL(how, NystromformerForSequenceClassification,                       \
                             SequenceClassificationHead, Scalar)                                \
    NYSTROMFORMER_TEST_MODEL(how, NystromformerForMultipleChoice, MultipleChoiceHead, Scalar)   \
    NYSTROMFORMER_TEST_MODEL(how, NystromformerForTokenClassification, TokenClassificationHead, \
                             Scalar)                                                            \
    NYSTROMFORMER_TEST_MODEL(how, NystromformerForQuestionAnswering, QuestionAnsweringHead, Scalar)

/// Declares these instances (`how` is extern) or makes them (`how` is empty).
#define NYSTROMFORMER_TEST_INSTANCES(how) \
    NYSTROMFORMER_TEST_SCALAR(how, float) \
    NYSTROMFORMER_TEST_SCALAR(how, double)
