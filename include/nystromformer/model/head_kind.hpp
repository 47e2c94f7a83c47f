// SPDX-License-Identifier: MIT
// The kinds of heads, what they are called, and which of them a folder's tensors make up.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/config.hpp>
#include <nystromformer/core/error_text.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/tensor_names.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail {

enum class HeadKind {
    none,
    masked_lm,
    sequence_classification,
    multiple_choice,
    token_classification,
    question_answering,
};

/// How a head is spoken of.
struct HeadWords {
    HeadKind kind;
    std::string_view suffix;             ///< of its class: BertForMaskedLM
    std::string_view name;               ///< in `run --head`
    std::string_view commands;           ///< that need it
    std::string_view what;               ///< in a message
    std::array<const char*, 2> tensors;  ///< its layers; the first is that which others have not
};

inline constexpr std::array<HeadWords, 6> head_words{{
    {HeadKind::none, "Model", "model", "embed, search, features", "an encoder", {"", ""}},
    {HeadKind::masked_lm,
     "ForMaskedLM",
     "masked-lm",
     "fill-mask",
     "a masked language model",
     {"cls.predictions.transform.dense.weight", "cls.predictions.transform.dense.weight"}},
    {HeadKind::sequence_classification,
     "ForSequenceClassification",
     "sequence-classification",
     "classify, zero-shot, rerank",
     "a text classifier",
     {"classifier.dense.weight", "classifier.out_proj.weight"}},
    {HeadKind::multiple_choice,
     "ForMultipleChoice",
     "multiple-choice",
     "choose",
     "a head for multiple choice",
     {"pre_classifier.weight", "classifier.weight"}},
    {HeadKind::token_classification,
     "ForTokenClassification",
     "token-classification",
     "tag",
     "a token classifier",
     {"classifier.weight", "classifier.weight"}},
    {HeadKind::question_answering,
     "ForQuestionAnswering",
     "question-answering",
     "answer",
     "a head for question answering",
     {"qa_outputs.weight", "qa_outputs.weight"}},
}};

inline const HeadWords& words_of(HeadKind kind) {
    return head_words[static_cast<std::size_t>(kind)];
}

/// True for a tensor that some class of the families has: a pooler, another head, an old buffer.
inline bool is_known_part(std::string_view name) {
    constexpr std::array<std::string_view, 14> parts{"cls",
                                                     "classifier",
                                                     "qa_outputs",
                                                     "pre_classifier",
                                                     "lm_head",
                                                     "pooler",
                                                     "vocab_transform",
                                                     "vocab_layer_norm",
                                                     "vocab_projector",
                                                     "generator_predictions",
                                                     "generator_lm_head",
                                                     "discriminator_predictions",
                                                     "sequence_summary",
                                                     "position_ids"};
    return std::any_of(parts.begin(), parts.end(),
                       [&](std::string_view part) { return find_part(name, part) != name.npos; });
}

/// The heads of a folder, by its tensors, best first. One tensor, a BERT's classifier.weight,
/// may serve several; the class that config.json names comes first then, and heads that only share
/// its tensors are left out.
class FolderHeads {
public:
    FolderHeads(const NystromformerConfig& config, const Checkpoint& checkpoint)
        : names_(config, checkpoint), checkpoint_(checkpoint) {
        const std::string named = config.architectures.empty() ? "" : config.architectures.front();
        for (const HeadWords& head : head_words) {
            if (head.kind == HeadKind::none || !has(head.kind)) continue;
            kinds_.insert(is_of(named, head) ? kinds_.begin() : kinds_.end(), head.kind);
        }
        leave_one_classifier();
    }

    const std::vector<HeadKind>& kinds() const { return kinds_; }
    /// The best, or none.
    HeadKind first() const { return kinds_.empty() ? HeadKind::none : kinds_.front(); }

    /// True if the files hold both layers of the head.
    bool has(HeadKind kind) const {
        const auto& tensors = words_of(kind).tensors;
        return std::all_of(tensors.begin(), tensors.end(), [&](const char* tensor) {
            return *tensor == '\0' || checkpoint_.find(names_(tensor)) != nullptr;
        });
    }
    /// TensorError, which says what the folder holds and runs instead, unless it has the head.
    void require(HeadKind kind) const {
        if (has(kind)) return;
        const HeadWords& words = words_of(kind);
        std::string missing;
        for (const char* tensor : words.tensors)
            if (missing.empty() && !checkpoint_.find(names_(tensor))) missing = names_(tensor);
        throw TensorError({path_to_utf8(checkpoint_.source()), "tensor " + in_quotes(missing),
                           "the tensors of " + std::string(words.what),
                           "none of that name; " + held()});
    }
    /// "this folder holds a token classifier (NystromformerForTokenClassification): use tag".
    std::string held() const {
        std::string what, commands;
        for (const HeadKind kind : kinds_) {
            const HeadWords& words = words_of(kind);
            what.append(what.empty() ? "" : " and ").append(words.what);
            what.append(" (Nystromformer").append(words.suffix).append(")");
            commands.append(commands.empty() ? "" : ", ").append(words.commands);
        }
        if (kinds_.empty()) {
            what = "an encoder without a head that runs here";
            commands = words_of(HeadKind::none).commands;
        }
        return "this folder holds " + what + ": use " + commands;
    }

private:
    static bool is_of(std::string_view architecture, const HeadWords& head) {
        return architecture.ends_with(head.suffix) ||
               (head.kind == HeadKind::masked_lm && architecture.ends_with("ForPreTraining"));
    }
    static bool is_classifier(HeadKind kind) {
        return kind == HeadKind::sequence_classification || kind == HeadKind::multiple_choice ||
               kind == HeadKind::token_classification;
    }
    /// Of the heads that share classifier.weight the named one, else the first: that with more
    /// layers.
    void leave_one_classifier() {
        const auto first = std::find_if(kinds_.begin(), kinds_.end(), is_classifier);
        if (first == kinds_.end()) return;
        kinds_.erase(std::remove_if(first + 1, kinds_.end(), is_classifier), kinds_.end());
    }

    TensorNames names_;
    Checkpoint checkpoint_;
    std::vector<HeadKind> kinds_;
};

}  // namespace nystromformer::inline v0_2::detail
