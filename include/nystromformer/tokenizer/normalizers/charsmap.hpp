// SPDX-License-Identifier: MIT
// SentencePiece's precompiled character map: base64, a darts-clone double array, replacements.
#pragma once

#include <nystromformer/error.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Strict base64 (RFC 4648, padding required); nullopt for anything else.
inline std::optional<std::string> decode_base64(std::string_view text) {
    constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::uint8_t values[256];
    std::memset(values, 64, sizeof values);
    for (std::size_t i = 0; i < 64; ++i)
        values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    if (text.size() % 4 != 0) return std::nullopt;
    std::size_t padding = 0;
    while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=')
        ++padding;
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_padding = i >= text.size() - padding;
        const std::uint32_t value = is_padding ? 0 : values[static_cast<unsigned char>(text[i])];
        if (value == 64) return std::nullopt;
        group = (group << 6) | value;
        if (i % 4 != 3) continue;
        for (const int shift : {16, 8, 0})
            bytes += static_cast<char>(static_cast<unsigned char>((group >> shift) & 0xFF));
        group = 0;
    }
    for (; padding > 0; --padding) {
        if (bytes.back() != '\0') return std::nullopt;  // stray bits
        bytes.pop_back();
    }
    return bytes;
}

/// The map: a prefix of a text to its replacement. Layout: u32 bytes of the array, the array of u32
/// units, UTF-8 replacements that end with NUL each. Little endian.
class Charsmap {
public:
    /// Checks every node that a text could reach. Throws TokenizerError, naming `file` and `place`.
    Charsmap(std::string_view blob, std::string file, std::string place)
        : file_(std::move(file)), place_(std::move(place)) {
        read(blob);
        check();
    }

    /// The replacement of the **shortest** prefix of `key` that is in the map (Hugging Face's rule;
    /// SentencePiece takes the longest); nullopt if there is none.
    std::optional<std::string_view> find(std::string_view key) const {
        std::size_t at = offset(units_[0]);
        for (const char character : key) {
            const auto byte = static_cast<unsigned char>(character);
            if (byte == 0) return std::nullopt;
            at ^= byte;
            if (at >= units_.size() || label(units_[at]) != byte) return std::nullopt;
            const std::uint32_t unit = units_[at];
            at ^= offset(unit);
            if (at >= units_.size()) return std::nullopt;
            if (has_leaf(unit)) return replacement(value(units_[at]));
        }
        return std::nullopt;
    }

private:
    static bool has_leaf(std::uint32_t unit) { return ((unit >> 8) & 1) != 0; }
    static std::uint32_t value(std::uint32_t unit) { return unit & 0x7FFFFFFFU; }
    static std::uint32_t label(std::uint32_t unit) { return unit & 0x800000FFU; }
    static std::size_t offset(std::uint32_t unit) {
        return std::size_t{unit >> 10} << ((unit & 0x200U) >> 6);
    }

    std::optional<std::string_view> replacement(std::size_t start) const {
        if (start >= replacements_.size()) return std::nullopt;
        return std::string_view(replacements_.data() + start);  // NUL-terminated by check()
    }

    void read(std::string_view blob) {
        if (blob.size() < 4) fail("at least 4 bytes", std::to_string(blob.size()));
        const std::uint32_t size = unit_at(blob, 0);
        if (size > blob.size() - 4 || size % 4 != 0 || size == 0) {
            fail("an array whose size is a multiple of 4, of at most " +
                     std::to_string(blob.size() - 4) + " bytes",
                 std::to_string(size));
        }
        units_.resize(size / 4);
        for (std::size_t i = 0; i < units_.size(); ++i) units_[i] = unit_at(blob, 4 + 4 * i);
        replacements_ = blob.substr(4 + size);
        if (!replacements_.empty() && replacements_.back() != '\0')
            fail("replacements that end with NUL", "none at the end");
        if (!utf8::is_valid(replacements_)) fail("replacements in UTF-8", "invalid bytes");
    }

    static std::uint32_t unit_at(std::string_view blob, std::size_t at) {
        std::uint32_t result = 0;
        for (std::size_t i = 4; i-- > 0;)
            result = (result << 8) | static_cast<unsigned char>(blob[at + i]);
        return result;
    }

    /// Visits every reachable node once. A unit is a child of the node whose base is the unit's own
    /// place with its label taken off.
    void check() const {
        constexpr std::uint32_t none = 0xFFFFFFFFU;
        const auto size = static_cast<std::uint32_t>(units_.size());
        std::vector<std::uint32_t> first_child(size, none), next_sibling(size, none);
        for (std::uint32_t child = size; child-- > 1;) {
            const std::uint32_t byte = label(units_[child]), base = child ^ byte;
            if (byte == 0 || byte > 0xFF || base >= size) continue;
            next_sibling[child] = std::exchange(first_child[base], child);
        }
        std::vector<std::size_t> open = {0};
        while (!open.empty()) {
            const std::size_t node = open.back();
            open.pop_back();
            const std::size_t base = node ^ offset(units_[node]);
            if ((base | 0xFF) >= units_.size()) {
                fail("offsets inside an array of " + std::to_string(units_.size()) + " units",
                     "unit " + std::to_string(node) + " leading to " + std::to_string(base));
            }
            if (node != 0 && has_leaf(units_[node])) check_value(node, value(units_[base]));
            // Taken from their list, so that no later node with this base visits them again.
            for (auto child = std::exchange(first_child[base], none); child != none;
                 child = next_sibling[child])
                open.push_back(child);
        }
    }
    void check_value(std::size_t node, std::size_t start) const {
        if (start >= replacements_.size() || utf8::is_continuation(replacements_[start])) {
            fail("replacements inside " + std::to_string(replacements_.size()) + " bytes",
                 "unit " + std::to_string(node) + " pointing to byte " + std::to_string(start));
        }
    }
    [[noreturn]] void fail(std::string expected, std::string found) const {
        throw TokenizerError({file_, place_, std::move(expected), std::move(found)});
    }

    std::string file_;
    std::string place_;
    std::vector<std::uint32_t> units_;
    std::string replacements_;
};

}  // namespace nystromformer::inline v0_2::detail
