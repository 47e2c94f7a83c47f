// SPDX-License-Identifier: MIT
// Tokenizer: executes a Hugging Face tokenizer.json; text to ids with offsets, and back.
#pragma once

#include <nystromformer/core/index.hpp>
#include <nystromformer/core/mode.hpp>
#include <nystromformer/encoding.hpp>
#include <nystromformer/options.hpp>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2 {

class ThreadPool;
namespace detail {
struct TokenizerBody;
}

/// A tokenizer. Immutable, so that threads may share it, and cheap to copy.
///
/// Text is UTF-8. Each ill-formed part (as Python's errors="replace" counts them) is read as one
/// U+FFFD, whose offsets cover the bytes that it replaces. A text may have at most 2^32 - 2 bytes.
class Tokenizer {
public:
    /// Reads a folder as AutoTokenizer of transformers 5.24 does: tokenizer.json, or the older
    /// files of a folder without one (vocab.txt, spiece.model, ...), with what config.json,
    /// tokenizer_config.json, special_tokens_map.json and added_tokens.json change and add. Throws
    /// IoError, FormatError, TokenizerError or UnsupportedError, each with the place in its file.
    /// `do_lower_case` makes letters lower case before the file's normalizer, like the option of
    /// that name of sentence-transformers. Added tokens that are not normalized ("[MASK]") are
    /// matched before that, as they are written.
    [[nodiscard]] static Tokenizer from_pretrained(const std::filesystem::path& folder,
                                                   bool do_lower_case = false,
                                                   const FileOptions& files = {});
    /// Reads the text of a tokenizer.json; `file` names it in errors, which are as above. Without
    /// `tokenizer_config`, answers as Tokenizer.from_str of tokenizers, and no token has a role.
    /// With the text of a tokenizer_config.json, which names tokens with a role ({"mask_token":
    /// "[MASK]", ...}), answers as PreTrainedTokenizerFast. The class that a folder's files choose
    /// may change more: for that, give from_pretrained all files in FileOptions::memory.
    [[nodiscard]] static Tokenizer from_json(std::string_view text,
                                             std::string_view tokenizer_config = {},
                                             const FileOptions& files = {},
                                             const std::string& file = "tokenizer.json");

    Tokenizer(const Tokenizer&) = default;  // also moves: no tokenizer is ever without a body
    Tokenizer& operator=(const Tokenizer&) = default;

    /// Encodes one text, or a text and its pair. InputError for options that are out of range, and
    /// for a text that is too long, that the tokenizer's rules make many times longer, on which a
    /// regular expression takes too long, or that has an unknown character or word of which the
    /// file makes no token.
    [[nodiscard]] Encoding encode(std::string_view text, const EncodeOptions& options = {}) const;
    void encode(detail::TextsInBraces, const EncodeOptions& = {}) const = delete;
    [[nodiscard]] Encoding encode(std::string_view text, std::string_view pair,
                                  const EncodeOptions& options) const;
    /// A template, so that `{}` after a text means options.
    template <std::convertible_to<std::string_view> Pair>
    [[nodiscard]] Encoding encode(std::string_view text, const Pair& pair) const {
        return encode(text, pair, EncodeOptions{});
    }
    /// A pair stands without braces: in them, a string literal would be read as the first option.
    template <std::convertible_to<std::string_view> Pair>
    Encoding encode(std::string_view text, std::initializer_list<Pair> pair) const = delete;

    /// Encodes texts and pads them together. An InputError names the first bad text (`input()`),
    /// unless the options are bad for any text.
    [[nodiscard]] std::vector<Encoding> encode_batch(std::span<const std::string> texts,
                                                     const EncodeOptions& options = {}) const;
    [[nodiscard]] std::vector<Encoding> encode_batch(std::initializer_list<std::string> texts,
                                                     const EncodeOptions& options = {}) const {
        return encode_batch(std::span<const std::string>(texts.begin(), texts.size()), options);
    }
    /// The same, on the threads of `pool`.
    [[nodiscard]] std::vector<Encoding> encode_batch(std::span<const std::string> texts,
                                                     const EncodeOptions& options,
                                                     ThreadPool& pool) const;
    /// Use encode_pairs for pairs.
    std::vector<Encoding> encode_batch(detail::TextsInTwoBraces,
                                       const EncodeOptions& = {}) const = delete;

