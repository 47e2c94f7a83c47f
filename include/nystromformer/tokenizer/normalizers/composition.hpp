// SPDX-License-Identifier: MIT
// Canonical composition, with the alignment that Hugging Face's library gives it:
// https://github.com/n1t0/unicode-normalization/blob/master/src/recompose.rs
#pragma once

#include <nystromformer/tokenizer/component.hpp>
#include <nystromformer/tokenizer/normalizers/normalized_text.hpp>
#include <nystromformer/tokenizer/normalizers/unicode_normalizers.hpp>
#include <nystromformer/tokenizer/unicode/unicode.hpp>
#include <nystromformer/tokenizer/unicode/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// NFC, or NFKC with `compatibility`: full decomposition, marks in canonical order, composition.
struct Compose {
    bool compatibility = false;

    static constexpr auto type_names = types("NFC", "NFKC");
    static Compose load(const ComponentJson& component) { return {component.type == "NFKC"}; }
    static constexpr bool is_local() { return true; }

    void operator()(NormalizedText& target) const {
        Rewriter rewriter(target);
        std::vector<Part> parts;
        for (auto rest = rewriter.rest(); !rest.empty(); rest = rewriter.rest()) {
            std::size_t run = ascii_run(rest);
            // The last one may carry marks.
            if (run != 0 && run < rest.size()) --run;
            if (run != 0) {
                rewriter.keep(run);
                continue;
            }
            const std::size_t size = utf8::length(rest[0]), end = segment_end(rest);
            if (end == size && stays(utf8::decode(rest, 0).point)) {
                rewriter.keep(size);
            } else {
                decompose(rest.substr(0, end), parts);
                compose(parts, rewriter);
            }
        }
        rewriter.finish();
    }

private:
    struct Part {
        char32_t point;
        std::uint8_t combining_class;
        std::ptrdiff_t change;  // as Rewriter::transform has it
    };

    /// The first character and all that may join it.
    static std::size_t segment_end(std::string_view text) {
        std::size_t end = utf8::length(text[0]);
        while (end < text.size() && !utf8::is_ascii(text[end])) {
            const auto [point, size] = utf8::decode(text, end);
            if (!unicode::has(point, unicode::flag_joins)) break;
            end += size;
        }
        return end;
    }

    /// True for a character that is the same, alone, after decomposition and composition.
    bool stays(char32_t point) const {
        const unsigned flags = unicode::record(point).flags;
        if (compatibility) return (flags & unicode::flag_nfkd) == 0;
        return (flags & unicode::flag_nfd) == 0 || (flags & unicode::flag_recomposes) != 0;
    }

    void decompose(std::string_view segment, std::vector<Part>& parts) const {
        parts.clear();
        for (std::size_t at = 0; at < segment.size();) {
            const auto [point, size] = utf8::decode(segment, at);
            std::ptrdiff_t change = 0;
            unicode::decompose(point, compatibility, [&](char32_t part) {
                parts.push_back({part, unicode::record(part).combining_class, change});
                change = 1;
            });
            at += size;
        }
        const auto is_starter = [](const Part& part) { return part.combining_class == 0; };
        for (auto begin = parts.begin(); begin != parts.end();) {
            const auto end = std::find_if(begin, parts.end(), is_starter);
            std::stable_sort(begin, end, [](const Part& a, const Part& b) {
                return a.combining_class < b.combining_class;
            });
            begin = std::find_if_not(end, parts.end(), is_starter);
        }
    }

    static void compose(const std::vector<Part>& parts, Rewriter& rewriter) {
        std::optional<Part> starter;
        std::vector<Part> marks;  // those that the starter could not take
        const auto flush = [&] {
            if (starter) rewriter.transform(starter->point, starter->change);
            for (const Part& mark : marks) rewriter.transform(mark.point, mark.change);
            marks.clear();
        };
        for (const Part& part : parts) {
            if (!starter && part.combining_class != 0) {
                rewriter.transform(part.point, part.change);
                continue;
            }
            // A mark of the same class or a higher one stands between.
            const bool is_blocked =
                !marks.empty() && marks.back().combining_class >= part.combining_class;
            const char32_t composite =
                starter && !is_blocked ? unicode::compose(starter->point, part.point) : 0;
            if (composite != 0) {
                *starter = {composite, 0, starter->change + part.change - 1};
            } else if (part.combining_class == 0) {
                flush();
                starter = part;
            } else {
                marks.push_back(part);
            }
        }
        flush();
    }
};

}  // namespace nystromformer::inline v0_2::detail
