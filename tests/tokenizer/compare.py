#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares a program that tokenizes with Hugging Face's library, and exits 1 on any difference.

Usage: compare.py [--manual-pages N] PROGRAM [TEXT_FILE...]    (needs: tokenizers; with regex, newer code points too)
PROGRAM is the command line `nystromformer` or build of encode_lines.cpp: it is run as
`PROGRAM tokenize --model DIR` and reads and writes JSON lines. Texts: paragraphs of the files, with --manual-pages
N of each language of manual_pages.py, every assigned code point in context, random strings; then variants of the tokenizer.json on fewer of each; then every
normalizer and pre-tokenizer alone on every assigned code point and random strings.
"""
import argparse
import itertools
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time
import unicodedata

import tokenizers

from components import components
from manual_pages import some_of
from variants import ADDED_CONTENTS, BASE, CLUSTER_SAMPLES, variants


def paragraphs(files, count):
    """`count` paragraphs, evenly from all files."""
    result = []
    for file in files:
        text = pathlib.Path(file).read_text(encoding="utf-8", errors="replace")
        result += [part for part in text.split("\n\n" if "\n\n" in text else "\n") if part.strip()]
    step = max(1, len(result) // max(count, 1))
    return result[::step][:count]


def assigned():
    try:
        import regex
        unassigned = regex.compile(r"\p{Cn}")
        return [c for c in range(0x110000) if not 0xD800 <= c < 0xE000 and not unassigned.match(chr(c))]
    except ImportError:
        return [c for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs")]


def telling(points):
    """Of the large uniform blocks (ideographs, syllables, private use) only some."""
    blocks = ((0x3400, 0xA000), (0xAC00, 0xD7A4), (0xE000, 0xF900), (0x17000, 0x18D00), (0x20000, 0x110000))
    return [c for c in points if c % 61 == 0 or not any(first <= c < end for first, end in blocks)]


def in_context(points, together=1):
    return [" ".join(f"a{chr(c)}b {chr(c)} {chr(c)}e" for c in points[i:i + together])
            for i in range(0, len(points), together)]


class RandomText:
    """Strings of letters, marks, Hangul, emoji sequences, white space, controls, added tokens, anything."""

    def __init__(self, seed, words):
        self.random = random.Random(seed)
        self.words = words or ["over", "the", "Lazy", "dog's"]
        marks = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000 and unicodedata.combining(chr(c))]
        self.sources = [
            lambda r: chr(r.randrange(0x21, 0x7F)), lambda r: " " * r.choice([1, 1, 1, 2, 3]),
            lambda r: r.choice(self.words), lambda r: r.choice(self.words) + " ",
            lambda r: "".join(r.choice(marks) for _ in range(r.randrange(1, 4))),
            lambda r: r.choice("aeinoAEIO\u00e9\u0130\u1e9b\ufb01") + r.choice(marks),
            lambda r: chr(r.choice([r.randrange(0x1100, 0x1200), r.randrange(0xAC00, 0xD7A4)])),
            lambda r: r.choice("\U0001f468\U0001f469\u2764\U0001f3f4\u00a9") + r.choice(
                ["\u200d", "\ufe0f", "\u200d\U0001f469", "\U0001f3fb", "\u200d\u200d"]),
            lambda r: "".join(chr(r.randrange(0x1F1E6, 0x1F200)) for _ in range(r.randrange(1, 5))),
            lambda r: r.choice("\t\n\r\x0b\x0c\x85\xa0\u1680\u2003\u2028\u202f\u3000\r\n"),
            lambda r: chr(r.randrange(0x20)) if r.random() < 0.7 else r.choice("\u200b\u200e\ufeff\x7f\u00ad"),
            lambda r: r.choice(["[MASK]", "<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK", "]", " [MASK] ", "[mask]"]),
            lambda r: r.choice(ADDED_CONTENTS), lambda r: r.choice(CLUSTER_SAMPLES),
            lambda r: r.choice(["``", "''", "`", "'", "\u2581", "\u2581\u2581", "<0x41>", "'''"]),
            lambda r: chr(r.randrange(0x900, 0xE00)), lambda r: chr(r.randrange(0xFB00, 0xFFFE)),
            lambda r: chr(r.choice([r.randrange(0xD800), r.randrange(0xE000, 0x110000), r.randrange(0x3400)])),
        ]

    def __call__(self):
        few = self.random.sample(self.sources, self.random.randrange(1, 6))
        return "".join(self.random.choice(few)(self.random) for _ in range(self.random.randrange(1, 24)))


class PatternText:
    """Strings of what the regular expressions of tokenizers tell apart."""

    PARTS = ["'s", "'S", "'\u017f", "'t", "'re", "'LL", "'Ve", "'", "a", "ab", "abe", "e", "E", "s", "k", "\u212a", "x",
             " ", "  ", "   ", "\n", "\r\n", "\t", "\u00a0", "\u0085", "\u3000", "1", "23", "456", "\u0664", "\u00bd",
             "\u2163", ".", "!?", "--", "/", "_", "\u2581", "A", "Bc", "\u01c5", "\u02b0", "\u4e00\u4e8c", "\u3042", "\u0301",
             "\u00e9", "e\u0301", "\u20ac", "$", "\u200d", "\U0001f600", "\u05d0", "\u0e01\u0e33", "\u2028", "[", "\\"]

    def __init__(self, seed):
        self.random = random.Random(seed)

    def __call__(self):
        few = self.random.sample(self.PARTS, self.random.randrange(2, 12))
        return "".join(self.random.choices(few, k=self.random.randrange(1, 30)))


def long_texts(make, prose, count):
    """Long enough to be worked on in parts, many beginning with what normalisation removes."""
    texts = []
    for number in range(count):
        parts = ["\x01\u200b"[number % 4:number % 4 + 1]]
        while sum(map(len, parts)) < 12000:
            parts.append(make.random.choice(prose)[:2000] if prose and make.random.random() < 0.1 else make())
            parts += make.random.choices(make.words, k=3)
        texts.append(" ".join(parts))
    return texts


def windows(encoding):
    """What is compared of an encoding, by the program's names."""
    return {"ids": encoding.ids, "tokens": encoding.tokens, "offsets": [list(pair) for pair in encoding.offsets],
            "type_ids": encoding.type_ids, "attention_mask": encoding.attention_mask,
            "special_tokens_mask": encoding.special_tokens_mask,
            "word_ids": [-1 if word is None else word for word in encoding.word_ids]}


