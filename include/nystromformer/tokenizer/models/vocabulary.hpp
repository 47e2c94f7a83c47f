// SPDX-License-Identifier: MIT
// The object {piece: id} of BPE, WordPiece and WordLevel: pieces to ids and back. Ids may leave
// gaps.
#pragma once

#include <nystromformer/core/notice.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/models/model_lists.hpp>
#include <nystromformer/tokenizer/models/trie.hpp>
#include <nystromformer/tokenizer/piece_texts.hpp>
#include <nystromformer/tokenizer/tokenizer_file.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Token `id` for bytes [begin, end) of a piece of text.
struct ModelToken {
    std::int32_t id;
    std::uint32_t begin;
    std::uint32_t end;
    bool has_own_name = false;  // its text is the model's piece, not the text's
};

/// Pieces and their ids; immutable.
class Vocabulary {
public:
    Vocabulary() = default;

    /// Takes the object /model/vocab out of `file`. Throws FormatError or TokenizerError.
    explicit Vocabulary(TokenizerFile& file) {
        PieceList& list = file.pieces_of_object();
        keep_last_of_equal_keys(file, list);
        ids_.reserve(list.size());
        for (std::size_t i = 0; i < list.size(); ++i) {
            ids_.push_back(static_cast<std::int32_t>(list.value(i)));
            if (list.text(i).size() > longest_piece)
                fail(file, i, "a piece of at most " + std::to_string(longest_piece) + " bytes");
        }
        order_by_id(file, list);
        const auto& sorted = list.sorted();
        const std::size_t begin = !sorted.empty() && list.text(sorted[0]).empty() ? 1 : 0;
        if (begin == 1)
            empty_ = ids_[sorted[0]];  // no word is empty, but the empty piece has its id
        const auto key_at = [&](std::size_t i) {
            const std::uint32_t number = sorted[begin + i];
            return std::pair(list.text(number), ids_[number]);
        };
        trie_ = Trie(sorted.size() - begin, key_at, file.budget);
        texts_ = std::move(list).take_texts();
    }

    std::size_t size() const { return ids_.size(); }
    /// Ids are below this.
    std::int64_t id_end() const { return ids_.empty() ? 0 : std::int64_t{ids_[by_id_.back()]} + 1; }
    const Trie& trie() const { return trie_; }

    /// The id of `piece`, or -1.
    std::int32_t find(std::string_view piece) const {
        return piece.empty() ? empty_ : trie_.find(piece);
    }

    /// The piece of `id`, or none.
    std::optional<std::string_view> piece(std::int64_t id) const {
        if (id < 0 || id >= id_end()) return std::nullopt;
        if (static_cast<std::size_t>(id_end()) == by_id_.size())
            return texts_[by_id_[static_cast<std::size_t>(id)]];
        const auto found = std::lower_bound(
            by_id_.begin(), by_id_.end(), id,
            [&](std::uint32_t number, std::int64_t wanted) { return ids_[number] < wanted; });
        return ids_[*found] == id ? std::optional(texts_[*found]) : std::nullopt;
    }

private:
    /// Of equal keys the last counts, as in a map of Rust and in a dict of Python.
    static void keep_last_of_equal_keys(TokenizerFile& file, PieceList& list) {
        const auto twice = list.repeated();
        if (!twice) return;
        give_notice(file.files, file.name(), file.piece_path(*twice),
                    "the piece " + in_quotes(list.text(*twice)) +
                        " was there before; of equal ones the last counts");
        list.drop_repeated(file.budget);
    }
    void order_by_id(const TokenizerFile& file, const PieceList& list) {
        by_id_.resize(ids_.size());
        std::iota(by_id_.begin(), by_id_.end(), 0U);
        std::sort(by_id_.begin(), by_id_.end(), [&](std::uint32_t left, std::uint32_t right) {
            return ids_[left] != ids_[right] ? ids_[left] < ids_[right]
                                             : list.text(left) < list.text(right);
        });
        for (std::size_t i = 1; i < by_id_.size(); ++i)
            if (ids_[by_id_[i - 1]] == ids_[by_id_[i]])
                fail(file, by_id_[i],
                     "no id twice, as that of " + in_quotes(list.text(by_id_[i - 1])));
    }
    [[noreturn]] void fail(const TokenizerFile& file, std::size_t i, std::string expected) const {
        throw TokenizerError(
            {file.name(), file.piece_path(i), std::move(expected), std::to_string(ids_[i])});
    }

    PieceTexts texts_;
    std::vector<std::int32_t> ids_;
    std::vector<std::uint32_t> by_id_;  // numbers of pieces
    Trie trie_;
    std::int32_t empty_ = -1;
};

/// The ids of the pieces <0x00> to <0xFF>, -1 if there is none.
template <typename Pieces>
std::vector<std::int32_t> find_byte_pieces(const Pieces& pieces) {
    constexpr char digits[] = "0123456789ABCDEF";
    std::vector<std::int32_t> result;
    for (std::size_t byte = 0; byte < 256; ++byte) {
        const char name[] = {'<', '0', 'x', digits[byte >> 4], digits[byte & 15], '>'};
        result.push_back(pieces.find(std::string_view(name, sizeof(name))));
    }
    return result;
}

/// The unknown token of a model: its name, and its id if the vocabulary has it.
struct UnknownToken {
    std::string name;
    std::int32_t id = -1;

    /// The id. InputError if there is none: a file without one serves until a word needs it, as
    /// with Hugging Face, and other texts of a batch may be good.
    std::int32_t operator()() const {
        if (id < 0) {
            throw InputError({"", "/model/unk_token",
                              "a piece of the vocabulary, as a word is unknown", in_quotes(name)});
        }
        return id;
    }
};

}  // namespace nystromformer::inline v0_2::detail
