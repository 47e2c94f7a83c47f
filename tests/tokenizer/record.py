#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes expected.json: what Hugging Face's library says of some texts for the bundled tokenizer and each variant,
and components.json: the same for each normalizer and pre-tokenizer alone.

tokenizer_test.cpp reads it, so that the test needs no Python. A variant is given by the top-level keys that it
changes; "@base" stands for the bundled character map, "vocab" for what is added to the vocabulary.
"""
import json
import pathlib

import tokenizers

from compare import BASE, PatternText, RandomText, expected
from components import components, more_components
from variants import variants

TARGET = pathlib.Path(__file__).parent / "expected.json"
COMPONENTS = pathlib.Path(__file__).parent / "components.json"
TEXTS = [
    "", " ", "She opened the [MASK] and walked into the garden.", "The qu``ick ''brown''  fox   [MASK]\n\tjumped.",
    "\u201c\u0130t\u2122\u201d \u2014 the \ufb01ne caf\u00e9, na\u00efve co\u00f6peration; \u1e9b\u0323 \u212b \u2460 \uff21",
    "e\u0301\u0323 a\u0345\u0334\u0301 \u0344 \u0f73\u0f71 \uac01\u1100\u1161\u11a8 \u0958", " \u0301x\u200b\u00ad\x01y\r\nz\x00",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f \U0001f1e6\U0001f1fa\U0001f1e6 \u0915\u094d\u0937 \u0600a",
    "<pad><unk> [CLS]x[SEP] [MASK][MASK] foo Bar foo bar x y \u00c9t \u00e9t [SP] <z>w w ==--== `` Hello\u4f60",
    "\u2581\u2581a \u2581b\u2581", "\x01abc \u4e00\u4e8c\u4e09 \u0420\u0443\u0441\u0441\u043a\u0438\u0439 1,2 3,000.50",
]


def changes(base, variant):
    result = {key: value for key, value in variant.items() if key != "model" and value != base.get(key)}
    added = variant["model"]["vocab"][len(base["model"]["vocab"]):]
    if added:
        result["vocab"] = added
    if variant["model"]["byte_fallback"]:
        result["model"] = {"byte_fallback": True}
    result = json.dumps(result)
    charsmap = next(part["precompiled_charsmap"] for part in base["normalizer"]["normalizers"]
                    if part["type"] == "Precompiled")
    return json.loads(result.replace(charsmap, "@base"))


def brief(encoding):
    """Without what is empty, a mask of ones, and types, special tokens and sequences of zeros."""
    result = {key: value for key, value in encoding.items() if value != []}
    for key in ("type_ids", "special_tokens_mask", "sequence_ids"):
        if not any(encoding.get(key, [])):
            result.pop(key, None)
    if all(encoding.get("attention_mask", [0])):
        result.pop("attention_mask", None)
    if "overflowing" in result:
        result["overflowing"] = [brief(window) for window in result["overflowing"]]
    return result


def write(target, cases):
    lines = ",\n".join(json.dumps(case, separators=(",", ":"), ensure_ascii=False) for case in cases)
    target.write_text(f'{{"tokenizers":"{tokenizers.__version__}","cases":[\n{lines}\n]}}\n')


def record_components():
    """Of each the tokens, which are the pieces, and their offsets."""
    make, make_for_patterns = RandomText(11, None), PatternText(11)
    cases = []
    for name, tokenizer_json in (components() | more_components()).items():
        if name == "normalizer Precompiled":  # long, and in expected.json
            continue
        tokenizer = tokenizers.Tokenizer.from_str(json.dumps(tokenizer_json))
        texts = [TEXTS[4 + len(cases) % 4], TEXTS[8 + len(cases) % 3], make(), make_for_patterns(), make_for_patterns()]
        encodings = [tokenizer.encode(text) for text in texts]
        cases.append({"name": name, "normalizer": tokenizer_json["normalizer"],
                      "pre_tokenizer": tokenizer_json["pre_tokenizer"],
                      "texts": [[text, encoding.tokens, encoding.offsets] for text, encoding in zip(texts, encodings)]})
    write(COMPONENTS, cases)


def main():
    base = json.loads(BASE.read_text())
    make = RandomText(7, None)
    cases = []
    for name, variant in {"bundled": base, **variants(base)}.items():
        few = TEXTS if name == "bundled" or "added" in name else TEXTS[3 + len(cases) % 2::2]
        texts = [{"text": text} for text in few + [make() for _ in range(20 if name == "bundled" else 2)]]
        texts += [{"text": TEXTS[3], "pair": TEXTS[4]}, {"text": make(), "pair": make() + " " + make()}]
        tokenizer = tokenizers.Tokenizer.from_str(json.dumps(variant))
        for request in texts:
            request["expected"] = brief(expected(tokenizer, request))
        cases.append({"name": name, "changes": changes(base, variant), "texts": texts})
    write(TARGET, cases)
    record_components()


if __name__ == "__main__":
    main()
