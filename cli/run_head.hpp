// SPDX-License-Identifier: MIT
// `nystromformer run` for one scalar: reads the input's tensors, runs the head, writes what it
// returns.
#pragma once

#include "run_command.hpp"

#include <nystromformer/checkpoint/tensor_layout.hpp>
#include <nystromformer/models.hpp>
#include <nystromformer/safetensors.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace command_line {

namespace nf = nystromformer;

/// The input file: every tensor is one that this program knows and has the shape that the ids say.
class RunInput {
public:
    RunInput(const std::string& path, bool has_choices)
        : path_(path), file_(nf::SafetensorsFile::open(path)), rank_(has_choices ? 3 : 2) {
        refuse_unknown();
        const nf::TensorView* ids = file_.find("input_ids");
        const nf::TensorView* embeds = file_.find("inputs_embeds");
        if ((ids == nullptr) == (embeds == nullptr)) {
            fail("tensors", "input_ids or inputs_embeds", ids ? "both" : "neither");
        }
        shape_ = ids ? ids->shape : embeds->shape;
        if (shape_.size() != rank_ + (embeds ? 1 : 0)) {
            fail(ids ? "input_ids" : "inputs_embeds",
                 std::string("the shape [batch, ") + (has_choices ? "choices, " : "") + "length" +
                     (embeds ? ", hidden]" : "]"),
                 nf::detail::shape_text(shape_));
        }
        shape_.resize(rank_);
    }

    Index batch() const { return shape_[0]; }
    Index choices() const { return rank_ == 3 ? shape_[1] : 1; }
    Index length() const { return shape_.back(); }
    Index sequences() const { return batch() * choices(); }

    /// The tensors as a model of `config` takes them.
    template <typename Scalar>
    nf::ModelInput<Scalar> read(const nf::NystromformerConfig& config) const {
        const auto* own = file_.find("inputs_embeds");
        // Before anything is made: with no column, a file of no bytes holds any number of rows.
        if (own != nullptr && own->shape.back() != config.embedding_width()) {
            fail("inputs_embeds",
                 (config.embedding_size ? "embedding_size " : "hidden_size ") +
                     std::to_string(config.embedding_width()) + " columns",
                 nf::detail::shape_text(own->shape));
        }
        nf::ModelInput<Scalar> input;
        input.offsets = nf::ModelInput<Scalar>::equal_offsets(sequences(), length());
        if (const auto* embeds = file_.find("inputs_embeds")) {
            input.inputs_embeds.resize(sequences() * length(), embeds->shape.back());
            nf::convert(*embeds, input.inputs_embeds.data());
        }
        input.input_ids = rows("input_ids");
        input.attention_mask = rows("attention_mask");
        input.token_type_ids = rows("token_type_ids");
        input.position_ids = rows("position_ids");
        input.num_choices = choices();
        const auto* labels = file_.find("labels");
        if (labels != nullptr && !nf::is_integer(labels->dtype)) {
            input.float_labels.resize(static_cast<std::size_t>(labels->size()));
            nf::convert(*labels, input.float_labels.data());
        } else {
            input.labels = integers("labels");
        }
        input.start_positions = integers("start_positions");
        input.end_positions = integers("end_positions");
        return input;
    }

private:
    [[noreturn]] void fail(std::string place, std::string expected, std::string found) const {
        throw nf::InputError({path_, std::move(place), std::move(expected), std::move(found)});
    }

    void refuse_unknown() const {
        static constexpr std::array known{"input_ids",       "inputs_embeds", "attention_mask",
                                          "token_type_ids",  "position_ids",  "labels",
                                          "start_positions", "end_positions"};
        for (const nf::TensorView& tensor : file_.tensors()) {
            if (std::find(known.begin(), known.end(), tensor.name) != known.end()) continue;
            std::string names;
            for (const char* name : known) names += (names.empty() ? "" : ", ") + std::string(name);
            fail("tensors", "only " + names, nf::detail::in_quotes(tensor.name));
        }
    }

    std::vector<std::int64_t> integers(const char* name) const {
        const auto* tensor = file_.find(name);
        return tensor ? nf::to_int64(*tensor) : std::vector<std::int64_t>{};
    }

    /// One value a row, from the shape of the ids, or from [1, length], which counts for every
    /// sequence.
    std::vector<std::int64_t> rows(const char* name) const {
        std::vector<std::int64_t> values = integers(name);
        const auto* tensor = file_.find(name);
        if (tensor == nullptr || tensor->shape == shape_) return values;
        if (tensor->shape != std::vector<Index>{1, length()} || rank_ != 2) {
            fail(name, "the shape " + nf::detail::shape_text(shape_),
                 nf::detail::shape_text(tensor->shape));
        }
        std::vector<std::int64_t> repeated;
        for (Index i = 0; i < batch(); ++i)
            repeated.insert(repeated.end(), values.begin(), values.end());
        return repeated;
    }

    std::string path_;
    nf::SafetensorsFile file_;
    std::size_t rank_;
    std::vector<Index> shape_;
};

