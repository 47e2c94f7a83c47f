// SPDX-License-Identifier: MIT
// The bodies of the model classes.
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/config.hpp>
#include <nystromformer/core/file.hpp>
#include <nystromformer/core/path_text.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/check_input.hpp>
#include <nystromformer/model/classification.hpp>
#include <nystromformer/model/config_checks.hpp>
#include <nystromformer/model/family.hpp>
#include <nystromformer/model/head_kind.hpp>
#include <nystromformer/model/loaded_model.hpp>
#include <nystromformer/model/loss.hpp>
#include <nystromformer/model/masked_lm.hpp>
#include <nystromformer/model/model_body.hpp>
#include <nystromformer/model/question_answering.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/state_dict.hpp>
#include <nystromformer/threads.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

template <typename Model, typename Scalar, typename Head>
PreTrainedModel<Model, Scalar, Head>::PreTrainedModel(
    detail::Shared<detail::LoadedModel<Scalar, Head>> body)
    : body_(std::move(body)) {}

template <typename Model, typename Scalar, typename Head>
Model PreTrainedModel<Model, Scalar, Head>::from_pretrained(const std::filesystem::path& folder,
                                                            const LoadOptions& options) {
    const auto config = NystromformerConfig::from_pretrained(folder, detail::file_options(options));
    return from_checkpoint(config, Checkpoint::open(folder, detail::file_options(options)),
                           options);
}

template <typename Model, typename Scalar, typename Head>
Model PreTrainedModel<Model, Scalar, Head>::from_checkpoint(const NystromformerConfig& config,
                                                            const Checkpoint& checkpoint,
                                                            const LoadOptions& options) {
    using Loaded = detail::LoadedModel<Scalar, Head>;
    detail::check_config(config);
    return Model(detail::Shared<Loaded>(
        std::make_shared<const Loaded>(Loaded::load(config, checkpoint, options))));
}

template <typename Model, typename Scalar, typename Head>
void PreTrainedModel<Model, Scalar, Head>::save_pretrained(
    const std::filesystem::path& folder) const {
    const StateWriter writer;
    save(writer);
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) throw IoError({path_to_utf8(folder), "", "a folder to write to", error.message()});
    writer.write(folder / "model.safetensors");
    NystromformerConfig config = body_->config;
    config.architectures = {std::string(detail::family_of(config.model_type).class_prefix) +
                            std::string(detail::words_of(Head::kind).suffix)};
    detail::write_file(folder / "config.json", config.to_json());
}

template <typename Model, typename Scalar, typename Head>
void PreTrainedModel<Model, Scalar, Head>::save(const StateWriter& writer) const {
    body_->save(writer);
}

template <typename Model, typename Scalar, typename Head>
const NystromformerConfig& PreTrainedModel<Model, Scalar, Head>::config() const& {
    return body_->config;
}
template <typename Model, typename Scalar, typename Head>
ThreadPool& PreTrainedModel<Model, Scalar, Head>::threads() const& {
    return *body_->threads;
}
template <typename Model, typename Scalar, typename Head>
Precision PreTrainedModel<Model, Scalar, Head>::precision() const {
    return body_->precision;
}
template <typename Model, typename Scalar, typename Head>
const std::vector<std::string>& PreTrainedModel<Model, Scalar, Head>::unused_tensors() const& {
    return body_->unused_tensors;
}

template <typename Model, typename Scalar, typename Head>
std::uint64_t PreTrainedModel<Model, Scalar, Head>::fingerprint() const {
    return body_->fingerprint;
}

template <typename Model, typename Scalar, typename Head>
NystromformerModel<Scalar> PreTrainedModel<Model, Scalar, Head>::base_model() const {
    using Loaded = detail::LoadedModel<Scalar, detail::NoHead<Scalar>>;
    return NystromformerModel<Scalar>(
        detail::Shared<Loaded>(std::make_shared<const Loaded>(Loaded{body_->nystromformer,
                                                                     {},
                                                                     body_->config,
                                                                     body_->threads,
                                                                     body_->precision,
                                                                     {},
                                                                     body_->fingerprint})));
}

template <typename Scalar>
BaseModelOutput<Scalar> NystromformerModel<Scalar>::operator()(
    const ModelInput<Scalar>& input, const ForwardOptions& options) const {
    detail::check_labels(input, {});
    return this->body_->encode(input, options);
}
template <typename Scalar>
void NystromformerModel<Scalar>::operator()(const ModelInput<Scalar>& input,
                                            const ForwardOptions& options,
                                            BaseModelOutput<Scalar>& output) const {
    detail::check_labels(input, {});
    this->body_->encode(input, options, {}, output);
}
template <typename Scalar>
BaseModelOutput<Scalar> NystromformerModel<Scalar>::states_at(const ModelInput<Scalar>& input,
                                                              std::span<const Index> rows,
                                                              const ForwardOptions& options) const {
    detail::check_offsets(input.offsets);
    detail::check_wanted(rows, input.rows());
    auto output = this->body_->encode(input, options, rows);  // no rows are all of them there
    if (rows.empty()) output.last_hidden_state.resize(0, this->config().hidden_size);
    return output;
}

