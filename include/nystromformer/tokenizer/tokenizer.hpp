// SPDX-License-Identifier: MIT
// Tokenizer: executes a Hugging Face tokenizer.json; text to ids with offsets, and back.
#pragma once

#include <nystromformer/core/file.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/threads.hpp>
#include <nystromformer/tokenizer/encoding.hpp>
#include <nystromformer/tokenizer/loaders/legacy_files.hpp>
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

namespace nystromformer {

/// How to encode. Without truncation or padding here, those of tokenizer.json are at work;
/// do_not_truncate and do_not_pad switch them off. Those that name no direction have the
/// tokenizer's truncation_side and padding_side.
struct EncodeOptions {
    bool add_special_tokens = true;
    std::optional<Truncation> truncation = std::nullopt;
    std::optional<Padding> padding = std::nullopt;
};

struct DecodeOptions {
    bool skip_special_tokens = true;
    /// English punctuation without the space before it; by default as tokenizer_config.json says,
    /// false if it says nothing. Without effect on a BPE model, as in transformers 5.
    std::optional<bool> clean_up_tokenization_spaces = std::nullopt;
};

/// A tokenizer; immutable after loading, so one may serve any number of threads.
///
/// Text is UTF-8. Each ill-formed subpart (as Python's errors="replace" counts them) is read as one
/// U+FFFD, whose offsets cover the bytes that it stands for. A text may have at most 2^32 - 2
/// bytes.
class Tokenizer {
public:
    /// Reads tokenizer.json, or the files that were there before it (detail::LegacyFiles), and
    /// tokenizer_config.json and special_tokens_map.json where present. Throws IoError,
    /// FormatError, TokenizerError or UnsupportedError, each with the JSON path. `do_lower_case`:
    /// letters become lower case before all else, as sentence-transformers' option of that name.
    /// `files`: which files are read.
    static Tokenizer from_pretrained(const std::filesystem::path& folder,
                                     bool do_lower_case = false, const FileOptions& files = {}) {
        constexpr std::uint64_t most_bytes = 64U << 20;
        const auto path = folder / "tokenizer.json";
        const auto read = [&]() -> detail::LegacyFiles {
            if (!detail::is_regular_file(path)) return detail::LegacyFiles::load(folder, files);
            auto names = detail::SpecialNames::load(folder, files);
            return {detail::TokenizerFile::parse(detail::read_file(path, most_bytes, files),
                                                 path.string()),
                    std::move(names)};
        };
        auto [file, names] = read();
        if (do_lower_case) detail::lower_case_first(file.json.value);
        return Tokenizer(std::move(file), std::move(names));
    }

    /// Reads the text of a tokenizer.json; `file` names it in errors.
    static Tokenizer from_json(std::string_view text, const std::string& file = "tokenizer.json") {
        return Tokenizer(detail::TokenizerFile::parse(text, file));
    }

    /// A tokenizer of files that were read.
    explicit Tokenizer(detail::TokenizerFile file, detail::SpecialNames names = {})
        : parts_(detail::TokenizerParts::load(file)), names_(std::move(names)) {}

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
        return encode_all(texts, options, nullptr);
    }
    std::vector<Encoding> encode_batch(
        const std::vector<std::pair<std::string, std::string>>& pairs,
        const EncodeOptions& options = {}) const {
        return encode_all(pairs, options, nullptr);
    }
    /// The same on the threads of `pool`.
    std::vector<Encoding> encode_batch(const std::vector<std::string>& texts,
                                       const EncodeOptions& options, ThreadPool& pool) const {
        return encode_all(texts, options, &pool);
    }
    std::vector<Encoding> encode_batch(
        const std::vector<std::pair<std::string, std::string>>& pairs, const EncodeOptions& options,
        ThreadPool& pool) const {
        return encode_all(pairs, options, &pool);
    }

    /// The text of `ids`. Ids that name no token are skipped, as Hugging Face does; negative ones
    /// are an InputError.
    std::string decode(std::span<const std::int64_t> ids, const DecodeOptions& options = {}) const {
        std::vector<std::string> tokens;
        for (const std::int64_t id : ids) {
            if (id < 0) throw InputError({"", "ids", "ids from 0", std::to_string(id)});
            auto token = id_to_token(id);
            if (!token || (options.skip_special_tokens && parts_.added_tokens.is_special(*token)))
                continue;
            tokens.push_back(std::move(*token));
        }
        std::string text = convert_tokens_to_string(std::move(tokens));
        const bool is_wanted =
            options.clean_up_tokenization_spaces.value_or(names_.clean_up_tokenization_spaces);
        return is_wanted && (!parts_.model.is_bpe() || names_.clean_up_even_bpe)
                   ? detail::clean_up(std::move(text), false)
                   : text;
    }

    /// The text of tokens that are spelled as in the vocabulary (or of any other strings).
    std::string convert_tokens_to_string(std::vector<std::string> tokens) const {
        std::string text;
        if (parts_.decoders) detail::apply(*parts_.decoders, tokens);
        for (std::size_t i = 0; i < tokens.size(); ++i)
            text.append(!parts_.decoders && i > 0 ? " " : "").append(tokens[i]);
        return text;
    }