/// The output file's tensors. What is added by reference must outlive `write`.
template <typename Scalar>
class RunOutput {
public:
    explicit RunOutput(const RunInput& input) : input_(input) {}

    void add(std::string name, std::vector<Index> shape, std::span<const Scalar> values) {
        nf::TensorView view;
        view.name = std::move(name);
        view.dtype = sizeof(Scalar) == sizeof(float) ? nf::DType::f32 : nf::DType::f64;
        view.shape = std::move(shape);
        view.bytes = std::as_bytes(values);
        views_.push_back(std::move(view));
    }
    /// (sequences * length, columns), as [sequences, length, columns].
    void add_rows(std::string name, const nf::Matrix<Scalar>& matrix) {
        add(std::move(name), {input_.sequences(), input_.length(), matrix.cols()}, values(matrix));
    }
    void add_matrix(std::string name, const nf::Matrix<Scalar>& matrix) {
        add(std::move(name), {matrix.rows(), matrix.cols()}, values(matrix));
    }
    void add_loss(const std::optional<double>& loss) {
        if (loss) add("loss", {}, kept_.emplace_back(1, static_cast<Scalar>(*loss)));
    }
    void add_report(const nf::EncoderReport<Scalar>& report) {
        for (std::size_t i = 0; i < report.hidden_states.size(); ++i) {
            add_rows("hidden_states." + std::to_string(i), report.hidden_states[i]);
        }
        for (std::size_t i = 0; i < report.attentions.size(); ++i) {
            add_attentions("attentions." + std::to_string(i), report.attentions[i]);
        }
    }

    void add_result(const nf::BaseModelOutput<Scalar>& output) {
        add_rows("last_hidden_state", output.last_hidden_state);
    }
    void add_result(const nf::MaskedLMOutput<Scalar>& output) { add_rows("logits", output.logits); }
    void add_result(const nf::TokenClassifierOutput<Scalar>& output) {
        add_rows("logits", output.logits);
    }
    void add_result(const nf::SequenceClassifierOutput<Scalar>& output) {
        add_matrix("logits", output.logits);
    }
    void add_result(const nf::MultipleChoiceModelOutput<Scalar>& output) {
        add_matrix("logits", output.logits);
    }
    void add_result(const nf::QuestionAnsweringModelOutput<Scalar>& output) {
        add("start_logits", {input_.sequences(), input_.length()}, values(output.start_logits));
        add("end_logits", {input_.sequences(), input_.length()}, values(output.end_logits));
    }

    void write(const std::string& path) const { nf::save_safetensors(path, views_, {}); }

private:
    static std::span<const Scalar> values(const nf::Matrix<Scalar>& matrix) {
        return {matrix.data(), static_cast<std::size_t>(matrix.size())};
    }

    /// One matrix a (sequence, head), as [sequences, heads, n, n or landmarks].
    void add_attentions(std::string name, const std::vector<nf::Matrix<Scalar>>& matrices) {
        std::vector<Scalar>& all = kept_.emplace_back();
        for (const auto& matrix : matrices) {
            const auto of_head = values(matrix);
            all.insert(all.end(), of_head.begin(), of_head.end());
        }
        const Index count = static_cast<Index>(matrices.size());
        const Index rows = count > 0 ? matrices[0].rows() : 0,
                    columns = count > 0 ? matrices[0].cols() : 0;
        add(std::move(name),
            {input_.sequences(), count / std::max<Index>(input_.sequences(), 1), rows, columns},
            all);
    }

    const RunInput& input_;
    std::vector<nf::TensorView> views_;
    std::deque<std::vector<Scalar>> kept_;
};

inline nf::ForwardOptions forward_options(const RunOptions& options) {
    nf::ForwardOptions forward;
    forward.attention = options.attention_mode();
    forward.num_landmarks = options.landmarks;
    if (options.inverse == "batch") forward.inverse = nf::InverseInit::batch;
    if (options.inverse == "sequence") forward.inverse = nf::InverseInit::sequence;
    if (options.inverse == "matrix") forward.inverse = nf::InverseInit::matrix;
    forward.output_hidden_states = options.hidden_states;
    forward.output_attentions = options.attentions;
    return forward;
}

template <typename Scalar, template <typename> typename Model>
void run_model(const RunOptions& options) {
    const RunInput input(options.input, options.head == "multiple-choice");
    const auto model = Model<Scalar>::from_pretrained(options.model, options.load_options());
    options.note_idle_landmarks(model.config());
    const auto result = model(input.read<Scalar>(model.config()), forward_options(options));
    RunOutput<Scalar> output(input);
    output.add_result(result);
    output.add_report(result);
    if constexpr (requires { result.loss; }) output.add_loss(result.loss);
    output.write(options.output);
}

template <typename Scalar>
void run_head(const RunOptions& options) {
    nf::for_each_head([&]<template <typename> typename Model>(nf::HeadName<Model> head) {
        if (options.head == head.name) run_model<Scalar, Model>(options);
    });
}

}  // namespace command_line
