// SPDX-License-Identifier: MIT
// The output file of `nystromformer run`: what a head returned, as tensors.
#pragma once

#include "commands/run/run_input.hpp"

#include <nystromformer/models.hpp>
#include <nystromformer/safetensors.hpp>
#include <nystromformer/text.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace run_command {

namespace nf = nystromformer;
using nystromformer::Index;

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

    void write(const std::string& path) const {
        nf::save_safetensors(nf::path_from_utf8(path), views_, {});
    }

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

}  // namespace run_command
