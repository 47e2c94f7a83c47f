// SPDX-License-Identifier: MIT
// ModelInput: what a model reads, sequences stacked row after row.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/matrix.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

/// B sequences stacked into `rows` rows; sequence s has rows offsets[s] to offsets[s+1]. A padded
/// batch of Hugging Face (B, n) is B equal lengths and an attention_mask; texts without padding
/// have their own lengths. As in Hugging Face, the convolution and the landmarks also see rows of
/// padding: the states of a padded text differ from those of the text alone.
template <typename Scalar = float>
struct ModelInput {
    std::vector<std::int64_t> input_ids = {};       ///< (rows), or empty with inputs_embeds
    Matrix<Scalar> inputs_embeds = {};              ///< (rows, hidden) in place of input_ids
    std::vector<Index> offsets = {};                ///< (B + 1), from 0 to rows
    std::vector<std::int64_t> attention_mask = {};  ///< (rows) of 1 and 0 (padding); empty: all 1
    std::vector<std::int64_t> token_type_ids = {};  ///< (rows); empty: all 0
    /// (rows), rows of the position table. Empty: counted from first_position() of the config.
    std::vector<std::int64_t> position_ids = {};

    /// For the loss: one class for each row (masked LM, token classification; -100 is ignored),
    /// sequence (sequence classification) or example (multiple choice).
    std::vector<std::int64_t> labels = {};
    std::vector<double> float_labels = {};  ///< (B) or (B, num_labels): regression and multi-label
    std::vector<std::int64_t> start_positions = {};  ///< (B), question answering
    std::vector<std::int64_t> end_positions = {};    ///< (B)
    Index num_choices = 1;                           ///< multiple choice: sequences in one example

    /// A batch (batch_size, seq_length), row-major as in Hugging Face.
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

    /// Adds an Encoding (or anything with ids, type_ids and attention_mask), padded or not, as the
    /// next sequence. Without type_ids they are all 0, without a mask nothing is padding. The
    /// windows in its `overflowing` are not added. InputError if an id lacks its mask or type, and
    /// if input_ids has rows without offsets.
    template <typename Encoding>
    void append(const Encoding& encoding) {
        const std::size_t before = input_ids.size(), after = before + encoding.ids.size();
        if (offsets.empty() && before > 0)
            throw InputError({"", "offsets", "the ends of the sequences in input_ids", "nothing"});
        const auto& mask = encoding.attention_mask;
        const auto& types = encoding.type_ids;
        for (const std::size_t size : {mask.size(), types.size()}) {
            if (size == 0 || size == encoding.ids.size()) continue;
            throw InputError({"", "encoding",
                              std::to_string(encoding.ids.size()) +
                                  " values in attention_mask and type_ids, one for each id",
                              std::to_string(size)});
        }
        const auto add = [&](auto& to, const auto& from, std::int64_t otherwise) {
            if (to.empty()) to.resize(before, otherwise);
            to.insert(to.end(), from.begin(), from.end());
            if (from.empty()) to.resize(after, otherwise);
        };
        const bool is_padded = std::find(mask.begin(), mask.end(), 0) != mask.end();
        if (is_padded || !attention_mask.empty()) add(attention_mask, mask, 1);
        if (!types.empty() || !token_type_ids.empty()) add(token_type_ids, types, 0);
        input_ids.insert(input_ids.end(), encoding.ids.begin(), encoding.ids.end());
        if (offsets.empty()) offsets.push_back(0);
        offsets.push_back(static_cast<Index>(after));
    }
    /// The same for several encodings. The input has a mask only if one of them is padded.
    template <typename Encodings>
    requires requires(const Encodings& range) { range.begin(); }
    static ModelInput of_encodings(const Encodings& encodings) {
        ModelInput input;
        input.offsets.push_back(0);
        for (const auto& encoding : encodings) input.append(encoding);
        return input;
    }
    template <typename Encoding>
    static ModelInput of_encodings(std::initializer_list<Encoding> encodings) {
        return of_encodings<std::initializer_list<Encoding>>(encodings);
    }

    /// 0, n, 2 n, ..., B n. InputError for negative numbers, for more rows than 64 bits count, and
    /// for sequences without rows, of which an empty file could claim any number.
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

}  // namespace nystromformer::inline v0_2