    /// Encodes texts, each with its pair, and pads them together.
    using TextPair = std::pair<std::string, std::string>;
    [[nodiscard]] std::vector<Encoding> encode_pairs(std::span<const TextPair> pairs,
                                                     const EncodeOptions& options = {}) const;
    [[nodiscard]] std::vector<Encoding> encode_pairs(std::initializer_list<TextPair> pairs,
                                                     const EncodeOptions& options = {}) const {
        return encode_pairs(std::span<const TextPair>(pairs.begin(), pairs.size()), options);
    }
    [[nodiscard]] std::vector<Encoding> encode_pairs(std::span<const TextPair> pairs,
                                                     const EncodeOptions& options,
                                                     ThreadPool& pool) const;

    /// The text of `ids`. Ids that name no token are skipped, as Hugging Face does. InputError for
    /// negative ids, and if the tokenizer's rules make the text many times longer.
    [[nodiscard]] std::string decode(std::span<const std::int64_t> ids,
                                     const DecodeOptions& options = {}) const;
    [[nodiscard]] std::string decode(std::initializer_list<std::int64_t> ids,
                                     const DecodeOptions& options = {}) const {
        return decode(std::span<const std::int64_t>(ids.begin(), ids.size()), options);
    }
    /// The text of tokens that are spelled as in the vocabulary (or of any other strings).
    std::string convert_tokens_to_string(std::vector<std::string> tokens) const;

    /// Nothing for a token that the tokenizer does not know.
    std::optional<std::int64_t> token_to_id(std::string_view token) const;
    /// The normal form of an added token that is normalised. Nothing for an id without a token.
    std::optional<std::string> id_to_token(std::int64_t id) const;
    /// All ids are less than this.
    Index vocab_size() const;
    /// The special tokens that a text, or a pair of texts, gets: 2 and 3 for a BERT.
    Index num_special_tokens_to_add(bool pair = false) const;

    /// The tokens with a role in the model's files; nothing for a role without a token.
    const std::optional<std::string>& mask_token() const&;
    std::optional<std::string> mask_token() const&& { return mask_token(); }
    const std::optional<std::string>& pad_token() const&;
    std::optional<std::string> pad_token() const&& { return pad_token(); }
    const std::optional<std::string>& unk_token() const&;
    std::optional<std::string> unk_token() const&& { return unk_token(); }
    const std::optional<std::string>& cls_token() const&;
    std::optional<std::string> cls_token() const&& { return cls_token(); }
    const std::optional<std::string>& sep_token() const&;
    std::optional<std::string> sep_token() const&& { return sep_token(); }
    /// True for a model whose tokens inside a word are marked ("##ing"): WordPiece, and BPE if its
    /// file says so.
    bool has_continuing_subword_prefix() const;
    /// Whether the pipelines of transformers pass this tokenizer's type ids to a model, as its
    /// files or its class say. Nothing if versions differ: transformers 4 passes them, 5 does not
    /// (and the model takes 0).
    std::optional<bool> gives_token_type_ids() const;
    /// The model_max_length of tokenizer_config.json, in tokens. The tokenizer truncates to it only
    /// if a call asks for that.
    std::optional<Index> model_max_length() const;
    /// The side that is truncated, and the side that is padded: as tokenizer_config.json says, else
    /// as tokenizer.json says, else the right one.
    Direction truncation_side() const;
    Direction padding_side() const;
    /// The truncation and padding of tokenizer.json, for calls without options of their own:
    /// no_truncation and no_padding if it has none.
    const Truncation& truncation() const&;
    Truncation truncation() const&& { return truncation(); }
    const Padding& padding() const&;
    Padding padding() const&& { return padding(); }

    /// For the library's own use: a tokenizer of a body that was built elsewhere.
    explicit Tokenizer(std::shared_ptr<const detail::TokenizerBody> body);

private:
    std::shared_ptr<const detail::TokenizerBody> body_;
};

}  // namespace nystromformer::inline v0_2

#if !defined(NYSTROMFORMER_COMPILED)
#include <nystromformer/tokenizer/tokenizer.hpp>
#endif
