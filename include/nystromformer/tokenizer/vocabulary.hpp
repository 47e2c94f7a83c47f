// SPDX-License-Identifier: MIT
// The object {piece: id} of BPE, WordPiece and WordLevel: pieces to ids and back. Ids may leave
// gaps.
#pragma once

#include <nystromformer/core/error.hpp>
#include <nystromformer/core/json.hpp>
#include <nystromformer/tokenizer/trie.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace nystromformer::detail {

/// Token `id` for bytes [begin, end) of a piece of text.
struct ModelToken {
    std::int32_t id;
    std::uint32_t begin;
    std::uint32_t end;
    bool has_own_name = false;  // is told by the model's piece, not by the text
};

constexpr std::size_t most_pieces = 1U << 24;
constexpr std::size_t longest_piece = 4096;  // bounds the work for each byte of text

/// Pieces and their ids; immutable.
class Vocabulary {
public:
    Vocabulary() = default;

    /// Reads the object at `json`. Throws TokenizerError.
    explicit Vocabulary(const JsonView<TokenizerError>& json) {
        if (json.object().size() > most_pieces)
            json.fail("at most " + std::to_string(most_pieces) + " pieces");
        pieces_.reserve(json.size());
        for (const auto& [piece, id] : json.raw().items()) {
            const auto entry = json.at(piece);
            if (piece.size() > longest_piece)
                entry.fail("a piece of at most " + std::to_string(longest_piece) + " bytes");
            pieces_.push_back({static_cast<std::int32_t>(entry.integer(0, 0x7FFFFFFE)), piece});
        }
        std::sort(pieces_.begin(), pieces_.end(), [](const Piece& left, const Piece& right) {
            return std::tie(left.id, left.text) < std::tie(right.id, right.text);
        });
        std::vector<std::pair<std::string_view, std::int32_t>> keys;
        keys.reserve(pieces_.size());
        for (std::size_t i = 0; i < pieces_.size(); ++i) {
            const Piece& piece = pieces_[i];
            if (i > 0 && pieces_[i - 1].id == piece.id)
                json.at(piece.text)
                    .fail("no id twice, as that of " + in_quotes(pieces_[i - 1].text));
            if (piece.text.empty()) {
                empty_ = piece.id;  // no word is empty, but the empty piece has its id
            } else {
                keys.emplace_back(piece.text, piece.id);
            }
        }
        trie_ = Trie(std::move(keys));
    }

    std::size_t size() const { return pieces_.size(); }
    /// Ids are below this.
    std::int64_t id_end() const {
        return pieces_.empty() ? 0 : std::int64_t{pieces_.back().id} + 1;
    }
    const Trie& trie() const { return trie_; }

    /// The id of `piece`, or -1.
    std::int32_t find(std::string_view piece) const {
        return piece.empty() ? empty_ : trie_.find(piece);
    }

    /// The piece of `id`, or null.
    const std::string* piece(std::int64_t id) const {
        if (id < 0 || id >= id_end()) return nullptr;
        if (static_cast<std::size_t>(id_end()) == pieces_.size())
            return &pieces_[static_cast<std::size_t>(id)].text;
        const auto found = std::lower_bound(
            pieces_.begin(), pieces_.end(), id,
            [](const Piece& piece, std::int64_t wanted) { return piece.id < wanted; });
        return found->id == id ? &found->text : nullptr;
    }

private:
    struct Piece {
        std::int32_t id;
        std::string text;
    };
    std::vector<Piece> pieces_;  // by id
    Trie trie_;
    std::int32_t empty_ = -1;
};

/// The ids of the pieces <0x00> to <0xFF>, -1 where there is none.
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

    /// The id. Throws TokenizerError where there is none: a file without one serves until a word
    /// needs it, as with Hugging Face.
    std::int32_t operator()() const {
        if (id < 0) {
            throw TokenizerError({"", "/model/unk_token",
                                  "a piece of the vocabulary, as a word is unknown",
                                  in_quotes(name)});
        }
        return id;
    }
};

}  // namespace nystromformer::detail
