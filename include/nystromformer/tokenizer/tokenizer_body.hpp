// SPDX-License-Identifier: MIT
// The body of a Tokenizer: from the files' parts to encodings and back.
#pragma once

#include <nystromformer/error.hpp>
#include <nystromformer/threads.hpp>
#include <nystromformer/tokenizer/encoding.hpp>
#include <nystromformer/tokenizer/first_bad_input.hpp>
#include <nystromformer/tokenizer/loaders/folder_files.hpp>
#include <nystromformer/tokenizer/option_checks.hpp>
#include <nystromformer/tokenizer/special_names.hpp>
#include <nystromformer/tokenizer/text_encoder.hpp>
#include <nystromformer/tokenizer/tokenizer_file.hpp>
#include <nystromformer/tokenizer/tokenizer_parts.hpp>
#include <nystromformer/tokenizer/truncation.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// A tokenizer's parts, as its files describe them, and how they work together.
struct TokenizerBody {
    TokenizerParts parts;
    SpecialNames names;

    /// The body of a folder's files.
    static TokenizerBody load(const std::filesystem::path& folder, bool do_lower_case,
                              const FileOptions& files) {
        FolderFiles read_files = FolderFiles::load(folder, files);
        if (do_lower_case) lower_case_first(read_files.tokenizer.json.value);
        return {TokenizerParts::load(read_files.tokenizer), std::move(read_files.names)};
    }

    Direction truncation_side() const {
        return names.truncation_side.value_or(
            parts.truncation.direction.value_or(Direction::right));
    }
    Direction padding_side() const {
        return names.padding_side.value_or(parts.padding.direction.value_or(Direction::right));
    }

    Encoding encode_padded(std::string_view text, std::optional<std::string_view> pair,
                           const EncodeOptions& options) const {
        const Rules rules = rules_of(options, pair.has_value());
        std::vector<Encoding> batch;
        EncodeWorkspace workspace;
        batch.push_back(encode(text, pair, rules, workspace));
        pad(batch, rules.padding);
        return std::move(batch.front());
    }

    /// Texts or pairs, on the threads of `pool` if there is one: a few together, so that their
    /// buffers are reused.
    template <typename Input>
    std::vector<Encoding> encode_all(std::span<const Input> inputs, const EncodeOptions& options,
                                     ThreadPool* pool) const {
        constexpr bool is_pair = !std::is_same_v<Input, std::string>;
        const Rules rules = rules_of(options, is_pair);
        std::vector<Encoding> result(inputs.size());
        FirstBadInput errors;
        const auto encode_some = [&](std::size_t begin, std::size_t end) {
            EncodeWorkspace workspace;
            for (std::size_t i = begin; i < end; ++i) {
                errors.run(i, [&] {
                    if constexpr (is_pair) {
                        result[i] = encode(inputs[i].first, std::string_view(inputs[i].second),
                                           rules, workspace);
                    } else {
                        result[i] = encode(inputs[i], std::nullopt, rules, workspace);
                    }
                });
            }
        };
        constexpr std::size_t group = 16;
        if (pool == nullptr) {
            encode_some(0, inputs.size());
        } else {
            const auto groups = static_cast<Index>((inputs.size() + group - 1) / group);
            pool->parallel_for(groups, [&](Index i) {
                const std::size_t begin = static_cast<std::size_t>(i) * group;
                encode_some(begin, std::min(begin + group, inputs.size()));
            });
        }
        errors.throw_if_any();
        if (rules.padding.strategy == PaddingStrategy::do_not_pad) return result;
        const Index length = padded_length(result, rules.padding);
        for (std::size_t i = 0; i < result.size(); ++i)
            errors.run(i, [&] { pad_checked(result[i], length, rules.padding); });
        errors.throw_if_any();
        return result;
    }