def expected(tokenizer, request):
    """The library's answer, or the reason why it has none; "panic" where it is the library that failed."""
    try:
        if "decode" in request:
            return {"decoded": decoded(tokenizer, request["decode"])}
        encoding = tokenizer.encode(request["text"], request.get("pair"), add_special_tokens=not request.get("plain"))
        result = windows(encoding)
        result["sequence_ids"] = [-1 if number is None else number for number in encoding.sequence_ids]
        result["overflowing"] = [windows(window) for window in encoding.overflowing]
        result["decoded"] = decoded(tokenizer, encoding.ids)
        return result
    except BaseException as error:  # the library's panics are BaseExceptions
        if isinstance(error, KeyboardInterrupt):
            raise
        return {"error": str(error)} | ({"panic": True} if type(error).__name__ == "PanicException" else {})


def decoded(tokenizer, ids):
    return [tokenizer.decode(ids), tokenizer.decode(ids, skip_special_tokens=False)]


def difference(found, wanted):
    """The first field that differs, or None. Fields that the program does not tell are not compared."""
    for key in ("ids", "tokens", "offsets", "type_ids", "attention_mask", "special_tokens_mask"):
        if found.get(key) != wanted[key]:
            return key, found.get(key), wanted[key]
    for key in ("word_ids", "sequence_ids", "decoded"):
        if key in found and isinstance(found[key], list) and key in wanted and found[key] != wanted[key]:
            return key, found[key], wanted[key]
    if "overflowing" in found and "overflowing" in wanted:
        if len(found["overflowing"]) != len(wanted["overflowing"]):
            return "overflowing", len(found["overflowing"]), len(wanted["overflowing"])
        for number, pair in enumerate(zip(found["overflowing"], wanted["overflowing"])):
            if inner := difference(*pair):
                return (f"overflowing[{number}].{inner[0]}",) + inner[1:]
    return None


