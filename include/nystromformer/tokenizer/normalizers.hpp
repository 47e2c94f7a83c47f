// SPDX-License-Identifier: MIT
// The normalisers of tokenizer.json, each a rewriting of a NormalizedText:
// https://github.com/huggingface/tokenizers/tree/v0.23.1/tokenizers/src/normalizers
#pragma once

#include <nystromformer/core/json.hpp>
#include <nystromformer/tokenizer/charsmap.hpp>
#include <nystromformer/tokenizer/normalized_text.hpp>
#include <nystromformer/tokenizer/unicode.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace nystromformer::detail {

using TokenizerJson = JsonView<TokenizerError>;

/// Every occurrence of `pattern`, or every run of at least two spaces, becomes `content`.
struct Replace {
    std::string pattern;  // empty: the regex " {2,}"
    std::string content;

    /// The next match in `text` from `from`: its place and size, or npos.
    std::pair<std::size_t, std::size_t> find(std::string_view text, std::size_t from = 0) const {
        if (!pattern.empty()) return {text.find(pattern, from), pattern.size()};
        const std::size_t begin = text.find("  ", from);
        if (begin == std::string_view::npos) return {begin, 0};
        return {begin, std::min(text.find_first_not_of(' ', begin), text.size()) - begin};
    }

    void operator()(NormalizedText& target) const {
        Rewriter rewriter(target);
        for (auto match = find(target.text); match.first != std::string_view::npos;
             match = find(target.text, rewriter.offset())) {
            rewriter.keep(match.first - rewriter.offset());
            rewriter.substitute(match.second, content);
        }
        rewriter.keep(rewriter.rest().size());
        rewriter.finish();
    }
};

/// Bytes up to the next one that is not ASCII.
inline std::size_t ascii_run(std::string_view text) {
    std::size_t size = 0;
    while (size < text.size() && utf8::is_ascii(text[size])) ++size;
    return size;
}

/// NFD, or NFKD with `compatibility`: full decomposition, marks in canonical order.
struct Decompose {
    bool compatibility = true;

    void operator()(NormalizedText& target) const {
        Rewriter rewriter(target);
        Marks marks;
        while (true) {
            const std::string_view rest = rewriter.rest().substr(marks.bytes);
            if (rest.empty() || utf8::is_ascii(rest[0])) {
                flush(marks, rewriter);
                if (rest.empty()) break;
                rewriter.keep(ascii_run(rest));
                continue;
            }
            const auto [point, size] = utf8::decode(rest, 0);
            const unicode::Record& record = unicode::record(point);
            if (!decomposes(point, record) && record.combining_class == 0) {
                flush(marks, rewriter);
                rewriter.keep(size);
            } else {
                bool first = true;
                // Clang before 16 captures no structured bindings, but copies of them.
                unicode::decompose(point, compatibility,
                                   [&, whole = point, bytes = size](char32_t part) {
                                       add({part, unicode::record(part).combining_class, !first,
                                            first ? bytes : 0, part != whole},
                                           marks, rewriter);
                                       first = false;
                                   });
            }
        }
        rewriter.finish();
    }

private:
    struct Mark {
        char32_t point;
        std::uint8_t combining_class;
        bool inserted;
        std::size_t consumed;  // bytes of the source that it stands for
        bool changed;
    };
    /// The marks that wait for the next starter.
    struct Marks {
        std::vector<Mark> items;
        std::size_t bytes = 0;
        bool changed = false;
    };

    bool decomposes(char32_t point, const unicode::Record& record) const {
        if (point >= unicode::hangul_first && point <= unicode::hangul_last) return true;
        return (record.flags & (compatibility ? unicode::flag_nfkd : unicode::flag_nfd)) != 0;
    }

    static void write(const Mark& mark, Rewriter& rewriter) {
        if (mark.inserted) {
            rewriter.insert(mark.point);
        } else {
            rewriter.replace(mark.point);
        }
    }

