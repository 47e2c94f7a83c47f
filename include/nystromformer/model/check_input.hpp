// SPDX-License-Identifier: MIT
// Checks a ModelInput once, before the first table is looked up.
#pragma once

#include <nystromformer/config.hpp>
#include <nystromformer/core/index.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/model_input.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail {

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

/// The row of each sequence's first token ([CLS]). InputError for wrong offsets.
template <typename Scalar>
std::span<const Index> first_rows(const ModelInput<Scalar>& input) {
    check_offsets(input.offsets);
    return std::span(input.offsets).first(static_cast<std::size_t>(input.num_sequences()));
}

/// InputError unless each of the wanted `rows` is below `count`.
inline void check_wanted(std::span<const Index> rows, Index count) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i] >= 0 && rows[i] < count) continue;
        throw InputError({"", "rows[" + std::to_string(i) + ']',
                          "0 to " + std::to_string(count - 1), std::to_string(rows[i])});
    }
}

/// LengthError for a sequence of more tokens than the position table has rows for.
template <typename Scalar>
void check_lengths(const ModelInput<Scalar>& input, const NystromformerConfig& config) {
    const Index most = config.max_length();
    const std::optional<Index> uncounted = config.uncounted_id();
    for (std::size_t i = 1; i < input.offsets.size(); ++i) {
        Index length = input.offsets[i] - input.offsets[i - 1];
        if (length > most && uncounted && !input.input_ids.empty()) {
            const auto ids = input.input_ids.begin();
            length -= std::count(ids + input.offsets[i - 1], ids + input.offsets[i], *uncounted);
        }
        if (length <= most) continue;
        throw LengthError({"", "", "at most the model's " + std::to_string(most) + " tokens",
                           std::to_string(length), i - 1},
                          static_cast<std::size_t>(length), static_cast<std::size_t>(most));
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
    const Index width = config.embedding_width();
    if (has_embeds && (input.inputs_embeds.rows() != rows || input.inputs_embeds.cols() != width)) {
        throw InputError({"", "inputs_embeds",
                          "(" + std::to_string(rows) + ", " + std::to_string(width) + ")",
                          "(" + std::to_string(input.inputs_embeds.rows()) + ", " +
                              std::to_string(input.inputs_embeds.cols()) + ")"});
    }
    if (!has_embeds && static_cast<Index>(input.input_ids.size()) != rows) {
        throw InputError({"", "input_ids", std::to_string(rows) + " ids, as the offsets say",
                          std::to_string(input.input_ids.size())});
    }
    check_rows("input_ids", input.input_ids, input.offsets, config.vocab_size);
    check_rows("attention_mask", input.attention_mask, input.offsets, 2);
    // A model without token types has no use for them, and transformers drops them, too.
    const Index types = config.type_vocab_size;
    check_rows("token_type_ids", input.token_type_ids, input.offsets, types == 0 ? 2 : types);
    check_rows("position_ids", input.position_ids, input.offsets, config.position_rows());
    if (input.position_ids.empty()) check_lengths(input, config);
}

/// Which of an input's labels a head makes a loss of.
struct LabelKinds {
    bool integers = false, numbers = false, positions = false;
};

/// InputError for labels that the head cannot use: transformers refuses them too.
template <typename Scalar>
void check_labels(const ModelInput<Scalar>& input, LabelKinds kinds) {
    const auto check = [](const char* field, bool given, bool usable, const char* expected) {
        if (given && !usable) throw InputError({"", field, expected, "some"});
    };
    check("labels", !input.labels.empty(), kinds.integers, "none: this head has no loss of labels");
    check("labels", !input.float_labels.empty(), kinds.numbers,
          kinds.integers ? "integers" : "none: this head has no loss of labels");
    const char* positions = "none: they are for question answering";
    check("start_positions", !input.start_positions.empty(), kinds.positions, positions);
    check("end_positions", !input.end_positions.empty(), kinds.positions, positions);
}

}  // namespace nystromformer::inline v0_2::detail
