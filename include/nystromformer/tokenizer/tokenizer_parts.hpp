// SPDX-License-Identifier: MIT
// Everything that a tokenizer.json holds, read.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/tokenizer/added_tokens.hpp>
#include <nystromformer/tokenizer/component.hpp>
#include <nystromformer/tokenizer/decoders/decoders.hpp>
#include <nystromformer/tokenizer/models/model.hpp>
#include <nystromformer/tokenizer/normalizers/normalizers.hpp>
#include <nystromformer/tokenizer/post_processors/post_processor.hpp>
#include <nystromformer/tokenizer/pre_tokenizers/pre_tokenizers.hpp>
#include <nystromformer/tokenizer/text_encoder.hpp>
#include <nystromformer/tokenizer/tokenizer_file.hpp>
#include <nystromformer/tokenizer/truncation.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// The parts of a tokenizer, in the order in which they see a text.
struct TokenizerParts {
    AddedTokens added_tokens;
    std::vector<Normalizer> normalizers;
    std::vector<PreTokenizer> pre_tokenizers;
    Model model;
    Truncation truncation;
    std::optional<PostProcessor> post_processor;
    Padding padding;
    std::optional<std::vector<Decoder>> decoders;  // none: tokens joined by spaces
    bool works_in_parts = false;
    bool has_continuing_subword_prefix = false;

    /// Reads `file`, whose lists are taken out of it. Throws FormatError, TokenizerError or
    /// UnsupportedError.
    static TokenizerParts load(TokenizerFile& file) {
        TokenizerParts result;
        file.pieces.settle(file.budget);
        file.merges.settle(file.budget);
        const TokenizerJson json = file.root();
        if (json.object().has("version") && json.at("version").string() != "1.0")
            json.at("version").fail("\"1.0\"");
        const auto model = json.at("model");
        result.model = Model::load(file);
        result.has_continuing_subword_prefix =
            model.holds("continuing_subword_prefix") &&
            !model.at("continuing_subword_prefix").string().empty();
        ComponentLimits limits{file.budget};
        if (json.holds("normalizer"))
            read_components(json.at("normalizer"), "normalizers", limits, result.normalizers);
        if (json.holds("pre_tokenizer"))
            read_components(json.at("pre_tokenizer"), "pretokenizers", limits,
                            result.pre_tokenizers);
        result.added_tokens = AddedTokens(file, result.model, result.normalizers);
        result.works_in_parts = TextEncoder::can_work_in_parts(
            result.added_tokens, result.normalizers, result.pre_tokenizers);
        limits.vocab_size = result.vocab_size();
        if (file.post_processor) {
            file.json.value["post_processor"] = file.post_processor(
                [&](std::string_view token) { return result.token_to_id(token); });
        }
        if (json.holds("post_processor"))
            result.post_processor = PostProcessor::load(json.at("post_processor"), limits);
        if (json.holds("decoder"))
            read_components(json.at("decoder"), "decoders", limits, result.decoders.emplace());
        result.truncation.strategy = TruncationStrategy::do_not_truncate;
        result.padding.strategy = PaddingStrategy::do_not_pad;
        if (json.holds("truncation")) result.truncation = read_truncation(json.at("truncation"));
        if (json.holds("padding")) result.padding = read_padding(json.at("padding"));
        return result;
    }

    std::optional<std::int64_t> token_to_id(std::string_view token) const {
        if (const auto* added = added_tokens.find(token)) return added->id;
        const std::int32_t id = model.find(token);
        return id < 0 ? std::nullopt : std::optional<std::int64_t>(id);
    }

    /// Ids are below this.
    Index vocab_size() const { return std::max(model.id_end(), added_tokens.id_end()); }
};

}  // namespace nystromformer::inline v0_2::detail
