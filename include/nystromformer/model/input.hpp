// SPDX-License-Identifier: MIT
// What a model reads: sequences stacked row after row, checked once before the first table is
// looked up.
#pragma once

#include <nystromformer/core/matrix.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model/config.hpp>

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer {

/// B sequences stacked into `rows` rows; sequence s has rows offsets[s] to offsets[s+1]. A padded
/// batch of Hugging Face (B, n) is B equal lengths and an attention_mask; texts without padding
/// have their own lengths.
template <typename Scalar = float>
struct ModelInput {
    std::vector<std::int64_t> input_ids;       ///< (rows), or empty with inputs_embeds
    Matrix<Scalar> inputs_embeds;              ///< (rows, hidden) in place of input_ids
    std::vector<Index> offsets;                ///< (B + 1), from 0 to rows
    std::vector<std::int64_t> attention_mask;  ///< (rows) of 1 and 0 (padding); empty: all 1
    std::vector<std::int64_t> token_type_ids;  ///< (rows); empty: all 0
    std::vector<std::int64_t>
        position_ids;  ///< (rows), rows of the position table; empty: 2, 3, ...

    /// For the loss: a class a row (masked LM, token classification; -100 is passed over), a
    /// sequence (sequence classification) or an example (multiple choice).
    std::vector<std::int64_t> labels;
    std::vector<double> float_labels;  ///< (B) or (B, num_labels): regression and multi-label
    std::vector<std::int64_t> start_positions;  ///< (B), question answering
    std::vector<std::int64_t> end_positions;    ///< (B)
    Index num_choices = 1;                      ///< multiple choice: sequences in one example

    /// A batch (batch_size, seq_length), row-major as Hugging Face has it.
    static ModelInput batch(std::vector<std::int64_t> ids, Index batch_size, Index seq_length) {
        ModelInput input;
        input.input_ids = std::move(ids);
        input.offsets = equal_offsets(batch_size, seq_length);
        return input;
    }
    /// Texts of any lengths, without padding.
    static ModelInput stacked(const std::vector<std::vector<std::int64_t>>& texts) {
        ModelInput input;
        input.offsets.push_back(0);
        for (const auto& ids : texts) {
            input.input_ids.insert(input.input_ids.end(), ids.begin(), ids.end());
            input.offsets.push_back(static_cast<Index>(input.input_ids.size()));
        }
        return input;
    }

    /// 0, n, 2 n, ..., B n. InputError where that is negative or more than 64 bits hold, and for
    /// sequences of no row, of which a file of no bytes could hold any number.
    static std::vector<Index> equal_offsets(Index batch_size, Index seq_length) {
        const bool are_rows =
            seq_length > 0 && batch_size <= std::numeric_limits<Index>::max() / seq_length;
        if (batch_size < 0 || seq_length < 0 || (batch_size > 0 && !are_rows)) {
            throw InputError({"", "batch",
                              "sequences of at least one row, in all no more than 64 bits hold",
                              std::to_string(batch_size) + " x " + std::to_string(seq_length)});
        }
        std::vector<Index> offsets;
        offsets.reserve(static_cast<std::size_t>(batch_size) + 1);
        for (Index i = 0; i <= batch_size; ++i) offsets.push_back(i * seq_length);
        return offsets;
    }

    Index num_sequences() const {
        return offsets.empty() ? 0 : static_cast<Index>(offsets.size()) - 1;
    }
    Index rows() const { return offsets.empty() ? 0 : offsets.back(); }
};

namespace detail {

/// "input_ids[1][7]": position 7 of sequence 1.
inline std::string row_name(std::string_view field, std::span<const Index> offsets, Index row) {
    std::size_t sequence = 0;
    while (sequence + 2 < offsets.size() && offsets[sequence + 1] <= row) ++sequence;
    return std::string(field) + '[' + std::to_string(sequence) + "][" +
           std::to_string(row - offsets[sequence]) + ']';
}

/// Every value in [0, limit), one a row, or none at all.
inline void check_rows(std::string_view field, const std::vector<std::int64_t>& values,
                       std::span<const Index> offsets, Index limit) {
    if (values.empty()) return;
    if (static_cast<Index>(values.size()) != offsets.back()) {
        throw InputError({"", std::string(field),
                          std::to_string(offsets.back()) + " values, one a row",
                          std::to_string(values.size())});
    }
    for (std::size_t row = 0; row < values.size(); ++row) {
        if (values[row] < 0 || values[row] >= limit) {
            throw InputError({"", row_name(field, offsets, static_cast<Index>(row)),
                              "0 to " + std::to_string(limit - 1), std::to_string(values[row])});
        }
    }
}

inline void check_offsets(std::span<const Index> offsets) {
    if (offsets.empty() || offsets.front() != 0) {
        throw InputError({"", "offsets", "0 first",
                          offsets.empty() ? "nothing" : std::to_string(offsets.front())});
    }
    for (std::size_t i = 1; i < offsets.size(); ++i) {
        if (offsets[i] <= offsets[i - 1]) {
            throw InputError({"", "offsets[" + std::to_string(i) + ']',
                              "more than " + std::to_string(offsets[i - 1]) +
                                  ": a sequence has at least one row",
                              std::to_string(offsets[i])});
        }
    }
}

/// InputError unless each of the `rows` that are asked for is one of `count`.
inline void check_wanted(std::span<const Index> rows, Index count) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i] >= 0 && rows[i] < count) continue;
        throw InputError({"", "rows[" + std::to_string(i) + ']',
                          "0 to " + std::to_string(count - 1), std::to_string(rows[i])});
    }
}

