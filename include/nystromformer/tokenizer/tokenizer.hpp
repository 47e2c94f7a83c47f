// SPDX-License-Identifier: MIT
// Tokenizer: the public functions, each of which asks the body.
#pragma once

#include <nystromformer/core/mode.hpp>
#include <nystromformer/tokenizer.hpp>
#include <nystromformer/tokenizer/tokenizer_body.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

NYSTROMFORMER_INLINE Tokenizer::Tokenizer(std::shared_ptr<const detail::TokenizerBody> body)
    : body_(std::move(body)) {}

NYSTROMFORMER_INLINE Tokenizer Tokenizer::from_pretrained(const std::filesystem::path& folder,
                                                          bool do_lower_case,
                                                          const FileOptions& files) {
    return Tokenizer(std::make_shared<const detail::TokenizerBody>(
        detail::TokenizerBody::load(folder, do_lower_case, files)));
}
NYSTROMFORMER_INLINE Tokenizer Tokenizer::from_json(std::string_view text,
                                                    std::string_view tokenizer_config,
                                                    const FileOptions& files,
                                                    const std::string& file) {
    auto read = detail::FolderFiles::of_texts(text, tokenizer_config, file, files);
    return Tokenizer(std::make_shared<const detail::TokenizerBody>(detail::TokenizerBody{
        detail::TokenizerParts::load(read.tokenizer), std::move(read.names)}));
}

NYSTROMFORMER_INLINE Encoding Tokenizer::encode(std::string_view text,
                                                const EncodeOptions& options) const {
    return body_->encode_padded(text, std::nullopt, options);
}
NYSTROMFORMER_INLINE Encoding Tokenizer::encode(std::string_view text, std::string_view pair,
                                                const EncodeOptions& options) const {
    return body_->encode_padded(text, pair, options);
}
NYSTROMFORMER_INLINE std::vector<Encoding> Tokenizer::encode_batch(
    std::span<const std::string> texts, const EncodeOptions& options) const {
    return body_->encode_all(texts, options, nullptr);
}
NYSTROMFORMER_INLINE std::vector<Encoding> Tokenizer::encode_batch(
    std::span<const std::string> texts, const EncodeOptions& options, ThreadPool& pool) const {
    return body_->encode_all(texts, options, &pool);
}
NYSTROMFORMER_INLINE std::vector<Encoding> Tokenizer::encode_pairs(
    std::span<const TextPair> pairs, const EncodeOptions& options) const {
    return body_->encode_all(pairs, options, nullptr);
}
NYSTROMFORMER_INLINE std::vector<Encoding> Tokenizer::encode_pairs(std::span<const TextPair> pairs,
                                                                   const EncodeOptions& options,
                                                                   ThreadPool& pool) const {
    return body_->encode_all(pairs, options, &pool);
}

NYSTROMFORMER_INLINE std::string Tokenizer::decode(std::span<const std::int64_t> ids,
                                                   const DecodeOptions& options) const {
    return body_->decode(ids, options);
}
NYSTROMFORMER_INLINE std::string Tokenizer::convert_tokens_to_string(
    std::vector<std::string> tokens) const {
    return body_->convert_tokens_to_string(std::move(tokens));
}
NYSTROMFORMER_INLINE std::optional<std::int64_t> Tokenizer::token_to_id(
    std::string_view token) const {
    return body_->token_to_id(token);
}
NYSTROMFORMER_INLINE std::optional<std::string> Tokenizer::id_to_token(std::int64_t id) const {
    return body_->id_to_token(id);
}
NYSTROMFORMER_INLINE Index Tokenizer::vocab_size() const { return body_->parts.vocab_size(); }
NYSTROMFORMER_INLINE Index Tokenizer::num_special_tokens_to_add(bool pair) const {
    return body_->num_special_tokens(pair);
}

NYSTROMFORMER_INLINE const std::optional<std::string>& Tokenizer::mask_token() const& {
    return body_->names.mask_token;
}
NYSTROMFORMER_INLINE const std::optional<std::string>& Tokenizer::pad_token() const& {
    return body_->names.pad_token;
}
NYSTROMFORMER_INLINE const std::optional<std::string>& Tokenizer::unk_token() const& {
    return body_->names.unk_token;
}
NYSTROMFORMER_INLINE const std::optional<std::string>& Tokenizer::cls_token() const& {
    return body_->names.cls_token;
}
NYSTROMFORMER_INLINE const std::optional<std::string>& Tokenizer::sep_token() const& {
    return body_->names.sep_token;
}
NYSTROMFORMER_INLINE bool Tokenizer::has_continuing_subword_prefix() const {
    return body_->parts.has_continuing_subword_prefix;
}
NYSTROMFORMER_INLINE std::optional<bool> Tokenizer::gives_token_type_ids() const {
    return body_->names.gives_token_type_ids;
}
NYSTROMFORMER_INLINE std::optional<Index> Tokenizer::model_max_length() const {
    return body_->names.model_max_length;
}
NYSTROMFORMER_INLINE Direction Tokenizer::truncation_side() const {
    return body_->truncation_side();
}
NYSTROMFORMER_INLINE Direction Tokenizer::padding_side() const { return body_->padding_side(); }
NYSTROMFORMER_INLINE const Truncation& Tokenizer::truncation() const& {
    return body_->parts.truncation;
}
NYSTROMFORMER_INLINE const Padding& Tokenizer::padding() const& { return body_->parts.padding; }

}  // namespace nystromformer::inline v0_2
