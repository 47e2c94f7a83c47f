#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes include/nystromformer/tokenizer/unicode_tables.hpp.

The Rust library behind Hugging Face tokenizers mixes Unicode versions (normalisation about 12,
graphemes 16, lower case 17), so tables from one UnicodeData.txt would differ from it on hundreds of
code points. This script therefore asks the installed `tokenizers` package about every code point:
each property is read off what a normaliser or pre-tokeniser does with a text made for it.

Usage: python tools/generate_unicode_tables.py [--check]     (needs: tokenizers)
"""
import argparse
import base64
import pathlib
import sys
import textwrap
import unicodedata

import tokenizers
from tokenizers import normalizers, pre_tokenizers

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tests/tokenizer"))
from variants import charsmap  # noqa: E402

TARGET = pathlib.Path(__file__).parent.parent / "include/nystromformer/tokenizer/unicode_tables.hpp"
POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
BLOCK = 128
HANGUL = range(0xAC00, 0xD7A4)  # decomposed by arithmetic
MARK, WHITE, WORD, LINKER, INCB_EXTEND, NFD, NFKD, LOWER = (1 << i for i in range(8))
GRAPHEME = ["any", "cr", "lf", "control", "extend", "zwj", "regional_indicator", "prepend",
            "spacing_mark", "l", "v", "t", "lv", "lvt", "pictographic", "consonant"]


def mapping(normalizer):
    """{code point: its normal form} where the two differ."""
    forms = {c: normalizer.normalize_str(chr(c)) for c in POINTS}
    return {c: form for c, form in forms.items() if form != chr(c)}


def combining_classes(nfd):
    """The class of every code point that the library reorders, found by letting it reorder."""
    normal = normalizers.NFD().normalize_str
    low, high = "\u0334", "\u0345"  # the lowest class, 1, and the highest, 240
    moved = [c for c in POINTS if c >= 0x300 and c not in nfd and c not in HANGUL and
             (chr(c) == low or normal("a" + chr(c) + low) == "a" + low + chr(c) or
              normal("a" + high + chr(c)) == "a" + chr(c) + high)]
    representatives = {}
    for c in moved:
        representatives.setdefault(unicodedata.combining(chr(c)), chr(c))
    classes = {}
    for c in moved:
        char = chr(c)
        same = [k for k, r in representatives.items()
                if normal("a" + char + r) == "a" + char + r and normal("a" + r + char) == "a" + r + char]
        assert len(same) == 1 and same[0], (hex(c), same)
        classes[c] = same[0]
    return classes


def precompiled(rules):
    return normalizers.Precompiled(base64.b64decode(charsmap(rules))).normalize_str


def joins(before, after):
    """A test whether the library puts {c} into the cluster of the text around it.

    Its Precompiled looks a cluster of less than 6 bytes up whole, by its shortest prefix, so that what follows the
    prefix is lost; longer clusters go character by character. `after` begins with a mapped character and ends with
    marks that are lost unless its cluster goes back further.
    """
    normalize = precompiled({after[0]: "#"})
    return lambda char: normalize(before + char + after).endswith(after[1:])


def grapheme_properties():
    """{code point: class}, and the sets of InCB linkers and extenders."""
    appended = precompiled({"a": "#"})
    attached = {c for c in POINTS if appended("a" + chr(c)) == "#"}  # Extend, ZWJ, SpacingMark
    between_emoji = joins("\u00a9", "\u00a9\u0300")
    is_extend = lambda char: between_emoji(char + "\u200d")  # noqa: E731
    is_prepend, is_consonant = joins("", "a\u0300\u0300"), joins("", "\u0937\u0300")
    before_v, before_t = joins("", "\u1161\u0300"), joins("", "\u11a8\u0300")
    after_control = precompiled({"\u0300\u0301": "&"})
    after_emoji = precompiled({"\u00a9": "#"})
    result = {}
    for c in POINTS:
        char = chr(c)
        if c in attached:
            name = "zwj" if c == 0x200D else "extend" if is_extend(char) else "spacing_mark"
        elif after_control(char + "\u0300\u0301").endswith("&"):
            name = {13: "cr", 10: "lf"}.get(c, "control")
        elif is_prepend(char):
            name = "prepend"
        elif 0x1F1E6 <= c <= 0x1F1FF:
            name = "regional_indicator"
        elif c in HANGUL:
            name = "lvt" if (c - HANGUL[0]) % 28 else "lv"
        elif before_v(char) or before_t(char):
            name = "t" if not before_v(char) else "v" if before_t(char) else "l"
        elif after_emoji("\u00a9\u200d" + char) == "#\u200d" + (char if char != "\u00a9" else "#"):
            name = "pictographic"
        elif is_consonant(char + "\u094d"):
            name = "consonant"
        else:
            continue
        result[c] = GRAPHEME.index(name)
    between = joins("\u0915", "\u0937\u0300")
    linkers = {c for c in attached if between(chr(c))}
    return result, linkers, {c for c in attached if between("\u094d" + chr(c))} - linkers


def lower_ranges(lower):
    """(first, last, step, delta) rows; U+0130, the only one with two code points, is left out."""
    rows = []
    for c, form in sorted(lower.items()):
        if len(form) != 1:
            assert c == 0x130 and form == "i\u0307", (hex(c), form)
            continue
        delta = ord(form) - c
        if rows and rows[-1][3] == delta:
            first, last, step, _ = rows[-1]
            gap = c - last
            if gap <= 2 and (first == last or gap == step):
                rows[-1] = (first, c, gap, delta)
                continue
        rows.append((c, c, 1, delta))
    return rows


def array(declaration, values, width=100):
    lines, line = [], ""
    for value in values:
        text = f"{value},"
        if len(line) + len(text) > width:
            lines.append(line)
            line = ""
        line += text
    lines.append(line)
    return f"inline constexpr {declaration} = {{\n" + "\n".join(lines) + "\n};\n"


def generate():
    nfd, nfkd = mapping(normalizers.NFD()), mapping(normalizers.NFKD())
    lower = mapping(normalizers.Lowercase())
    classes = combining_classes(nfd)
    stripped = normalizers.StripAccents().normalize_str
    white = pre_tokenizers.WhitespaceSplit().pre_tokenize_str
    words = pre_tokenizers.Whitespace().pre_tokenize_str  # \w+|[^\w\s]+
    graphemes, linkers, extends = grapheme_properties()
    records, index_of = [(0, 0, 0)], {(0, 0, 0): 0}
    points = {}
    for c in POINTS:
        char = chr(c)
        flags = MARK * (stripped(char) == "") | WHITE * (white(char) == [])
        flags |= WORD * (len(words("a" + char)) == 1 and not flags & WHITE)
        flags |= LINKER * (c in linkers) | INCB_EXTEND * (c in extends) | LOWER * (c in lower)
        if c not in HANGUL:
            flags |= NFD * (c in nfd) | NFKD * (c in nfkd)
        record = (graphemes.get(c, 0), classes.get(c, 0), flags)
        points[c] = index_of.setdefault(record, len(records))
        if points[c] == len(records):
            records.append(record)
    assert len(records) <= 256, len(records)
    return points, records, nfd, nfkd, lower


def two_stage(points):
    """Planes 0 to 3 and the tags of plane 14; everything else is record 0."""
    starts = list(range(0, 0x34000, BLOCK)) + list(range(0xE0000, 0xE1000, BLOCK))
    covered = {c for start in starts for c in range(start, start + BLOCK)}
    assert all(points[c] == 0 for c in POINTS if c not in covered)
    blocks, numbers, stage_1 = [], {}, []
    for start in starts:
        block = tuple(points.get(c, 0) for c in range(start, start + BLOCK))
        if block not in numbers:
            numbers[block] = len(blocks)
            blocks.append(block)
        stage_1.append(numbers[block])
    assert len(blocks) <= 0xFFFF
    return stage_1, [value for block in blocks for value in block]


def decompositions(nfd, nfkd):
    """Keys (code point * 2 + compatibility), the start of each in a pool of UTF-16 units."""
    keys, starts, pool = [], [], []
    for c in sorted(set(nfd) | set(nfkd)):
        if c in HANGUL:
            continue
        forms = []
        if c in nfd:
            forms.append((c * 2, nfd[c]))
        if nfkd.get(c) != nfd.get(c):
            forms.append((c * 2 + 1, nfkd[c]))
        for key, form in forms:
            raw = form.encode("utf-16-le")
            keys.append(key)
            starts.append(len(pool))
            pool += [int.from_bytes(raw[i:i + 2], "little") for i in range(0, len(raw), 2)]
    starts.append(len(pool))
    assert len(pool) < 0x10000
    return keys, starts, pool


LICENCE = """
UNICODE LICENSE V3

