// SPDX-License-Identifier: MIT
// Declares the model classes of models.hpp, for headers that only name them: no Eigen.
#pragma once

namespace nystromformer::inline v0_2 {

template <typename Scalar = float>
class NystromformerModel;
template <typename Scalar = float>
class NystromformerForMaskedLM;
template <typename Scalar = float>
class NystromformerForSequenceClassification;
template <typename Scalar = float>
class NystromformerForMultipleChoice;
template <typename Scalar = float>
class NystromformerForTokenClassification;
template <typename Scalar = float>
class NystromformerForQuestionAnswering;

}  // namespace nystromformer::inline v0_2
