#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes include/nystromformer/tokenizer/unicode/unicode_tables.hpp.

The Rust library behind Hugging Face tokenizers mixes Unicode versions (normalisation about 12,
graphemes 16, lower case 17), so tables from one UnicodeData.txt would differ from it on hundreds of
code points. This script therefore asks the installed `tokenizers` package about every code point:
each property is read off what a normaliser or pre-tokeniser does with a text made for it.

Usage: python tools/generate_unicode_tables.py [--check]     (needs: tokenizers)
"""
import argparse
import base64
import collections
import pathlib
import sys
import textwrap
import unicodedata

import tokenizers
from tokenizers import Regex, normalizers, pre_tokenizers

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "tests/tokenizer"))
from variants import charsmap  # noqa: E402

ROOT = pathlib.Path(__file__).parent.parent
TARGET = ROOT / "include/nystromformer/tokenizer/unicode/unicode_tables.hpp"
POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
BLOCKS = (32, 64, 128)  # sizes to choose from
HANGUL = range(0xAC00, 0xD7A4)  # decomposed by arithmetic
FLAGS = {  # name: what it says
    "mark": "removed by StripAccents",
    "white": "White_Space",
    "word": "\\w of the Rust regex crate",
    "linker": "InCB=Linker",
    "incb_extend": "InCB=Extend",
    "nfd": "has a canonical decomposition (Hangul is arithmetic)",
    "nfkd": "has a compatibility or canonical decomposition",
    "lower": "has a lower-case form",
    "recomposes": "has a canonical decomposition that NFC puts together again",
    "joins": "may join what stands before it in NFC or NFKC",
    "punctuation": "Punctuation's: P* of an old Unicode, and ASCII's symbols",
    "numeric": "char::is_numeric of Rust",
    "nonspacing": "Mn of an old Unicode: the accents of BertNormalizer",
    "other": "removed by BertNormalizer's clean_text",
    "onig_word": "\\w of Oniguruma",
}
BIT = {name: 1 << i for i, name in enumerate(FLAGS)}
CATEGORIES = ["Cn", "Cc", "Cf", "Co", "Ll", "Lm", "Lo", "Lt", "Lu", "Mc", "Me", "Mn", "Nd", "Nl", "No",
              "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm", "So", "Zl", "Zp", "Zs"]
ALL = "".join(map(chr, POINTS))
GRAPHEME = ["any", "cr", "lf", "control", "extend", "zwj", "regional_indicator", "prepend",
            "spacing_mark", "l", "v", "t", "lv", "lvt", "pictographic", "consonant"]


def mapping(normalizer):
    """{code point: its normal form} where the two differ."""
    forms = {c: normalizer.normalize_str(chr(c)) for c in POINTS}
    return {c: form for c, form in forms.items() if form != chr(c)}


def kept(pre_tokenizer):
    """The code points that are left when those that a pre-tokeniser cuts out are gone."""
    return {c for _, (begin, end) in pre_tokenizer.pre_tokenize_str(ALL) for c in POINTS[begin:end]}


def matching(pattern):
    """The code points that a regular expression of one character matches, for Oniguruma."""
    return set(POINTS) - kept(pre_tokenizers.Split(Regex(pattern), "removed"))


def categories():
    """{code point: number of its general category}, for Oniguruma; 0 is left out."""
    result = {}
    for number, name in enumerate(CATEGORIES):
        for c in matching(rf"\p{{{name}}}") if number else ():
            assert c not in result, hex(c)
            result[c] = number
    assert not any(c in result for c in matching(r"\p{Cn}"))
    white = {CATEGORIES.index(name) for name in ("Zl", "Zp", "Zs")}
    spaces = {c for c, number in result.items() if number in white} | {*range(9, 14), 0x85}
    assert matching(r"\s") == spaces and matching(r"\S") == set(POINTS) - spaces
    assert matching(r"\d") == {c for c, number in result.items() if number == CATEGORIES.index("Nd")}
    return result


def scripts():
    """(first code point, script) rows; script 0 goes with any other."""
    split = pre_tokenizers.UnicodeScripts().pre_tokenize_str
    with_script = [c for c in POINTS if split(chr(c))]
    runs = [begin for _, (begin, _) in split("".join(map(chr, with_script)))]
    representatives, of = [], {}
    for begin, end in zip(runs, runs[1:] + [len(with_script)]):
        char = chr(with_script[begin])
        number = next((i for i, r in enumerate(representatives) if len(split(r + char)) == 1), None)
        if number is None:
            number = len(representatives)
            representatives.append(char)
        of.update(dict.fromkeys(with_script[begin:end], number + 1))
    assert len(representatives) < 256
    rows = []
    for c in POINTS:
        if not rows or rows[-1][1] != of.get(c, 0):
            rows.append((c, of.get(c, 0)))
    return rows


def compositions(nfd):
    """(first, second, composite) rows of what NFC puts together, without Hangul."""
    normal = normalizers.NFC().normalize_str
    rows = []
    for c, form in nfd.items():
        if c not in HANGUL and normal(form) == chr(c):
            first = normal(form[:-1])
            assert len(first) == 1 and normal(first + form[-1]) == chr(c), hex(c)
            rows.append((ord(first), ord(form[-1]), c))
    return sorted(rows)


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


def sets_of_points(nfd, nfkd, lower, classes):
    """{flag: the code points that have it}."""
    stripped = normalizers.StripAccents().normalize_str
    bare = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    cleaned = normalizers.BertNormalizer(**bare | {"clean_text": True}).normalize_str
    unaccented = normalizers.BertNormalizer(**bare | {"strip_accents": True}).normalize_str
    white = {c for c in POINTS if pre_tokenizers.WhitespaceSplit().pre_tokenize_str(chr(c)) == []}
    words = pre_tokenizers.Whitespace().pre_tokenize_str  # \w+|[^\w\s]+
    composed = compositions(nfd)
    seconds = {second for _, second, _ in composed} | {*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}
    joining = seconds | set(classes)
    return {
        "mark": {c for c in POINTS if stripped(chr(c)) == ""}, "white": white,
        "word": {c for c in POINTS if c not in white and len(words("a" + chr(c))) == 1},
        "nfd": set(nfd) - {*HANGUL}, "nfkd": set(nfkd) - {*HANGUL}, "lower": set(lower),
        "recomposes": {c for _, _, c in composed},
        "joins": joining | {c for forms in (nfd, nfkd) for c, form in forms.items() if ord(form[0]) in joining},
        "punctuation": set(POINTS) - kept(pre_tokenizers.Punctuation("removed")),
        "numeric": {c for c in POINTS if len(pre_tokenizers.Digits().pre_tokenize_str("1" + chr(c))) == 1},
        "nonspacing": {c for c in POINTS if c not in nfd and unaccented(chr(c)) == ""},
        "other": {c for c in POINTS if cleaned(chr(c)) == ""},
        "onig_word": matching(r"\w"),
    }


def generate():
    nfd, nfkd = mapping(normalizers.NFD()), mapping(normalizers.NFKD())
    lower = mapping(normalizers.Lowercase())
    classes = combining_classes(nfd)
    flags = sets_of_points(nfd, nfkd, lower, classes)
    graphemes, flags["linker"], flags["incb_extend"] = grapheme_properties()
    category = categories()
    of_point = dict.fromkeys(POINTS, 0)
    for name, members in flags.items():
        for c in members:
            of_point[c] |= BIT[name]
    records, index_of, points = [(0, 0, 0, 0)], {(0, 0, 0, 0): 0}, {}
    for c in POINTS:
        record = (graphemes.get(c, 0), classes.get(c, 0), category.get(c, 0), of_point[c])
        points[c] = index_of.setdefault(record, len(records))
        if points[c] == len(records):
            records.append(record)
    # The frequent ones first, so that their numbers are short.
    counts = collections.Counter(points[c] for c in POINTS if c < 0x34000)
    order = [0] + sorted(range(1, len(records)), key=lambda number: -counts[number])
    renumbered = {number: place for place, number in enumerate(order)}
    points = {c: renumbered[number] for c, number in points.items()}
    return points, [records[number] for number in order], nfd, nfkd, lower


def two_stage(points, size):
    """Planes 0 to 3 and the tags of plane 14; planes 15 and 16 are private use, everything else is record 0."""
    starts = list(range(0, 0x34000, size)) + list(range(0xE0000, 0xE1000, size))
    covered = {c for start in starts for c in range(start, start + size)}
    private = points[0xE000]
    assert all(points[c] == (private if c >= 0xF0000 and c & 0xFFFE != 0xFFFE else 0)
               for c in POINTS if c not in covered)
    blocks, numbers, stage_1 = [], {}, []
    for start in starts:
        block = tuple(points.get(c, 0) for c in range(start, start + size))
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

namespace nystromformer::inline v0_2::detail::unicode {{

/// Grapheme-cluster-break classes of UAX 29, with the conjunct consonants of GB9c as one of them.
enum class Grapheme : std::uint8_t {{
{graphemes}
}};

/// General categories as Oniguruma has them.
enum class Category : std::uint8_t {{
{categories}
}};

/// Flags of a code point.
enum Flag : std::uint16_t {{
{flags}
}};

/// The distinct combinations of properties.
struct Record {{
    Grapheme grapheme;
    std::uint8_t combining_class;
    Category category;
    std::uint16_t flags;
}};

/// first, first + step, .. last become themselves + delta.
struct LowerRange {{
    std::uint32_t first, last;
    std::uint32_t step;
    std::int32_t delta;
}};

/// What NFC puts together.
struct Composition {{
    char32_t first, second;
    char32_t composite;
}};

/// Code points from `first` on have this script, 0 for those that go with any. Hiragana and
/// Katakana count as Han, as SentencePiece has it.
struct ScriptRange {{
    char32_t first;
    std::uint8_t script;
}};

"""