    static void add(const Mark& mark, Marks& marks, Rewriter& rewriter) {
        if (mark.combining_class == 0) {
            flush(marks, rewriter);
            return write(mark, rewriter);
        }
        marks.changed |=
            mark.changed ||
            (!marks.items.empty() && marks.items.back().combining_class > mark.combining_class);
        marks.bytes += mark.consumed;
        marks.items.push_back(mark);
    }

    static void flush(Marks& marks, Rewriter& rewriter) {
        if (marks.changed) {
            std::stable_sort(
                marks.items.begin(), marks.items.end(),
                [](const Mark& a, const Mark& b) { return a.combining_class < b.combining_class; });
            for (const Mark& mark : marks.items) write(mark, rewriter);
        } else {
            rewriter.keep(marks.bytes);
        }
        marks.items.clear();
        marks.bytes = 0;
        marks.changed = false;
    }
};

/// Drops the combining marks.
struct StripAccents {
    void operator()(NormalizedText& target) const {
        Rewriter rewriter(target);
        for (auto rest = rewriter.rest(); !rest.empty(); rest = rewriter.rest()) {
            if (const std::size_t run = ascii_run(rest); run != 0) {
                rewriter.keep(run);
                continue;
            }
            const auto [point, size] = utf8::decode(rest, 0);
            if (unicode::has(point, unicode::flag_mark)) {
                rewriter.remove();
            } else {
                rewriter.keep(size);
            }
        }
        rewriter.finish();
    }
};

/// Lower case, code point by code point.
struct Lowercase {
    void operator()(NormalizedText& target) const {
        bool is_ascii = true;
        for (char& byte : target.text) {
            if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte + ('a' - 'A'));
            is_ascii &= utf8::is_ascii(byte);
        }
        if (is_ascii) return;
        Rewriter rewriter(target);
        for (auto rest = rewriter.rest(); !rest.empty(); rest = rewriter.rest()) {
            if (const std::size_t run = ascii_run(rest); run != 0) {
                rewriter.keep(run);
                continue;
            }
            const auto [point, size] = utf8::decode(rest, 0);
            if (!unicode::has(point, unicode::flag_lower)) {
                rewriter.keep(size);
            } else if (point == 0x130) {
                rewriter.replace('i');
                rewriter.insert(0x307);
            } else {
                rewriter.replace(unicode::lower(point));
            }
        }
        rewriter.finish();
    }
};

/// SentencePiece's character map as Hugging Face applies it: a grapheme cluster of less than 6
/// bytes is looked up whole (by its shortest prefix), any other character by character.
class Precompiled {
public:
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
        rewriter.finish();
    }

private:
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

/// Drops white space at the ends.
struct Strip {
    bool left = true;
    bool right = true;

    void operator()(NormalizedText& target) const {
        std::size_t end = target.text.size();
        while (right && end > 0) {
            const auto last = utf8::decode_before(target.text, end);
            if (!unicode::is_white(last.point)) break;
            end -= last.size;
        }
        Rewriter rewriter(target);
        while (left && rewriter.offset() < end &&
               unicode::is_white(utf8::decode(rewriter.rest(), 0).point))
            rewriter.remove();
        rewriter.keep(end - rewriter.offset());
        while (!rewriter.rest().empty()) rewriter.remove();
        rewriter.finish();
    }
};

/// Puts text before text that is not empty; it shares the span of the first character.
struct Prepend {
    std::string content;

    void operator()(NormalizedText& target) const {
        if (target.text.empty()) return;
        target.spans.insert(target.spans.begin(), content.size(), Span(target.spans.front()));
        target.text.insert(0, content);
    }
};

using Normalizer =
    std::variant<Replace, Decompose, StripAccents, Lowercase, Precompiled, Strip, Prepend>;

inline void apply(const std::vector<Normalizer>& chain, NormalizedText& target) {
    for (const Normalizer& normalizer : chain)
        std::visit([&](const auto& step) { step(target); }, normalizer);
}

}  // namespace nystromformer::detail
