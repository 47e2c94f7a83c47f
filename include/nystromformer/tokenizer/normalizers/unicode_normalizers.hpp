// SPDX-License-Identifier: MIT
// The normalisers that follow Unicode: decomposition, accents, lower case.
#pragma once

#include <nystromformer/tokenizer/component.hpp>
#include <nystromformer/tokenizer/normalizers/normalized_text.hpp>
#include <nystromformer/tokenizer/unicode/unicode.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace nystromformer::inline v0_2::detail {

/// Bytes up to the next one that is not ASCII.
inline std::size_t ascii_run(std::string_view text) {
    std::size_t size = 0;
    while (size < text.size() && utf8::is_ascii(text[size])) ++size;
    return size;
}

/// NFD, or NFKD with `compatibility`: full decomposition, marks in canonical order.
struct Decompose {
    bool compatibility = true;

    static constexpr auto type_names = types("NFD", "NFKD");
    static Decompose load(const ComponentJson& component) { return {component.type == "NFKD"}; }
    static constexpr bool is_local() { return true; }

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

/// Calls `rewrite(rewriter, point, size)` for each character of `target` beyond ASCII and each
/// ASCII one for which `keeps(byte)` is false.
template <typename Keeps, typename Rewrite>
void rewrite_characters(NormalizedText& target, Keeps&& keeps, Rewrite&& rewrite) {
    Rewriter rewriter(target);
    for (auto rest = rewriter.rest(); !rest.empty(); rest = rewriter.rest()) {
        std::size_t run = 0;
        while (run < rest.size() && utf8::is_ascii(rest[run]) && keeps(rest[run])) ++run;
        if (run != 0) {
            rewriter.keep(run);
            continue;
        }
        const auto [point, size] = utf8::decode(rest, 0);
        rewrite(rewriter, point, size);
    }
    rewriter.finish();
}

/// The same for the characters beyond ASCII.
template <typename Rewrite>
void rewrite_beyond_ascii(NormalizedText& target, Rewrite&& rewrite) {
    rewrite_characters(
        target, [](char) { return true; }, rewrite);
}

/// Drops the characters beyond ASCII that have `flag`.
inline void remove_characters(NormalizedText& target, unicode::Flag flag) {
    rewrite_beyond_ascii(target, [flag](Rewriter& rewriter, char32_t point, std::size_t size) {
        if (unicode::has(point, flag)) {
            rewriter.remove();
        } else {
            rewriter.keep(size);
        }
    });
}

/// Drops the combining marks.
struct StripAccents {
    static constexpr auto type_names = types("StripAccents");
    static constexpr bool is_local() { return true; }

    void operator()(NormalizedText& target) const { remove_characters(target, unicode::flag_mark); }
};

/// Lower case, code point by code point.
struct Lowercase {
    static constexpr auto type_names = types("Lowercase");
    static constexpr bool is_local() { return true; }

    void operator()(NormalizedText& target) const {
        bool is_ascii = true;
        for (char& byte : target.text) {
            if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte + ('a' - 'A'));
            is_ascii &= utf8::is_ascii(byte);
        }
        if (is_ascii) return;
        rewrite_beyond_ascii(target, [](Rewriter& rewriter, char32_t point, std::size_t size) {
            if (!unicode::has(point, unicode::flag_lower)) {
                rewriter.keep(size);
            } else if (point == 0x130) {
                rewriter.replace('i');
                rewriter.insert(0x307);
            } else {
                rewriter.replace(unicode::lower(point));
            }
        });
    }
};

}  // namespace nystromformer::inline v0_2::detail