template <typename Scalar>
MaskedLMOutput<Scalar> NystromformerForMaskedLM<Scalar>::operator()(
    const ModelInput<Scalar>& input, const ForwardOptions& options) const {
    detail::check_labels(input, {.integers = true});
    auto output = this->body_->encode(input, options);
    auto logits = this->body_->logits(output);  // (rows, vocab)
    MaskedLMOutput<Scalar> result{std::move(output), {}, std::move(logits)};
    if (!input.labels.empty())
        result.loss = detail::cross_entropy<Scalar>(result.logits, input.labels);
    return result;
}
template <typename Scalar>
Matrix<Scalar> NystromformerForMaskedLM<Scalar>::logits_at(const ModelInput<Scalar>& input,
                                                           const std::vector<Index>& rows,
                                                           const ForwardOptions& options) const {
    detail::check_offsets(input.offsets);
    detail::check_wanted(rows, input.rows());
    if (rows.empty()) return Matrix<Scalar>(0, this->config().vocab_size);
    return this->body_->logits(this->body_->encode(input, options, rows));
}

template <typename Scalar>
void NystromformerForMaskedLM<Scalar>::for_each_logits(const ModelInput<Scalar>& input,
                                                       const std::vector<Index>& rows,
                                                       const ForwardOptions& options,
                                                       const LogitsVisitor& body) const {
    constexpr Index max_logits = Index{1} << 22;  // at once
    detail::check_offsets(input.offsets);
    detail::check_wanted(rows, input.rows());
    if (rows.empty()) return;
    const auto output = this->body_->encode(input, options, rows);
    const auto& states = output.last_hidden_state;
    const Index block = std::max<Index>(1, max_logits / this->config().vocab_size);
    for (Index first = 0; first < states.rows(); first += block) {
        const Index count = std::min(block, states.rows() - first);
        body(first, this->body_->head(states.middleRows(first, count), this->threads()));
    }
}

template <typename Scalar>
SequenceClassifierOutput<Scalar> NystromformerForSequenceClassification<Scalar>::operator()(
    const ModelInput<Scalar>& input, const ForwardOptions& options) const {
    detail::check_labels(input, {.integers = true, .numbers = true});
    auto output = this->body_->encode(input, options, detail::first_rows(input));
    auto logits = this->body_->logits(output);  // (sequences, num_labels)
    SequenceClassifierOutput<Scalar> result{std::move(output), {}, std::move(logits)};
    if (!input.labels.empty() || !input.float_labels.empty())
        result.loss = detail::classification_loss(result.logits, input, this->config());
    return result;
}

template <typename Scalar>
MultipleChoiceModelOutput<Scalar> NystromformerForMultipleChoice<Scalar>::operator()(
    const ModelInput<Scalar>& input, const ForwardOptions& options) const {
    detail::check_labels(input, {.integers = true});
    if (input.num_choices < 1 || input.num_sequences() % input.num_choices != 0) {
        throw InputError(
            {"", "num_choices",
             "a divisor of the " + std::to_string(input.num_sequences()) + " sequences",
             std::to_string(input.num_choices)});
    }
    auto output = this->body_->encode(input, options, detail::first_rows(input));
    auto logits = this->body_->logits(output);  // (sequences, 1)
    logits.resize(logits.rows() / input.num_choices, input.num_choices);
    MultipleChoiceModelOutput<Scalar> result{std::move(output), {}, std::move(logits)};
    if (!input.labels.empty())
        result.loss = detail::cross_entropy<Scalar>(result.logits, input.labels);
    return result;
}

template <typename Scalar>
TokenClassifierOutput<Scalar> NystromformerForTokenClassification<Scalar>::operator()(
    const ModelInput<Scalar>& input, const ForwardOptions& options) const {
    detail::check_labels(input, {.integers = true});
    auto output = this->body_->encode(input, options);
    auto logits = this->body_->logits(output);  // (rows, num_labels)
    TokenClassifierOutput<Scalar> result{std::move(output), {}, std::move(logits)};
    if (!input.labels.empty())
        result.loss = detail::cross_entropy<Scalar>(result.logits, input.labels);
    return result;
}

template <typename Scalar>
QuestionAnsweringModelOutput<Scalar> NystromformerForQuestionAnswering<Scalar>::operator()(
    const ModelInput<Scalar>& input, const ForwardOptions& options) const {
    detail::check_labels(input, {.positions = true});
    auto output = this->body_->encode(input, options);
    const Matrix<Scalar> logits = this->body_->logits(output);  // (rows, 2)
    QuestionAnsweringModelOutput<Scalar> result{
        std::move(output), {}, Matrix<Scalar>(logits.rows(), 1), Matrix<Scalar>(logits.rows(), 1)};
    if (logits.rows() > 0) {  // an empty batch has no columns to point to
        result.start_logits = logits.col(0);
        result.end_logits = logits.col(1);
    }
    if (!input.start_positions.empty() && !input.end_positions.empty()) {
        const double start = detail::position_loss(result.start_logits, input,
                                                   input.start_positions, "start_positions");
        const double end =
            detail::position_loss(result.end_logits, input, input.end_positions, "end_positions");
        result.loss = (start + end) / 2;
    }
    return result;
}

}  // namespace nystromformer::inline v0_2
