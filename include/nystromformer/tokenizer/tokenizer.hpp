// SPDX-License-Identifier: MIT
// Tokenizer: executes a Hugging Face tokenizer.json; text to ids with offsets, and back.
#pragma once

#include <nystromformer/core/error.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/tokenizer/added_tokens.hpp>
#include <nystromformer/tokenizer/components.hpp>
#include <nystromformer/tokenizer/encoding.hpp>
#include <nystromformer/tokenizer/post_processor.hpp>
#include <nystromformer/tokenizer/special_names.hpp>
#include <nystromformer/tokenizer/text_encoder.hpp>
#include <nystromformer/tokenizer/truncation.hpp>
#include <nystromformer/tokenizer/unigram.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer {

/// How to encode. Without truncation or padding here, those of tokenizer.json are at work;
/// do_not_truncate and do_not_pad switch them off.
struct EncodeOptions {
    bool add_special_tokens = true;
    std::optional<Truncation> truncation = std::nullopt;
    std::optional<Padding> padding = std::nullopt;
};

struct DecodeOptions {
    bool skip_special_tokens = true;
};

/// A tokenizer; immutable after loading, so one may serve any number of threads.
///
/// Text is UTF-8. Each ill-formed subpart (as Python's errors="replace" counts them) is read as one
/// U+FFFD, whose offsets cover the bytes that it stands for. A text may have at most 2^32 - 2
/// bytes.
class Tokenizer {
public:
    /// Reads tokenizer.json, and tokenizer_config.json and special_tokens_map.json where present.
    /// Throws IoError, FormatError, TokenizerError or UnsupportedError, each with the JSON path.
    static Tokenizer from_pretrained(const std::filesystem::path& folder) {
        constexpr std::uint64_t most_bytes = 64U << 20;
        const auto path = folder / "tokenizer.json";
        Tokenizer result = from_json(detail::read_file(path, most_bytes), path.string());
        result.names_ = detail::SpecialNames::load(folder);
        return result;
    }

    /// Reads the text of a tokenizer.json; `file` names it in errors.
    static Tokenizer from_json(std::string_view text, const std::string& file = "tokenizer.json") {
        const detail::Json root = detail::parse_json(text, file);
        const detail::TokenizerJson json(root, file);
        Tokenizer result;
        if (json.object().has("version") && json.at("version").string() != "1.0")
            json.at("version").fail("\"1.0\"");
        const auto model = json.at("model").object();
        // Files of 2020 do not name the type; only a Unigram has an unk_id.
        if (model.has("type") && model.at("type").string() != "Unigram")
            detail::refuse_component(model.at("type"), "Unigram");
        result.model_ = detail::Unigram::load(model);
        result.has_continuing_subword_prefix_ =
            model.holds("continuing_subword_prefix") &&
            !model.at("continuing_subword_prefix").string().empty();
        if (json.holds("normalizer"))
            detail::read_normalizers(json.at("normalizer"), result.normalizers_);
        if (json.holds("pre_tokenizer"))
            detail::read_pre_tokenizers(json.at("pre_tokenizer"), result.pre_tokenizers_);
        if (json.holds("added_tokens")) {
            result.added_tokens_ =
                detail::AddedTokens(json.at("added_tokens"), result.model_, result.normalizers_);
        }
        result.works_in_parts_ = detail::TextEncoder::can_work_in_parts(
            result.added_tokens_, result.normalizers_, result.pre_tokenizers_);
        result.read_rest(json);
        return result;
    }

    /// Encodes one text, or a text and its pair. Throws InputError.
    Encoding encode(std::string_view text, const EncodeOptions& options = {}) const {
        return encode_padded(text, std::nullopt, options);
    }
    Encoding encode(std::string_view text, std::string_view pair,
                    const EncodeOptions& options = {}) const {
        return encode_padded(text, pair, options);
    }

    /// Encodes texts, or pairs, and pads them together.
    std::vector<Encoding> encode_batch(const std::vector<std::string>& texts,
                                       const EncodeOptions& options = {}) const {
        std::vector<Encoding> result;
        detail::EncodeWorkspace workspace;
        for (const std::string& text : texts)
            result.push_back(encode(text, std::nullopt, options, workspace));
        detail::pad(result, options.padding ? *options.padding : padding_);
        return result;
    }
    std::vector<Encoding> encode_batch(
        const std::vector<std::pair<std::string, std::string>>& pairs,
        const EncodeOptions& options = {}) const {
        std::vector<Encoding> result;
        detail::EncodeWorkspace workspace;
        for (const auto& [text, pair] : pairs)
            result.push_back(encode(text, std::string_view(pair), options, workspace));
        detail::pad(result, options.padding ? *options.padding : padding_);
        return result;
    }

    /// The text of `ids`. Ids that name no token are skipped, as Hugging Face does; negative ones
    /// are an InputError.
    std::string decode(std::span<const std::int64_t> ids, const DecodeOptions& options = {}) const {
        std::vector<std::string> tokens;
        for (const std::int64_t id : ids) {
            if (id < 0) throw InputError({"", "ids", "ids from 0", std::to_string(id)});
            auto token = id_to_token(id);
            if (!token || (options.skip_special_tokens && added_tokens_.is_special(*token)))
                continue;
            tokens.push_back(std::move(*token));
        }
        return convert_tokens_to_string(std::move(tokens));
    }

