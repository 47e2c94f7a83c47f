// SPDX-License-Identifier: MIT
// The models, by Hugging Face's names: NystromformerModel, the encoder, and five with a head.
//
// To read how they compute: model/encoder.hpp (the layers), model/self_attention.hpp (one layer's
// attention) and model/nystrom.hpp (the paper's approximation).
#pragma once

#include <nystromformer/checkpoint.hpp>
#include <nystromformer/config.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/core/shared.hpp>
#include <nystromformer/forward_options.hpp>
#include <nystromformer/matrix.hpp>
#include <nystromformer/model/forward.hpp>
#include <nystromformer/model_input.hpp>
#include <nystromformer/model_output.hpp>
#include <nystromformer/options.hpp>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace nystromformer::inline v0_2 {

class StateWriter;
class ThreadPool;

/// The types that models compute in.
template <typename Scalar>
concept FloatOrDouble = std::same_as<Scalar, float> || std::same_as<Scalar, double>;

namespace detail {
template <typename Scalar, typename Head>
struct LoadedModel;
template <typename Scalar>
struct NoHead;
template <typename Scalar>
struct MaskedLMHead;
template <typename Scalar>
struct SequenceClassificationHead;
template <typename Scalar>
struct MultipleChoiceHead;
template <typename Scalar>
struct TokenClassificationHead;
template <typename Scalar>
struct QuestionAnsweringHead;
}  // namespace detail

/// What every model class has. A model is a handle to an immutable body: cheap to copy, safe to
/// call from several threads.
template <typename Model, typename Scalar, typename Head>
class PreTrainedModel {
    static_assert(FloatOrDouble<Scalar>, "a model computes in float or in double");

public:
    /// Loads a Hugging Face folder: config.json, and the weights as Checkpoint::open finds them.
    /// Errors: IoError, FormatError, UnsafePathError, ConfigError, TensorError, UnsupportedError,
    /// InputError.
    [[nodiscard]] static Model from_pretrained(const std::filesystem::path& folder,
                                               const LoadOptions& options = {});

    /// Loads from an open checkpoint. Errors: ConfigError, TensorError, UnsupportedError,
    /// InputError.
    [[nodiscard]] static Model from_checkpoint(const NystromformerConfig& config,
                                               const Checkpoint& checkpoint,
                                               const LoadOptions& options = {});

    /// Writes config.json and model.safetensors, which this library and transformers read.
    /// UnsupportedError for a model in bf16 or int8, which no longer has the numbers of its files;
    /// IoError.
    void save_pretrained(const std::filesystem::path& folder) const;
    /// Adds all tensors under their names in Hugging Face's files. UnsupportedError as above.
    void save(const StateWriter& writer) const;

    const NystromformerConfig& config() const&;
    NystromformerConfig config() const&& { return config(); }
    ThreadPool& threads() const&;
    ThreadPool& threads() const&& = delete;
    /// LoadOptions::precision; for `automatic` the precision that was chosen.
    Precision precision() const;
    /// Names of tensors in the files that this class does not use, such as those of another head.
    const std::vector<std::string>& unused_tensors() const&;
    std::vector<std::string> unused_tensors() const&& { return unused_tensors(); }
    /// The encoder without the head. Both share the weights.
    NystromformerModel<Scalar> base_model() const;
    /// Identifies the weights: the same for all models of one checkpoint, in every precision, and
    /// never 0. A copy by save_pretrained has its own. A hash, no protection against an attacker.
    std::uint64_t fingerprint() const;

    /// Internal: from the parts of a loaded model.
    explicit PreTrainedModel(detail::Shared<detail::LoadedModel<Scalar, Head>> body);

protected:
    detail::Shared<detail::LoadedModel<Scalar, Head>> body_;
};

/// The bare encoder.
template <typename Scalar>
class NystromformerModel
    : public PreTrainedModel<NystromformerModel<Scalar>, Scalar, detail::NoHead<Scalar>> {
public:
    using NystromformerModel::PreTrainedModel::PreTrainedModel;
    static constexpr const char* architecture = "NystromformerModel";

    /// (rows) ids to (rows, hidden) states. InputError if the input does not fit the model.
    [[nodiscard]] BaseModelOutput<Scalar> operator()(const ModelInput<Scalar>& input,
                                                     const ForwardOptions& options = {}) const;
    /// The same into `output`, whose memory is reused: a second call with the same lengths
    /// allocates nothing, unless it reports hidden states, attentions or residuals.
    void operator()(const ModelInput<Scalar>& input, const ForwardOptions& options,
                    BaseModelOutput<Scalar>& output) const;
    /// last_hidden_state at `rows` of the stacked input alone, in their order: (rows, hidden). The
    /// last layer computes only what they need. InputError for a row beyond the input.
    [[nodiscard]] BaseModelOutput<Scalar> states_at(const ModelInput<Scalar>& input,
                                                    std::span<const Index> rows,
                                                    const ForwardOptions& options = {}) const;
    [[nodiscard]] BaseModelOutput<Scalar> states_at(const ModelInput<Scalar>& input,
                                                    std::initializer_list<Index> rows,
                                                    const ForwardOptions& options = {}) const {
        return states_at(input, std::span<const Index>(rows.begin(), rows.size()), options);
    }
};