    std::string decode(std::span<const std::int64_t> ids, const DecodeOptions& options) const {
        std::vector<std::string> tokens;
        for (const std::int64_t id : ids) {
            if (id < 0) throw InputError({"", "ids", "ids from 0", std::to_string(id)});
            auto token = id_to_token(id);
            if (!token || (options.skip_special_tokens && parts.added_tokens.is_special(*token)))
                continue;
            tokens.push_back(std::move(*token));
        }
        std::string text = convert_tokens_to_string(std::move(tokens));
        const bool is_wanted =
            options.clean_up_tokenization_spaces.value_or(names.clean_up_tokenization_spaces);
        return is_wanted && (!parts.model.is_bpe() || names.clean_up_even_bpe)
                   ? clean_up(std::move(text), false)
                   : text;
    }
    std::string convert_tokens_to_string(std::vector<std::string> tokens) const {
        std::string text;
        if (parts.decoders) apply(*parts.decoders, tokens);
        for (std::size_t i = 0; i < tokens.size(); ++i)
            text.append(!parts.decoders && i > 0 ? " " : "").append(tokens[i]);
        return text;
    }

    std::optional<std::int64_t> token_to_id(std::string_view token) const {
        return parts.token_to_id(token);
    }
    std::optional<std::string> id_to_token(std::int64_t id) const {
        if (const auto* added = parts.added_tokens.find(id)) return added->shown;
        const auto piece = parts.model.piece(id);
        return piece ? std::optional(std::string(*piece)) : std::nullopt;
    }

    /// That a text, or a pair, gets.
    Index num_special_tokens(bool is_pair) const {
        return parts.post_processor ? parts.post_processor->added_tokens(is_pair) : 0;
    }

private:
    /// What a call does with each input.
    struct Rules {
        Truncation truncation;
        Padding padding;
        bool adds_special_tokens;
        Index added;  ///< special tokens
    };

    /// Throws InputError for options that no text can make good. What the files say is not checked
    /// here: as in Python, it may be wrong as long as no text needs it.
    Rules rules_of(const EncodeOptions& options, bool is_pair) const {
        const bool adds = parts.post_processor && options.add_special_tokens;
        const Index added = adds ? num_special_tokens(is_pair) : 0;
        check_truncation(options.truncation, added, adds ? num_special_tokens(false) : 0);
        check_padding(options.padding);
        return {truncation_of(options), padding_of(options), adds, added};
    }
    Truncation truncation_of(const EncodeOptions& options) const {
        const bool is_of_file = options.truncation.strategy == TruncationStrategy::from_file;
        Truncation truncation = is_of_file ? parts.truncation : options.truncation;
        if (!truncation.direction) truncation.direction = truncation_side();
        return truncation;
    }
    Padding padding_of(const EncodeOptions& options) const {
        const bool is_of_file = options.padding.strategy == PaddingStrategy::from_file;
        Padding padding = is_of_file ? parts.padding : options.padding;
        if (!padding.direction) padding.direction = padding_side();
        if (padding.strategy == PaddingStrategy::do_not_pad) return padding;
        const bool is_named = padding.pad_token.has_value();
        if (!is_named && padding.pad_id) padding.pad_token = id_to_token(*padding.pad_id);
        if (!padding.pad_token) padding.pad_token = names.pad_token;
        if (padding.pad_id) return padding;
        if (padding.pad_token) padding.pad_id = parts.token_to_id(*padding.pad_token);
        if (is_named && !padding.pad_id) {
            throw InputError({"", "padding.pad_token", "a token of the vocabulary",
                              in_quotes(*padding.pad_token)});
        }
        return padding;
    }

    /// Everything but padding.
    Encoding encode(std::string_view text, std::optional<std::string_view> pair, const Rules& rules,
                    EncodeWorkspace& workspace) const {
        const TextEncoder encoder{parts.added_tokens, parts.normalizers, parts.pre_tokenizers,
                                  parts.model, parts.works_in_parts};
        Encoding first = encoder(text, 0, workspace);
        std::optional<Encoding> second;
        if (pair) second = encoder(*pair, 1, workspace);
        truncate(first, second ? &*second : nullptr, rules.truncation, rules.added);
        if (!parts.post_processor) {
            if (second) merge(first, std::move(*second));
            return first;
        }
        std::vector<Encoding> encodings;
        encodings.push_back(std::move(first));
        if (second) encodings.push_back(std::move(*second));
        return (*parts.post_processor)(std::move(encodings), {text, pair.value_or("")},
                                       rules.adds_special_tokens);
    }
};

}  // namespace nystromformer::inline v0_2::detail
