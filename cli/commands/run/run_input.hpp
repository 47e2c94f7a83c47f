// SPDX-License-Identifier: MIT
// The input file of `nystromformer run`: tensors, checked against each other.
#pragma once

#include <nystromformer/models.hpp>
#include <nystromformer/safetensors.hpp>
#include <nystromformer/text.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace run_command {

namespace nf = nystromformer;
using nystromformer::Index;

/// The input file: every tensor is one that this program knows and has the shape that the ids say.
class RunInput {
public:
    RunInput(const std::string& path, bool has_choices)
        : path_(path),
          file_(nf::SafetensorsFile::open(nf::path_from_utf8(path))),
          rank_(has_choices ? 3 : 2) {
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
                 nf::shape_text(shape_));
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
                 nf::shape_text(own->shape));
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
            fail("tensors", "only " + names, nf::in_quotes(tensor.name));
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
            fail(name, "the shape " + nf::shape_text(shape_), nf::shape_text(tensor->shape));
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

}  // namespace run_command