def render():
    points, records, nfd, nfkd, lower = generate()
    tables = {size: two_stage(points, size) for size in BLOCKS}
    size = min(BLOCKS, key=lambda size: sum(len(str(value)) + 1 for stage in tables[size] for value in stage))
    stage_1, stage_2 = tables[size]
    width = 8 if len(records) <= 256 else 16
    keys, starts, pool = decompositions(nfd, nfkd)
    rows = lower_ranges(lower)
    names = ", ".join(GRAPHEME)
    paragraphs = [textwrap.wrap(part, 97) + [""] for part in LICENCE.strip().split("\n\n")]
    text = HEADER.format(
        tokenizers=tokenizers.__version__,
        licence="\n".join(f"// {line}".rstrip() for part in paragraphs for line in part).rstrip("/ \n"),
        graphemes="    " + names.replace(", lv,", ",\n    lv,").replace(", prepend", ",\n    prepend"),
        categories=textwrap.fill(", ".join(name.lower() for name in CATEGORIES), 97,
                                 initial_indent="    ", subsequent_indent="    "),
        flags="\n".join(f"    {f'flag_{name} = {BIT[name]},':27} // {text}" for name, text in FLAGS.items()))
    text += "// Records; " + str(len(set(classes[1] for classes in records))) + " combining classes.\n"
    text += array("Record records[]", [f"{{Grapheme({g}),{k},Category({c}),{f}}}" for g, k, c, f in records])
    text += "// Blocks of code points of planes 0 to 3, then of U+E0000..E0FFF.\n"
    text += f"inline constexpr std::uint32_t block_size = {size};\n"
    text += array("std::uint16_t stage_1[]", stage_1)
    text += array(f"std::uint{width}_t stage_2[]", stage_2)
    text += array("LowerRange lower_ranges[]", [f"{{{a},{b},{s},{d}}}" for a, b, s, d in rows])
    text += "// Code point * 2, + 1 if the compatibility form differs from the canonical one.\n"
    text += array("std::uint32_t decomposition_keys[]", keys)
    text += array("std::uint16_t decomposition_starts[]", starts)
    text += "// UTF-16.\n" + array("std::uint16_t decomposition_pool[]", pool)
    text += array("Composition compositions[]", [f"{{{a},{b},{c}}}" for a, b, c in compositions(nfd)])
    text += array("ScriptRange script_ranges[]", [f"{{{c},{script}}}" for c, script in scripts()])
    return text + "\n}  // namespace nystromformer::inline v0_2::detail::unicode\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only tell whether the file is current")
    text = render()
    if parser.parse_args().check:
        sys.exit(0 if TARGET.read_text() == text else "unicode_tables.hpp is not current")
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text)