def wrong_bytes(found, request):
    """Where the byte offsets, if told, are not those of the code points, in the request's texts."""
    if "byte_offsets" not in found or "sequence_ids" not in found:
        return None
    starts = [list(itertools.accumulate((len(char.encode()) for char in request.get(key, "")), initial=0))
              for key in ("text", "pair")]
    for number, (offsets, sequence) in enumerate(zip(found["offsets"], found["sequence_ids"])):
        wanted = [starts[max(sequence, 0)][place] for place in offsets]
        if found["byte_offsets"][number] != wanted:
            return f"byte_offsets[{number}]", found["byte_offsets"][number], wanted
    return next(filter(None, (wrong_bytes(window, request) for window in found["overflowing"])), None)


def compare(program, tokenizer_json, requests, label):
    """Runs both over `requests`; returns the number of differences."""
    with tempfile.TemporaryDirectory() as folder:
        text = json.dumps(tokenizer_json)
        (pathlib.Path(folder) / "tokenizer.json").write_text(text)
        # AutoTokenizer would add the token of /padding.
        (pathlib.Path(folder) / "tokenizer_config.json").write_text('{"pad_token": null}')
        return compare_folder(program, folder, tokenizers.Tokenizer.from_str(text), requests, label)


def compare_folder(program, folder, tokenizer, requests, label):
    """The same for a folder and the library's tokenizer of it."""
    started = time.time()
    process = subprocess.Popen([program, "tokenize", "--model", folder], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)

    def feed():
        for request in requests:
            process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.close()

    threading.Thread(target=feed, daemon=True).start()
    differences = refused = 0
    for request in requests:
        line = process.stdout.readline()
        if not line:
            sys.exit(f"{label}: {program} ended early at {request!r}")
        answer, wanted = json.loads(line), expected(tokenizer, request)
        if "error" in wanted:
            refused += 1
            problem = None if "error" in answer else ("error", "an answer", wanted["error"])
        elif "error" in answer:
            problem = ("error", answer["error"], "an answer")
        else:
            problem = difference(answer["output"], wanted) or wrong_bytes(answer["output"], request)
        if problem:
            differences += 1
            if differences <= 3:
                print(f"{label}: {request!r}: {problem[0]}\n  found  {problem[1]!r}\n  wanted {problem[2]!r}")
    if process.wait() not in (0, 3):  # 3: some lines were refused
        sys.exit(f"{label}: {program} failed")
    print(f"{label}: {len(requests)} texts, {refused} refused by both, {differences} differences, "
          f"{time.time() - started:.1f} s", flush=True)
    return differences


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--paragraphs", type=int, default=20000)
    parser.add_argument("--random", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every-point", action="store_true", help="every code point for every component (half an hour)")
    parser.add_argument("--variant", help="only variants and components with this in their name")
    parser.add_argument("--manual-pages", type=int, default=0, metavar="N", help="N paragraphs of each language")
    options = parser.parse_intermixed_args()
    base = json.loads(BASE.read_text())
    prose = paragraphs(options.files, options.paragraphs)
    pages = some_of(options.manual_pages) if options.manual_pages else []
    words = sorted({word for part in prose[:500] for word in part.split()})
    make = RandomText(options.seed, words)
    strings = [make() for _ in range(options.random)]
    points = assigned()
    differences = 0
    long = long_texts(make, prose, 40)
    if not options.variant:
        for label, texts in (("paragraphs", prose), ("manual pages", pages), ("code points", in_context(points)),
                             ("random", strings), ("long", long + long_texts(make, prose, 200))):
            differences += compare(options.program, base, [{"text": text} for text in texts], label)
    few = [{"text": text} for text in prose[::40] + pages[::40] + in_context(telling(points), 8) + strings[:len(strings) // 25] + long[:8] +
           ["", " "]]
    pairs = [{"text": a[-300:], "pair": b[:300]} for a, b in zip(strings[:3000] + prose[:400], reversed(strings[:3400]))]
    for name, tokenizer_json in variants(base).items():
        if not options.variant or options.variant in name:
            requests = few + pairs
            if "truncation" in name:  # each has many windows
                requests = requests[::5]
            differences += compare(options.program, tokenizer_json, requests, name)
    make = PatternText(options.seed)
    some = 20 if options.every_point else 200
    texts = in_context(points if options.every_point else telling(points), 32) + strings[::some] + \
        [make() for _ in range(options.random // some)] + long[:2] + ["", " "]
    for name, tokenizer_json in components().items():
        if not options.variant or options.variant in name:
            differences += compare(options.program, tokenizer_json, [{"text": text} for text in texts], name)
    print(f"tokenizers {tokenizers.__version__}: {differences} differences")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