/// The tokens for the masks of a text.
template <typename Scalar>
class NystromformerForMaskedLM : public PreTrainedModel<NystromformerForMaskedLM<Scalar>, Scalar,
                                                        detail::MaskedLMHead<Scalar>> {
public:
    using NystromformerForMaskedLM::PreTrainedModel::PreTrainedModel;
    static constexpr const char* architecture = "NystromformerForMaskedLM";

    /// Logits (rows, vocab), and the cross entropy of `labels` if the input has any.
    [[nodiscard]] MaskedLMOutput<Scalar> operator()(const ModelInput<Scalar>& input,
                                                    const ForwardOptions& options = {}) const;
    /// Logits only for the `rows` of the stacked input: (rows.size(), vocab), in their order. The
    /// last layer computes only what they need. InputError for a row beyond the input.
    [[nodiscard]] Matrix<Scalar> logits_at(const ModelInput<Scalar>& input,
                                           const std::vector<Index>& rows,
                                           const ForwardOptions& options = {}) const;
    /// Receives the logits of rows[first] and of the rows after it: (count, vocab).
    using LogitsVisitor = std::function<void(Index first, const Matrix<Scalar>& logits)>;
    /// The same, a few rows at a time, so that memory does not grow with rows times vocabulary.
    void for_each_logits(const ModelInput<Scalar>& input, const std::vector<Index>& rows,
                         const ForwardOptions& options, const LogitsVisitor& body) const;
};

/// The class of a text.
template <typename Scalar>
class NystromformerForSequenceClassification
    : public PreTrainedModel<NystromformerForSequenceClassification<Scalar>, Scalar,
                             detail::SequenceClassificationHead<Scalar>> {
public:
    using NystromformerForSequenceClassification::PreTrainedModel::PreTrainedModel;
    static constexpr const char* architecture = "NystromformerForSequenceClassification";

    /// Logits (sequences, num_labels), and the loss if the input has labels or float_labels.
    [[nodiscard]] SequenceClassifierOutput<Scalar> operator()(
        const ModelInput<Scalar>& input, const ForwardOptions& options = {}) const;
};

/// The best of several texts.
template <typename Scalar>
class NystromformerForMultipleChoice
    : public PreTrainedModel<NystromformerForMultipleChoice<Scalar>, Scalar,
                             detail::MultipleChoiceHead<Scalar>> {
public:
    using NystromformerForMultipleChoice::PreTrainedModel::PreTrainedModel;
    static constexpr const char* architecture = "NystromformerForMultipleChoice";

    /// Logits (examples, num_choices), each example being `input.num_choices` consecutive
    /// sequences; and the cross entropy of `labels` (a choice for each example) if there are any.
    [[nodiscard]] MultipleChoiceModelOutput<Scalar> operator()(
        const ModelInput<Scalar>& input, const ForwardOptions& options = {}) const;
};

/// The class of each token.
template <typename Scalar>
class NystromformerForTokenClassification
    : public PreTrainedModel<NystromformerForTokenClassification<Scalar>, Scalar,
                             detail::TokenClassificationHead<Scalar>> {
public:
    using NystromformerForTokenClassification::PreTrainedModel::PreTrainedModel;
    static constexpr const char* architecture = "NystromformerForTokenClassification";

    /// Logits (rows, num_labels), and the cross entropy of `labels` if the input has any.
    [[nodiscard]] TokenClassifierOutput<Scalar> operator()(
        const ModelInput<Scalar>& input, const ForwardOptions& options = {}) const;
};

/// Where in a text an answer begins and ends.
template <typename Scalar>
class NystromformerForQuestionAnswering
    : public PreTrainedModel<NystromformerForQuestionAnswering<Scalar>, Scalar,
                             detail::QuestionAnsweringHead<Scalar>> {
public:
    using NystromformerForQuestionAnswering::PreTrainedModel::PreTrainedModel;
    static constexpr const char* architecture = "NystromformerForQuestionAnswering";

    /// Start and end logits (rows, 1), and the mean of both cross entropies if the input has the
    /// positions.
    [[nodiscard]] QuestionAnsweringModelOutput<Scalar> operator()(
        const ModelInput<Scalar>& input, const ForwardOptions& options = {}) const;
};

}  // namespace nystromformer::inline v0_2

#include <nystromformer/model/heads.hpp>

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/model/model_classes.hpp>
#endif
