// SPDX-License-Identifier: MIT
// Small tokenizer files, right ones and what wrong ones are made of.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nystromformer::testing {

using Json = nlohmann::json;

/// A tokenizer.json small enough to read here, whole.
inline Json small() {
    return Json::parse(R"({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [
            {"id": 0, "content": "<unk>", "single_word": false, "lstrip": false, "rstrip": false,
             "normalized": false, "special": true},
            {"id": 1, "content": "[S]", "single_word": false, "lstrip": false, "rstrip": false,
             "normalized": false, "special": true},
            {"id": 6, "content": "new", "single_word": false, "lstrip": false, "rstrip": false,
             "normalized": true, "special": false}],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Replace", "pattern": {"String": "``"}, "content": "\""}, {"type": "NFKD"},
            {"type": "Precompiled", "precompiled_charsmap": ""}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "WhitespaceSplit"},
            {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": true}]},
        "post_processor": {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[S]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"[S]": {"id": "[S]", "ids": [1], "tokens": ["[S]"]}}},
        "decoder": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": true},
        "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": false, "vocab": [
            ["<unk>", 0.0], ["[S]", 0.0], ["\u2581", -2.0], ["a", -3.0], ["\u2581a", -3.5], ["b", -4]]}
    })");
}

inline std::string base64(std::string_view bytes) {
    constexpr char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group =
                group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k)
            text += i + k > bytes.size() ? '=' : alphabet[(group >> (18 - 6 * k)) & 63];
    }
    return text;
}

/// A character map of `units` and `replacements`.
inline std::string charsmap(const std::vector<std::uint32_t>& units,
                            std::string_view replacements) {
    std::string blob;
    const auto put = [&](std::uint32_t value) {
        for (int shift = 0; shift < 32; shift += 8)
            blob += static_cast<char>(static_cast<unsigned char>((value >> shift) & 0xFF));
    };
    put(static_cast<std::uint32_t>(units.size() * 4));
    for (const std::uint32_t unit : units) put(unit);
    return base64(blob.append(replacements));
}

/// 'a' becomes the first replacement: root 0 -> base 256, 'a' at 256 ^ 'a' -> base 512, its value.
inline std::vector<std::uint32_t> one_letter() {
    std::vector<std::uint32_t> units(768);
    units[0] = 256U << 10;
    units[256 ^ 'a'] = 'a' | 1U << 8 | ((256U ^ 'a' ^ 512U) << 10);
    units[512] = 1U << 31;
    return units;
}

inline Json with_charsmap(const std::string& text) {
    Json json = small();
    json["normalizer"]["normalizers"][2]["precompiled_charsmap"] = text;
    return json;
}

inline Json valid() { return with_charsmap(charsmap(one_letter(), std::string_view("b\0", 2))); }

inline Json bpe() {
    return Json::parse(R"({"model": {"type": "BPE", "unk_token": "?", "vocab":
        {"?": 0, "a": 7, "b": 2, "ab": 3, "aa": 4, "aaaa": 5, "aab": 60}, "merges":
        [["a", "a"], ["aa", "aa"], "a b", ["aa", "b"]]}})");
}

inline std::string varint(std::uint64_t value) {
    std::string result;
    for (; value >= 0x80; value >>= 7) result += static_cast<char>((value & 0x7F) | 0x80);
    return result + static_cast<char>(value);
}

/// Field `number` of a protobuf message, with `bytes`.
inline std::string field(std::uint64_t number, const std::string& bytes) {
    return varint(number << 3 | 2) + varint(bytes.size()) + bytes;
}

inline std::string piece(const std::string& text, char type) {
    return field(1, field(1, text) + std::string("\x15\0\0\x80\xBF", 5) + "\x18" + type);
}

inline std::string spiece() {
    return piece("<pad>", 3) + piece("<unk>", 2) + piece("[CLS]", 3) + piece("[SEP]", 3) +
           piece("[MASK]", 4) + piece("\u2581", 1) + piece("a", 1) + piece("5,", 1);
}

}  // namespace nystromformer::testing