COPYRIGHT AND PERMISSION NOTICE

Copyright (c) 1991-2025 Unicode, Inc.

NOTICE TO USER: Carefully read the following legal agreement. BY DOWNLOADING, INSTALLING, COPYING OR
OTHERWISE USING DATA FILES, AND/OR SOFTWARE, YOU UNEQUIVOCALLY ACCEPT, AND AGREE TO BE BOUND BY, ALL
OF THE TERMS AND CONDITIONS OF THIS AGREEMENT. IF YOU DO NOT AGREE, DO NOT DOWNLOAD, INSTALL, COPY,
DISTRIBUTE OR USE THE DATA FILES OR SOFTWARE.

Permission is hereby granted, free of charge, to any person obtaining a copy of data files and any
associated documentation (the "Data Files") or software and any associated documentation (the
"Software") to deal in the Data Files or Software without restriction, including without limitation
the rights to use, copy, modify, merge, publish, distribute, and/or sell copies of the Data Files or
Software, and to permit persons to whom the Data Files or Software are furnished to do so, provided
that either (a) this copyright and permission notice appear with all copies of the Data Files or
Software, or (b) this copyright and permission notice appear in associated Documentation.

THE DATA FILES AND SOFTWARE ARE PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED,
INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT OF THIRD PARTY RIGHTS.