/// InputError unless every array of `input` fits the others and `config`.
template <typename Scalar>
void check_input(const ModelInput<Scalar>& input, const NystromformerConfig& config) {
    check_offsets(input.offsets);
    const Index rows = input.rows();
    const bool has_embeds = input.inputs_embeds.rows() > 0;
    if (has_embeds && !input.input_ids.empty()) {
        throw InputError({"", "input", "input_ids or inputs_embeds", "both"});
    }
    if (has_embeds &&
        (input.inputs_embeds.rows() != rows || input.inputs_embeds.cols() != config.hidden_size)) {
        throw InputError(
            {"", "inputs_embeds",
             "(" + std::to_string(rows) + ", " + std::to_string(config.hidden_size) + ")",
             "(" + std::to_string(input.inputs_embeds.rows()) + ", " +
                 std::to_string(input.inputs_embeds.cols()) + ")"});
    }
    if (!has_embeds && static_cast<Index>(input.input_ids.size()) != rows) {
        throw InputError({"", "input_ids", std::to_string(rows) + " ids, as the offsets say",
                          std::to_string(input.input_ids.size())});
    }
    check_rows("input_ids", input.input_ids, input.offsets, config.vocab_size);
    check_rows("attention_mask", input.attention_mask, input.offsets, 2);
    check_rows("token_type_ids", input.token_type_ids, input.offsets, config.type_vocab_size);
    check_rows("position_ids", input.position_ids, input.offsets,
               config.max_position_embeddings + 2);
    for (std::size_t i = 1; i < input.offsets.size(); ++i) {
        const Index length = input.offsets[i] - input.offsets[i - 1];
        if (input.position_ids.empty() && length > config.max_position_embeddings) {
            throw InputError({"", "sequence " + std::to_string(i - 1),
                              "at most max_position_embeddings " +
                                  std::to_string(config.max_position_embeddings) + " tokens",
                              std::to_string(length)});
        }
    }
}

/// Which of an input's labels a head makes a loss of.
struct LabelKinds {
    bool integers = false, numbers = false, positions = false;
};

/// InputError for labels that the head cannot use: transformers refuses them too.
template <typename Scalar>
void check_labels(const ModelInput<Scalar>& input, LabelKinds kinds) {
    const auto check = [](const char* field, bool given, bool taken, const char* expected) {
        if (given && !taken) throw InputError({"", field, expected, "some"});
    };
    check("labels", !input.labels.empty(), kinds.integers, "none: this head has no loss of labels");
    check("labels", !input.float_labels.empty(), kinds.numbers,
          kinds.integers ? "integers" : "none: this head has no loss of labels");
    const char* positions = "none: they are for question answering";
    check("start_positions", !input.start_positions.empty(), kinds.positions, positions);
    check("end_positions", !input.end_positions.empty(), kinds.positions, positions);
}

}  // namespace detail
}  // namespace nystromformer
