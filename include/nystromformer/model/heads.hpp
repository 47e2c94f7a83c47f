// SPDX-License-Identifier: MIT
// for_each_head: the model classes in one list, with the names that programs give them.
#pragma once

#include <nystromformer/model/forward.hpp>

#include <string_view>

namespace nystromformer::inline v0_2 {

/// A model class and its name. `Class` is one of the templates over the scalar.
template <template <typename> typename Class>
struct HeadName {
    std::string_view name;
    template <typename Scalar>
    using Model = Class<Scalar>;
};

/// Calls visit(HeadName) for each model class.
template <typename Visit>
void for_each_head(const Visit& visit) {
    visit(HeadName<NystromformerModel>{"model"});
    visit(HeadName<NystromformerForMaskedLM>{"masked-lm"});
    visit(HeadName<NystromformerForSequenceClassification>{"sequence-classification"});
    visit(HeadName<NystromformerForMultipleChoice>{"multiple-choice"});
    visit(HeadName<NystromformerForTokenClassification>{"token-classification"});
    visit(HeadName<NystromformerForQuestionAnswering>{"question-answering"});
}

}  // namespace nystromformer::inline v0_2
