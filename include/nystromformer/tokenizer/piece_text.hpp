// SPDX-License-Identifier: MIT
// Normalised text and the pieces that pre-tokenisers cut it into, and the ways to treat what they
// cut at:
// https://github.com/huggingface/tokenizers/blob/3ba8ad00/tokenizers/src/tokenizer/normalizer.rs
#pragma once

#include <nystromformer/core/names.hpp>
#include <nystromformer/tokenizer/normalizers/normalized_text.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Bytes [begin, end) of a text: a piece for the model, or an added token that was found in it.
struct Piece {
    static constexpr std::int32_t no_token = -1;
    std::size_t begin;
    std::size_t end;
    std::int32_t added_token = no_token;
};

/// A normalised text and the pieces that it is cut into so far, in order.
struct PieceText {
    NormalizedText normalized;
    std::vector<Piece> pieces;
    std::vector<Piece> spare_pieces;

    std::string_view text(const Piece& piece) const {
        return std::string_view(normalized.text).substr(piece.begin, piece.end - piece.begin);
    }
    void clear() {
        normalized.clear();
        pieces.clear();
    }
};

/// Has `cut(text, piece, out)` put the parts of each piece of `target` into `out`, where `text` is
/// the whole text; added tokens stay whole.
template <typename Cut>
void cut_pieces(PieceText& target, Cut&& cut) {
    auto& out = target.spare_pieces;
    out.clear();
    for (const Piece& piece : target.pieces) {
        if (piece.added_token != Piece::no_token) {
            out.push_back(piece);
        } else {
            cut(std::string_view(target.normalized.text), piece, out);
        }
    }
    target.pieces.swap(out);
}

/// Has `write(piece, out)` write each piece of `target` to the spare buffers of its text and put
/// its parts, as they stand there, into `out`; added tokens stay as they are.
template <typename Write>
void rewrite_pieces(PieceText& target, Write&& write) {
    NormalizedText& normalized = target.normalized;
    normalized.clear_spare();
    auto& out = target.spare_pieces;
    out.clear();
    for (const Piece& piece : target.pieces) {
        if (piece.added_token != Piece::no_token) {
            const std::size_t begin = normalized.spare_text.size();
            normalized.copy_to_spare(piece.begin, piece.end);
            out.push_back({begin, normalized.spare_text.size(), piece.added_token});
        } else {
            write(piece, out);
        }
    }
    normalized.take_spare();
    target.pieces.swap(out);
}

/// What becomes of the matches of a pattern when text is cut at them. `contiguous` makes one piece
/// of neighbouring matches, and of neighbouring parts between.
enum class SplitBehavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };
inline constexpr auto split_behaviors = enum_names<SplitBehavior>(
    "Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous");

/// Makes pieces of the matches of a pattern and of what stands between, given in order and without
/// gaps.
class Splitter {
public:
    Splitter(SplitBehavior behavior, std::vector<Piece>& out) : behavior_(behavior), out_(out) {}

    void operator()(std::size_t begin, std::size_t end, bool is_match) {
        switch (behavior_) {
            case SplitBehavior::removed:
                if (!is_match) put(begin, end);
                break;
            case SplitBehavior::isolated:
                put(begin, end);
                break;
            case SplitBehavior::contiguous:
                extend_or_put(begin, end, waiting_ && is_match == last_is_match_);
                break;
            case SplitBehavior::merged_with_previous:
                extend_or_put(begin, end, waiting_ && is_match && !last_is_match_);
                break;
            case SplitBehavior::merged_with_next:
                if (is_match) finish();
                if (!is_match && waiting_) begin = waiting_->begin;
                if (is_match) {
                    waiting_ = Piece{begin, end};
                } else {
                    waiting_.reset();
                    put(begin, end);
                }
                break;
        }
        last_is_match_ = is_match;
    }

    /// To be called after the last part.
    void finish() {
        if (waiting_) put(waiting_->begin, waiting_->end);
        waiting_.reset();
    }

private:
    void put(std::size_t begin, std::size_t end) {
        if (begin < end) out_.push_back({begin, end});
    }
    /// The last part waits for those that it may be extended by; an empty one counts too.
    void extend_or_put(std::size_t begin, std::size_t end, bool extends) {
        if (extends) {
            waiting_->end = end;
        } else {
            finish();
            waiting_ = Piece{begin, end};
        }
    }

    SplitBehavior behavior_;
    std::vector<Piece>& out_;
    std::optional<Piece>
        waiting_;  // a part that may yet grow, or a match that the next part may take
    bool last_is_match_ = false;
};

/// Cuts `piece` at each code point for which `is_match(point)` is true.
template <typename IsMatch>
void split_at(std::string_view text, const Piece& piece, SplitBehavior behavior,
              std::vector<Piece>& out, IsMatch&& is_match) {
    Splitter splitter(behavior, out);
    std::size_t done = piece.begin;
    for (std::size_t at = piece.begin; at < piece.end;) {
        const auto [point, size] = utf8::decode(text, at);
        if (is_match(point)) {
            if (done < at) splitter(done, at, false);
            splitter(at, at + size, true);
            done = at + size;
        }
        at += size;
    }
    if (done < piece.end) splitter(done, piece.end, false);
    splitter.finish();
}

}  // namespace nystromformer::inline v0_2::detail