    std::optional<std::int64_t> token_to_id(std::string_view token) const {
        if (const auto* added = parts_.added_tokens.find(token)) return added->id;
        const std::int32_t id = parts_.model.find(token);
        return id < 0 ? std::nullopt : std::optional<std::int64_t>(id);
    }
    /// For an added token that is normalised, its normal form.
    std::optional<std::string> id_to_token(std::int64_t id) const {
        if (const auto* added = parts_.added_tokens.find(id)) return added->shown;
        const auto piece = parts_.model.piece(id);
        return piece ? std::optional(std::string(*piece)) : std::nullopt;
    }
    /// Ids are below this.
    Index vocab_size() const { return parts_.vocab_size(); }

    /// The tokens of the roles that the model's files name.
    const std::optional<std::string>& mask_token() const { return names_.mask_token; }
    const std::optional<std::string>& pad_token() const { return names_.pad_token; }
    const std::optional<std::string>& unk_token() const { return names_.unk_token; }
    const std::optional<std::string>& cls_token() const { return names_.cls_token; }
    const std::optional<std::string>& sep_token() const { return names_.sep_token; }
    /// True for a model whose tokens inside a word are marked ("##ing"): WordPiece, and BPE where
    /// its file says so.
    bool has_continuing_subword_prefix() const { return parts_.has_continuing_subword_prefix; }
    /// Whether the pipelines of transformers give a model this tokenizer's type ids. Nothing where
    /// its files do not say: transformers 4 does, 5 does not (and the model takes 0).
    std::optional<bool> gives_token_type_ids() const { return names_.gives_token_type_ids; }
    /// tokenizer_config.json's advice; nothing is cut because of it unless a call asks for that.
    std::optional<Index> model_max_length() const { return names_.model_max_length; }
    /// Which end of a text is cut, and which is filled: what tokenizer_config.json says, else what
    /// tokenizer.json does, else the right one.
    Direction truncation_side() const {
        return names_.truncation_side.value_or(
            parts_.truncation.direction.value_or(Direction::right));
    }
    Direction padding_side() const {
        return names_.padding_side.value_or(parts_.padding.direction.value_or(Direction::right));
    }

private:
    Truncation truncation_of(const EncodeOptions& options) const {
        Truncation truncation = options.truncation.value_or(parts_.truncation);
        if (!truncation.direction) truncation.direction = truncation_side();
        return truncation;
    }
    Padding padding_of(const EncodeOptions& options) const {
        Padding padding = options.padding.value_or(parts_.padding);
        if (!padding.direction) padding.direction = padding_side();
        return padding;
    }

    Encoding encode_padded(std::string_view text, std::optional<std::string_view> pair,
                           const EncodeOptions& options) const {
        std::vector<Encoding> batch;
        detail::EncodeWorkspace workspace;
        batch.push_back(encode(text, pair, options, workspace));
        detail::pad(batch, padding_of(options));
        return std::move(batch.front());
    }

    /// Texts or pairs, on the threads of `pool` if there is one: a few together, so that their
    /// buffers are reused.
    template <typename Input>
    std::vector<Encoding> encode_all(const std::vector<Input>& inputs, const EncodeOptions& options,
                                     ThreadPool* pool) const {
        std::vector<Encoding> result(inputs.size());
        const auto encode_some = [&](std::size_t begin, std::size_t end) {
            detail::EncodeWorkspace workspace;
            for (std::size_t i = begin; i < end; ++i) {
                if constexpr (std::is_same_v<Input, std::string>) {
                    result[i] = encode(inputs[i], std::nullopt, options, workspace);
                } else {
                    result[i] = encode(inputs[i].first, std::string_view(inputs[i].second), options,
                                       workspace);
                }
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
        detail::pad(result, padding_of(options));
        return result;
    }

    /// Everything but padding.
    Encoding encode(std::string_view text, std::optional<std::string_view> pair,
                    const EncodeOptions& options, detail::EncodeWorkspace& workspace) const {
        const detail::TextEncoder encoder{parts_.added_tokens, parts_.normalizers,
                                          parts_.pre_tokenizers, parts_.model,
                                          parts_.works_in_parts};
        Encoding first = encoder(text, 0, workspace);
        std::optional<Encoding> second;
        if (pair) second = encoder(*pair, 1, workspace);
        const bool adds = parts_.post_processor && options.add_special_tokens;
        detail::truncate(first, second ? &*second : nullptr, truncation_of(options),
                         adds ? parts_.post_processor->added_tokens(pair.has_value()) : 0);
        if (!parts_.post_processor) {
            if (second) detail::merge(first, std::move(*second));
            return first;
        }
        std::vector<Encoding> parts;
        parts.push_back(std::move(first));
        if (second) parts.push_back(std::move(*second));
        return (*parts_.post_processor)(std::move(parts), {text, pair.value_or("")}, adds);
    }

    detail::TokenizerParts parts_;
    detail::SpecialNames names_;
};

}  // namespace nystromformer