IN NO EVENT SHALL THE COPYRIGHT HOLDER OR HOLDERS INCLUDED IN THIS NOTICE BE LIABLE FOR ANY CLAIM, OR
ANY SPECIAL INDIRECT OR CONSEQUENTIAL DAMAGES, OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE,
DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT
OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THE DATA FILES OR SOFTWARE.

Except as contained in this notice, the name of a copyright holder shall not be used in advertising
or otherwise to promote the sale, use or other dealings in these Data Files or Software without prior
written authorization of the copyright holder.
"""

HEADER = """// SPDX-License-Identifier: MIT AND Unicode-3.0
// What the tokenizer needs to know of each code point, as tokenizers {tokenizers} sees it.
//
// Generated by tools/generate_unicode_tables.py from tokenizers {tokenizers}; do not edit.
// clang-format off
//
// The values derive from data files of the Unicode Character Database:
{licence}
#pragma once

#include <cstdint>

namespace nystromformer::detail::unicode {{

/// Grapheme-cluster-break classes of UAX 29, with the conjunct consonants of GB9c as one of them.
enum class Grapheme : std::uint8_t {{
{graphemes}
}};

/// Flags of a code point.
enum Flag : std::uint8_t {{
    flag_mark = 1,         // removed by StripAccents
    flag_white = 2,        // White_Space
    flag_word = 4,         // \\w of the Rust regex crate
    flag_linker = 8,       // InCB=Linker
    flag_incb_extend = 16, // InCB=Extend
    flag_nfd = 32,         // has a canonical decomposition (Hangul is arithmetic)
    flag_nfkd = 64,        // has a compatibility or canonical decomposition
    flag_lower = 128,      // has a lower-case form
}};

/// The distinct combinations of properties.
struct Record {{
    Grapheme grapheme;
    std::uint8_t combining_class;
    std::uint8_t flags;
}};

/// first, first + step, .. last become themselves + delta.
struct LowerRange {{
    std::uint32_t first, last;
    std::uint32_t step;
    std::int32_t delta;
}};

"""


def render():
    points, records, nfd, nfkd, lower = generate()
    stage_1, stage_2 = two_stage(points)
    keys, starts, pool = decompositions(nfd, nfkd)
    rows = lower_ranges(lower)
    names = ", ".join(GRAPHEME)
    paragraphs = [textwrap.wrap(part, 97) + [""] for part in LICENCE.strip().split("\n\n")]
    text = HEADER.format(
        tokenizers=tokenizers.__version__,
        licence="\n".join(f"// {line}".rstrip() for part in paragraphs for line in part).rstrip("/ \n"),
        graphemes="    " + names.replace(", lv,", ",\n    lv,").replace(", prepend", ",\n    prepend"))
    text += "// Records; " + str(len(set(classes[1] for classes in records))) + " combining classes.\n"
    text += array("Record records[]", [f"{{Grapheme({g}),{k},{f}}}" for g, k, f in records])
    text += "// Blocks of 128 code points of planes 0 to 3, then of U+E0000..E0FFF.\n"
    text += array("std::uint16_t stage_1[]", stage_1)
    text += array("std::uint8_t stage_2[]", stage_2)
    text += array("LowerRange lower_ranges[]", [f"{{{a},{b},{s},{d}}}" for a, b, s, d in rows])
    text += "// Code point * 2, + 1 where the compatibility form differs from the canonical one.\n"
    text += array("std::uint32_t decomposition_keys[]", keys)
    text += array("std::uint16_t decomposition_starts[]", starts)
    text += "// UTF-16.\n" + array("std::uint16_t decomposition_pool[]", pool)
    return text + "\n}  // namespace nystromformer::detail::unicode\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only tell whether the file is current")
    text = render()
    if parser.parse_args().check:
        sys.exit(0 if TARGET.read_text() == text else "unicode_tables.hpp is not current")
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text)
