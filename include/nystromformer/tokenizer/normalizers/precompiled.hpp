// SPDX-License-Identifier: MIT
// The Precompiled normaliser: SentencePiece's character map, as Hugging Face applies it:
// https://github.com/huggingface/tokenizers/blob/3ba8ad00/tokenizers/src/normalizers/precompiled.rs
#pragma once

#include <nystromformer/tokenizer/component.hpp>
#include <nystromformer/tokenizer/normalizers/charsmap.hpp>
#include <nystromformer/tokenizer/normalizers/normalized_text.hpp>
#include <nystromformer/tokenizer/unicode/unicode.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace nystromformer::inline v0_2::detail {

/// A grapheme cluster of less than 6 bytes is looked up whole (by its shortest prefix), any other
/// character by character.
class Precompiled {
public:
    static constexpr auto type_names = types("Precompiled");
    static Precompiled load(const ComponentJson& component) {
        const auto charsmap = component.at("precompiled_charsmap");
        const auto blob = decode_base64(charsmap.string());
        if (!blob) charsmap.fail("base64");
        return Precompiled(Charsmap(*blob, charsmap.file(), charsmap.path()));
    }
    /// True if every letter, digit and space of ASCII stands for itself.
    bool is_local() const {
        constexpr std::string_view kept =
            " abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        return std::all_of(kept.begin(), kept.end(), [&](char byte) { return keeps(byte); });
    }

    explicit Precompiled(Charsmap map) : map_(std::move(map)) {
        for (unsigned char byte = 1; byte < 0x80; ++byte) {
            const char character = static_cast<char>(byte);
            const auto found = map_.find(std::string_view(&character, 1));
            plain_[byte] = byte != '\r' && (!found || *found == std::string_view(&character, 1));
        }
        plain_[0] = true;
    }

    void operator()(NormalizedText& target) const {
        Rewriter rewriter(target);
        const std::string_view text = target.text;
        for (std::size_t at = 0; at < text.size();) {
            const std::string_view rest = text.substr(at);
            if (const std::size_t run = plain_run(rest); run != 0) {
                keep(text, at, run, rewriter);
                at += run;
                continue;
            }
            const std::string_view cluster = rest.substr(0, unicode::cluster_end(rest, 0));
            const auto whole = cluster.size() < 6 ? map_.find(cluster) : std::nullopt;
            if (whole) put(cluster, *whole, rewriter);
            const std::size_t end = at + cluster.size();
            for (std::size_t size = 0; at < end && !whole; at += size) {
                size = utf8::length(text[at]);
                if (const auto found = map_.find(text.substr(at, size))) {
                    put(text.substr(at, size), *found, rewriter);
                } else {
                    keep(text, at, size, rewriter);
                }
            }
            at = end;
        }
        target.lags |= rewriter.offset() != text.size();
        rewriter.finish();
    }

private:
    /// True if `byte` (ASCII) stands for itself.
    bool keeps(char byte) const { return plain_[static_cast<unsigned char>(byte)]; }

    /// Bytes [at, at + size) stay. The rewriter lags behind after a removal at the very start.
    static void keep(std::string_view text, std::size_t at, std::size_t size, Rewriter& rewriter) {
        if (rewriter.offset() == at) return rewriter.keep(size);
        for (const std::size_t end = at + size; at < end;) {
            const auto [point, bytes] = utf8::decode(text, at);
            rewriter.replace(point);
            at += bytes;
        }
    }

    /// Bytes that are ASCII, mapped to themselves and each a cluster of its own.
    std::size_t plain_run(std::string_view text) const {
        std::size_t size = 0;
        while (size < text.size() && utf8::is_ascii(text[size]) &&
               plain_[static_cast<unsigned char>(text[size])])
            ++size;
        // The last one may carry marks.
        if (size > 0 && size < text.size() && !utf8::is_ascii(text[size])) --size;
        return size;
    }

    static void put(std::string_view before, std::string_view after, Rewriter& rewriter) {
        const std::size_t old_count = utf8::count(before);
        const std::size_t new_count = utf8::count(after);
        std::size_t written = 0;
        for (std::size_t at = 0; at < after.size(); ++written) {
            const auto [point, size] = utf8::decode(after, at);
            if (written < old_count) {
                rewriter.replace(point);
            } else {
                rewriter.insert(point);
            }
            at += size;
        }
        if (new_count < old_count) rewriter.remove_after_last(old_count - new_count);
    }

    Charsmap map_;
    std::array<bool, 128> plain_{};
};

}  // namespace nystromformer::inline v0_2::detail