    /// The text of tokens that are spelled as in the vocabulary (or of any other strings).
    std::string convert_tokens_to_string(std::vector<std::string> tokens) const {
        std::string text;
        if (decoders_) detail::apply(*decoders_, tokens);
        for (std::size_t i = 0; i < tokens.size(); ++i)
            text.append(!decoders_ && i > 0 ? " " : "").append(tokens[i]);
        return text;
    }

    std::optional<std::int64_t> token_to_id(std::string_view token) const {
        if (const auto* added = added_tokens_.find(token)) return added->id;
        const std::int32_t id = model_.find(token);
        return id < 0 ? std::nullopt : std::optional<std::int64_t>(id);
    }
    /// For an added token that is normalised, its normal form.
    std::optional<std::string> id_to_token(std::int64_t id) const {
        if (const auto* added = added_tokens_.find(id)) return added->shown;
        if (id < 0 || static_cast<std::size_t>(id) >= model_.size()) return std::nullopt;
        return model_.piece(static_cast<std::size_t>(id));
    }
    /// Ids are below this.
    Index vocab_size() const {
        return static_cast<Index>(model_.size() + added_tokens_.beyond_model());
    }

    /// The tokens of the roles that the model's files name.
    const std::optional<std::string>& mask_token() const { return names_.mask_token; }
    const std::optional<std::string>& pad_token() const { return names_.pad_token; }
    const std::optional<std::string>& unk_token() const { return names_.unk_token; }
    const std::optional<std::string>& cls_token() const { return names_.cls_token; }
    const std::optional<std::string>& sep_token() const { return names_.sep_token; }
    /// True for a model whose tokens inside a word are marked ("##ing"): WordPiece, and BPE where
    /// its file says so.
    bool has_continuing_subword_prefix() const { return has_continuing_subword_prefix_; }
    /// Whether the pipelines of transformers give a model this tokenizer's type ids. Nothing where
    /// its files do not say: transformers 4 does, 5 does not (and the model takes 0).
    std::optional<bool> gives_token_type_ids() const { return names_.gives_token_type_ids; }
    /// tokenizer_config.json's advice; nothing is cut because of it unless a call asks for that.
    std::optional<Index> model_max_length() const { return names_.model_max_length; }

private:
    Tokenizer() = default;

    void read_rest(const detail::TokenizerJson& json) {
        if (json.holds("post_processor")) {
            const auto type = json.at("post_processor").object().at("type");
            if (type.string() != "TemplateProcessing")
                detail::refuse_component(type, "TemplateProcessing");
            post_processor_ =
                detail::TemplateProcessing::load(json.at("post_processor"), vocab_size());
        }
        if (json.holds("decoder")) detail::read_decoders(json.at("decoder"), decoders_.emplace());
        truncation_.strategy = TruncationStrategy::do_not_truncate;
        padding_.strategy = PaddingStrategy::do_not_pad;
        if (json.holds("truncation")) truncation_ = detail::read_truncation(json.at("truncation"));
        if (json.holds("padding"))
            padding_ = detail::read_padding(json.at("padding"), vocab_size());
    }

    Encoding encode_padded(std::string_view text, std::optional<std::string_view> pair,
                           const EncodeOptions& options) const {
        std::vector<Encoding> batch;
        detail::EncodeWorkspace workspace;
        batch.push_back(encode(text, pair, options, workspace));
        detail::pad(batch, options.padding ? *options.padding : padding_);
        return std::move(batch.front());
    }

    /// Everything but padding.
    Encoding encode(std::string_view text, std::optional<std::string_view> pair,
                    const EncodeOptions& options, detail::EncodeWorkspace& workspace) const {
        const detail::TextEncoder encoder{added_tokens_, normalizers_, pre_tokenizers_, model_,
                                          works_in_parts_};
        Encoding first = encoder(text, 0, workspace);
        std::optional<Encoding> second;
        if (pair) second = encoder(*pair, 1, workspace);
        const bool adds = post_processor_ && options.add_special_tokens;
        detail::truncate(first, second ? &*second : nullptr,
                         options.truncation ? *options.truncation : truncation_,
                         adds ? post_processor_->added_tokens(pair.has_value()) : 0);
        if (post_processor_) return (*post_processor_)(std::move(first), std::move(second), adds);
        if (second) detail::merge(first, std::move(*second));
        return first;
    }

    detail::Unigram model_;
    std::vector<detail::Normalizer> normalizers_;
    std::vector<detail::PreTokenizer> pre_tokenizers_;
    detail::AddedTokens added_tokens_;
    bool works_in_parts_ = false;
    bool has_continuing_subword_prefix_ = false;
    std::optional<detail::TemplateProcessing> post_processor_;
    std::optional<std::vector<detail::Decoder>> decoders_;  // none: tokens joined by spaces
    Truncation truncation_;
    Padding padding_;
    detail::SpecialNames names_;
};

}  // namespace nystromformer
