// SPDX-License-Identifier: MIT
// What a SentencePiece model file (spiece.model) holds, read from its protobuf bytes:
// https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto
#pragma once

#include <nystromformer/core/bit_cast.hpp>
#include <nystromformer/core/checked.hpp>
#include <nystromformer/core/finite.hpp>
#include <nystromformer/core/memory_budget.hpp>
#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/models/model_lists.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// The fields of one protobuf message, in order. Every length is checked against what is there.
class ProtobufReader {
public:
    struct Field {
        std::uint64_t number = 0;
        std::uint64_t value = 0;   // of a varint or a fixed number
        std::string_view bytes{};  // of a string or message
        bool has_bytes = false;
    };

    /// `place` is the offset of `bytes` in `file`, for errors.
    ProtobufReader(std::string_view bytes, const std::string& file, std::size_t place = 0)
        : bytes_(bytes), file_(file), place_(place) {}

    bool at_end() const { return at_ == bytes_.size(); }
    std::size_t place() const { return place_ + at_; }

    Field next() {
        const std::uint64_t tag = varint();
        Field field;
        field.number = tag >> 3;
        switch (tag & 7) {
            case 0:
                field.value = varint();
                break;
            case 1:
                field.value = fixed(8);
                break;
            case 5:
                field.value = fixed(4);
                break;
            case 2:
                field.bytes = take(varint());
                field.has_bytes = true;
                break;
            default:
                fail("a field of type 0, 1, 2 or 5", tag & 7);
        }
        return field;
    }

    /// A reader of the message in `field`, which was read last.
    ProtobufReader inside(const Field& field) const {
        return {field.bytes, file_, place() - field.bytes.size()};
    }

    [[noreturn]] void fail(std::string expected, std::uint64_t found) const {
        throw FormatError(
            {file_, "byte " + std::to_string(place()), std::move(expected), std::to_string(found)});
    }

private:
    std::uint64_t varint() {
        std::uint64_t result = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const std::uint64_t byte = fixed(1);
            result |= (byte & 0x7F) << shift;
            if (byte < 0x80) return result;
        }
        fail("a number of at most 10 bytes", result);
    }
    std::string_view take(std::uint64_t size) {
        if (size > bytes_.size() - at_) fail("at most the bytes that are left", size);
        const auto taken = bytes_.substr(at_, as<std::size_t>(size));
        at_ += taken.size();
        return taken;
    }
    std::uint64_t fixed(std::size_t size) {
        if (size > bytes_.size() - at_) fail("a protobuf field", bytes_.size() - at_);
        std::uint64_t result = 0;
        for (std::size_t i = 0; i < size; ++i)
            result |= std::uint64_t{static_cast<unsigned char>(bytes_[at_ + i])} << (8 * i);
        at_ += size;
        return result;
    }

    std::string_view bytes_;
    const std::string& file_;
    std::size_t place_;
    std::size_t at_ = 0;
};

/// The parts of a ModelProto that a tokenizer needs.
struct SentencePieceModel {
    enum class Type : std::uint8_t { normal = 1, unknown, control, user_defined, unused, byte };
    struct Piece {
        std::string_view text;
        float score = 0;
        Type type = Type::normal;
    };
    std::vector<Piece> pieces;
    std::string_view precompiled_charsmap;  // empty: no normalisation

    /// Reads `bytes`, which must outlive it. Throws FormatError, or UnsupportedError for a model
    /// that is no Unigram.
    static SentencePieceModel parse(std::string_view bytes, MemoryBudget& budget) {
        const std::string& file = budget.file();
        SentencePieceModel model;
        std::uint64_t model_type = unigram;
        for (ProtobufReader reader(bytes, file); !reader.at_end();) {
            const auto field = reader.next();
            if (!field.has_bytes) continue;
            if (field.number == 1) {
                if (model.pieces.size() == model.pieces.capacity()) model.grow(budget);
                model.pieces.push_back(read_piece(reader.inside(field)));
            } else if (field.number == 2) {
                for (auto inner = reader.inside(field); !inner.at_end();)
                    if (const auto spec = inner.next(); spec.number == 3) model_type = spec.value;
            } else if (field.number == 3) {
                for (auto inner = reader.inside(field); !inner.at_end();)
                    if (const auto spec = inner.next(); spec.number == 2)
                        model.precompiled_charsmap = spec.bytes;
            }
        }
        if (model.pieces.empty()) throw FormatError({file, "", "at least one piece", "none"});
        if (model_type != unigram) {
            throw UnsupportedError({file, "trainer_spec.model_type", "a Unigram model (1)",
                                    model_type == 2 ? "BPE (2)" : std::to_string(model_type)});
        }
        return model;
    }

    /// What the pieces take.
    std::size_t memory() const { return pieces.capacity() * sizeof(Piece); }

private:
    static constexpr std::uint64_t unigram = 1;

    /// To twice the room, while the old one still exists.
    void grow(MemoryBudget& budget) {
        const std::size_t before = memory(),
                          room = std::max<std::size_t>(64, 2 * pieces.capacity());
        budget.take(room * sizeof(Piece));
        pieces.reserve(room);
        budget.give(before);
    }

    static Piece read_piece(ProtobufReader reader) {
        Piece piece;
        while (!reader.at_end()) {
            const auto field = reader.next();
            if (field.number == 1) {
                piece.text = field.bytes;
            } else if (field.number == 2) {
                piece.score = bit_cast<float>(static_cast<std::uint32_t>(field.value));
            } else if (field.number == 3) {
                if (field.value < 1 || field.value > 6)
                    reader.fail("a type from 1 to 6", field.value);
                piece.type = static_cast<Type>(field.value);
            }
        }
        if (!is_finite(piece.score)) reader.fail("a finite score", 0);
        if (!utf8::is_valid(piece.text)) reader.fail("a piece in UTF-8", 0);
        return piece;
    }
};

}  // namespace nystromformer::inline v0_2::detail
