#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws tokenizers and texts at random and compares a program with Hugging Face's library; exits 1 on any difference.

Usage: random_tokenizers.py PROGRAM [--seed S] [--count N] [--first I] [--texts T] [--keep FOLDER]
PROGRAM is a build of encode_lines.cpp. Tokenizer number I of seed S does not depend on the count, so one can be run
again alone: --first I --count 1 --keep FOLDER, which also writes its tokenizer.json and requests.

A tokenizer has any components, flags, models and added tokens, on a vocabulary of a few strings that its texts are made
of, too. Left out is what the library itself cannot do:
- an added token whose normal form is empty: the library does not come to an end, or cuts inside of characters;
- two added tokens of one normal form: which of them is found depends on the hashes of that run.
- what stands in front of a text that a Replace of nothing or an empty Prepend made, rewritten again: the library panics
  or repeats the text;
- bytes for unknown characters in a BPE with a prefix or suffix: those of the affix count as the text's, so that offsets
  run beyond it;
- two templates one after the other, which it says is still to be done;
- a max_length that is less than the special tokens take: the library computes a negative number of tokens and cuts
  nothing; the program refuses the text.
Where the library panics (a token with lstrip that would begin behind its end, ...) the program may give any answer or
an error.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import tokenizers

from compare import difference, expected, wrong_bytes
from components import BEHAVIORS, MORE_REGEXES, REGEXES
from variants import small_charsmap

PARTS = ["a", "b", "c", "ab", "abc", "A", "B", "É", "é", "e\u0301", "\u0301", "ß", "İ", "ﬁ", "ǆ", "㍿", "中", "你好", "가", "ᄀ",
         " ", " ", "  ", "\t", "\n", "\r\n", "\u3000", "\u00a0", "\u200b", "\ufeff", "\x01", "1", "2", "12", "½", "٤",
         ".", "!", "'", "''", "``", "'s", "-", "_", "#", "##", "▁", "Ġ", "Ċ", "</w>", "<0x41>", "<0xC3>", "<0xA9>", "<x>",
         "[M]", "😀", "👩‍🚀", "Я", "ß", "Ω", "\u2028", "|", "\\", "do not", "n't"]
CONTENTS = ["", " ", "x", "▁", "é", "  ", "ab", "$1", "\\1", "e\u0301"]


def leaves(normalizer):
    """The normalizers of nested sequences, in their order."""
    if not normalizer:
        return []
    return [leaf for one in normalizer["normalizers"] for leaf in leaves(one)] if normalizer["type"] == "Sequence" else [normalizer]


def inserts_in_front(normalizer):
    """Whether it may put text in front of text that stays, or (an empty Prepend) says so."""
    if normalizer["type"] != "Replace":
        return normalizer.get("prepend") == ""
    kind, pattern = next(iter(normalizer["pattern"].items()))
    mark = tokenizers.normalizers.Replace(tokenizers.Regex(pattern) if kind == "Regex" else pattern, "\ue000")
    return any(mark.normalize_str(text).startswith("\ue000" + text[0]) for text in ("a", " a", "1", "é", ".", "b c", "A"))


def is_beyond_the_library(normalizer, pre_tokenizer):
    chain = leaves(normalizer)
    at = next((i for i, one in enumerate(chain) if inserts_in_front(one)), len(chain))
    return at < len(chain) and ('"ByteLevel"' in json.dumps(pre_tokenizer) or
                                any(one["type"] not in ("Replace", "Prepend") for one in chain[at + 1:]))


class Draw:
    """One tokenizer and its requests."""

    def __init__(self, seed, number):
        self.random = random.Random(f"{seed} {number}")
        self.parts = self.random.sample(PARTS, self.random.randrange(2, 12)) + ["a", " "]

    def maybe(self, probability=0.5):
        return self.random.random() < probability

    def flag(self):
        return self.maybe()

    def word(self, longest=3):
        return "".join(self.random.choices(self.parts, k=self.random.randrange(1, longest + 1)))

    def char(self):
        return self.random.choice(self.random.choice(self.parts)) if self.maybe(0.8) else self.random.choice("a _▁é")

    def pattern(self):
        if self.maybe(0.4):
            return {"String": self.word(2)}
        return {"Regex": self.random.choice(REGEXES + MORE_REGEXES) if self.maybe(0.8) else "[" + self.escaped(self.char()) + "]+"}

    @staticmethod
    def escaped(char):
        return "\\" + char if char in "\\[]^-&" else char

    def split_pattern(self):
        return {"String": ""} if self.maybe(0.05) else self.pattern()

    def sequence(self, key, one, depth):
        return {"type": "Sequence", key: [one(depth + 1) for _ in range(self.random.randrange(0, 4))]}

    def normalizer(self, depth=0):
        kind = self.random.choice(["Sequence", "BertNormalizer", "Replace", "Replace", "NFC", "NFD", "NFKC", "NFKD", "StripAccents",
                                   "Lowercase", "Nmt", "ByteLevel", "Precompiled", "Strip", "Prepend"])
        if kind == "Sequence":
            return self.sequence("normalizers", self.normalizer, depth) if depth < 3 else {"type": "NFC"}
        if kind == "BertNormalizer":
            return {"type": kind, "clean_text": self.flag(), "handle_chinese_chars": self.flag(), "lowercase": self.flag(),
                    "strip_accents": self.random.choice([None, True, False])}
        if kind == "Replace":
            return {"type": kind, "pattern": self.pattern(), "content": self.random.choice(CONTENTS)}
        if kind == "Precompiled":
            return {"type": kind, "precompiled_charsmap": small_charsmap()}
        if kind == "Strip":
            return {"type": kind, "strip_left": self.flag(), "strip_right": self.flag()}
        if kind == "Prepend":
            return {"type": kind, "prepend": self.random.choice(["▁", "▁", " ", "ab", "é", ""])}
        return {"type": kind}

    def metaspace(self):
        result = {"type": "Metaspace", "replacement": self.char() if self.maybe(0.3) else "▁"}
        form = self.random.randrange(4)
        if form > 0:
            result |= {"prepend_scheme": self.random.choice(["always", "first", "never"]), "split": self.flag()}
        if form == 0 or form == 1 and result["prepend_scheme"] == "never":
            result["add_prefix_space"] = form == 0
        if form == 0 and self.flag():
            result["str_rep"] = self.char()
        return result

    def byte_level(self):
        result = {"type": "ByteLevel", "add_prefix_space": self.flag(), "trim_offsets": self.flag()}
        if self.maybe(0.8):
            result["use_regex"] = self.flag()
        return result

    def pre_tokenizer(self, depth=0):
        kind = self.random.choice(["Sequence", "Sequence", "BertPreTokenizer", "ByteLevel", "ByteLevel", "WhitespaceSplit", "Whitespace",
                                   "Metaspace", "Metaspace", "CharDelimiterSplit", "Split", "Split", "Punctuation", "Digits",
                                   "UnicodeScripts", "FixedLength"])
        if kind == "Sequence":
            return self.sequence("pretokenizers", self.pre_tokenizer, depth) if depth < 3 else {"type": "Whitespace"}
        if kind == "ByteLevel":
            return self.byte_level()
        if kind == "Metaspace":
            return self.metaspace()
        if kind == "CharDelimiterSplit":
            return {"type": kind, "delimiter": self.char()}
        if kind == "Split":
            return {"type": kind, "pattern": self.split_pattern(), "behavior": self.random.choice(BEHAVIORS), "invert": self.flag()}
        if kind == "Punctuation":
            return {"type": kind, "behavior": self.random.choice(BEHAVIORS)} if self.flag() else {"type": kind}
        if kind == "Digits":
            return {"type": kind, "individual_digits": self.flag()}
        if kind == "FixedLength":
            return {"type": kind, "length": self.random.randrange(1, 5)} if self.maybe(0.8) else {"type": kind}
        return {"type": kind}

    def pieces(self, marks):
        """Distinct pieces: parts, words of parts, and their forms in the alphabets that components write."""
        result = {part: None for part in self.parts if self.maybe(0.8)}
        for _ in range(self.random.randrange(1, 24)):
            word = self.word()
            for mark in self.random.sample(marks, 1):
                result[mark(word)] = None
        if self.maybe(0.2):
            result |= {f"<0x{byte:02X}>": None for byte in range(256) if self.maybe(0.98)}
        result.pop("", None)
        result = list(result)
        self.random.shuffle(result)
        return result

    def marks(self):
        byte_level = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        return [lambda word: word, lambda word: "▁" + word, lambda word: word.replace(" ", "▁"), lambda word: "##" + word,
                lambda word: word + "</w>", lambda word: word.lower(), lambda word: byte_level.pre_tokenize_str(word)[0][0]]

    def ids(self, pieces):
        """{piece: id}, now and then with gaps."""
        step = self.random.choice([1, 1, 1, 2])
        return {piece: number * step for number, piece in enumerate(pieces)}

    def model(self):
        pieces = self.pieces(self.marks())
        kind = self.random.choice(["Unigram", "BPE", "WordPiece", "WordLevel"])
        unknown = "<unk>"
        if unknown not in pieces:
            pieces.insert(self.random.randrange(len(pieces) + 1) if self.maybe(0.3) else 0, unknown)
        if kind == "Unigram":
            scores = [-self.random.randrange(0, 40) / self.random.choice([1, 2, 3]) for _ in pieces]
            result = {"type": kind, "unk_id": None if self.maybe(0.1) else pieces.index(unknown),
                      "vocab": [list(pair) for pair in zip(pieces, scores)]}
            return result | ({"byte_fallback": self.flag()} if self.maybe(0.7) else {})
        if self.maybe(0.1):
            pieces.remove(unknown)
        if kind == "BPE":
            return self.bpe(pieces, unknown)
        result = {"type": kind, "vocab": self.ids(pieces), "unk_token": unknown}
        if kind == "WordPiece":
            result |= {"continuing_subword_prefix": self.random.choice(["##", "##", "", "a", "▁"]),
                       "max_input_chars_per_word": self.random.choice([100, 100, 3, 1, 0])}
        return result

    def bpe(self, pieces, unknown):
        prefix = self.random.choice([None, None, None, "##", "", "a"])
        suffix = self.random.choice([None, None, None, "</w>", "", "a"])
        for part in list(pieces):
            for char in part:
                for form in {char, (prefix or "") + char, char + (suffix or "")}:
                    if form not in pieces and self.maybe(0.3):
                        pieces.append(form)
        merges = []
        for _ in range(self.random.randrange(0, 30)):
            left, right = self.random.choice(pieces), self.random.choice(pieces)
            try:  # the library cuts bytes off
                joined = left + right.encode()[len((prefix or "").encode()):].decode()
            except UnicodeDecodeError:
                continue
            if unknown in (left, right) or len(right.encode()) < len((prefix or "").encode()) or [left, right] in merges:
                continue
            if joined not in pieces:
                pieces.append(joined)
            merges.append([left, right])
        if self.maybe(0.4) and not any(" " in side or side.startswith("#version") for pair in merges for side in pair):
            merges = [" ".join(pair) for pair in merges]
        return {"type": "BPE", "vocab": self.ids(pieces), "merges": merges, "dropout": self.random.choice([None, None, 0.0]),
                "unk_token": self.random.choice([None, unknown, unknown]), "continuing_subword_prefix": prefix,
                "end_of_word_suffix": suffix, "fuse_unk": self.flag(), "ignore_merges": self.maybe(0.2),
                "byte_fallback": self.flag() and not prefix and not suffix}

    def added_tokens(self, model, normalizer):
        """As the library would number them."""
        vocab = model["vocab"] if isinstance(model["vocab"], dict) else {pair[0]: i for i, pair in enumerate(model["vocab"])}
        normalize = tokenizers.Tokenizer.from_str(json.dumps({"model": model, "normalizer": normalizer})).normalizer
        next_id, ids, forms, result = len(vocab), {}, {}, []
        for _ in range(self.random.choice([0, 1, 2, 3, 6])):
            content = self.random.choice(["[M]", " ", "\n", "  ", "<x>", "x", "▁", "", self.word(), self.word()])
            if content in ids and self.maybe(0.5):
                continue
            token = {"content": content, "single_word": self.maybe(0.2), "lstrip": self.maybe(0.3), "rstrip": self.maybe(0.3),
                     "normalized": self.flag(), "special": self.maybe(0.4)}
            form = normalize.normalize_str(content) if normalize and token["normalized"] else content
            key = form, token["normalized"]
            if content and (not form or forms.get(key, content) != content):
                continue
            forms[key] = content
            if not content:
                result.append({"id": next_id} | token)
                continue
            if content not in ids:
                ids[content] = vocab.get(content, next_id)
                next_id += content not in vocab
            result.append({"id": ids[content]} | token)
        if len(set(ids.values())) < len(ids):  # ids with gaps: one may be a piece's and the next one
            return []
        return result

    def post_processor(self, vocab_size, depth=0):
        kind = self.random.choice(["TemplateProcessing", "BertProcessing", "RobertaProcessing", "ByteLevel", "Sequence"])
        def special():
            return [self.random.choice(["[CLS]", "é", "▁"]), self.random.randrange(vocab_size)]
        if kind == "TemplateProcessing":
            names = {name: {"id": name, "ids": [self.random.randrange(vocab_size) for _ in range(count)],
                            "tokens": [self.random.choice(["[CLS]", " ", "é "]) for _ in range(count)]}
                     for name, count in (("[C]", 1), ("[S]", self.random.choice([1, 2, 0])))}
            def step(names_of):
                name = self.random.choice(names_of)
                return {("Sequence" if name in "AB" else "SpecialToken"): {"id": name, "type_id": self.random.randrange(3)}}
            def steps(texts):
                result = [step(["[C]", "[S]"]) for _ in range(self.random.randrange(0, 3))]
                for text in texts:
                    result += [{"Sequence": {"id": text, "type_id": self.random.randrange(3)}}] + \
                        [step(["[C]", "[S]"]) for _ in range(self.random.randrange(0, 3))]
                return result
            return {"type": kind, "single": steps("A"), "pair": steps(self.random.choice(["AB", "AB", "BA"])), "special_tokens": names}
        if kind == "Sequence":
            if depth > 1:
                return {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True}
            parts = [self.post_processor(vocab_size, depth + 1) for _ in range(self.random.randrange(0, 3))]
            return {"type": kind, "processors": parts} if json.dumps(parts).count('"Temp') < 2 else {"type": kind, "processors": []}
        if kind == "ByteLevel":
            return self.byte_level()
        result = {"type": kind, "sep": special(), "cls": special()}
        return result | ({"trim_offsets": self.flag(), "add_prefix_space": self.flag()} if kind == "RobertaProcessing" else {})

    def decoder(self, depth=0):
        kind = self.random.choice(["Sequence", "Sequence", "Metaspace", "Replace", "Fuse", "Strip", "ByteFallback", "ByteLevel", "WordPiece",
                                   "BPEDecoder", "CTC"])
        if kind == "Sequence":
            return self.sequence("decoders", self.decoder, depth) if depth < 2 else {"type": "Fuse"}
        if kind == "Metaspace":
            return self.metaspace()
        if kind == "Replace":
            return {"type": kind, "pattern": self.pattern(), "content": self.random.choice(CONTENTS)}
        if kind == "Strip":
            return {"type": kind, "content": self.char(), "start": self.random.randrange(3), "stop": self.random.randrange(3)}
        if kind == "ByteLevel":
            return self.byte_level()
        if kind == "WordPiece":
            return {"type": kind, "prefix": self.random.choice(["##", "", "a", "▁"]), "cleanup": self.flag()}
        if kind == "BPEDecoder":
            return {"type": kind, "suffix": self.random.choice(["</w>", "", "a", " "])}
        if kind == "CTC":
            return {"type": kind, "pad_token": self.random.choice(["<pad>", "a", ""]), "word_delimiter_token": self.random.choice(["|", "", " ", "b"]),
                    "cleanup": self.flag()}
        return {"type": kind}

    def truncation(self):
        length = self.random.choice([0, 1, 2, 3, 4, 5, 8, 20, 2 ** 64 - 1])
        return {"direction": self.random.choice(["Left", "Right"]), "max_length": length,
                "strategy": self.random.choice(["LongestFirst", "LongestFirst", "OnlyFirst", "OnlySecond"]),
                "stride": self.random.randrange(min(max(length, 1), 9)) if self.maybe(0.9) else 7}

    def padding(self, vocab_size):
        return {"strategy": self.random.choice(["BatchLongest", {"Fixed": self.random.randrange(0, 12)}]),
                "direction": self.random.choice(["Left", "Right"]), "pad_to_multiple_of": self.random.choice([None, None, 1, 3, 8, 0]),
                "pad_id": self.random.randrange(vocab_size + 5), "pad_type_id": self.random.randrange(3), "pad_token": "[PAD]"}

    def tokenizer(self):
        model = self.model()
        vocab_size = len(model["vocab"])
        normalizer = self.normalizer() if self.maybe(0.6) else None
        pre_tokenizer = self.pre_tokenizer() if self.maybe(0.7) else None
        if is_beyond_the_library(normalizer, pre_tokenizer):
            normalizer = None
        return {"version": "1.0", "truncation": self.truncation() if self.maybe(0.25) else None,
                "padding": self.padding(vocab_size) if self.maybe(0.2) else None,
                "added_tokens": self.added_tokens(model, normalizer), "normalizer": normalizer,
                "pre_tokenizer": pre_tokenizer,
                "post_processor": self.post_processor(vocab_size) if self.maybe(0.5) else None,
                "decoder": self.decoder() if self.maybe(0.7) else None, "model": model}

    def requests(self, tokenizer_json, count):
        contents = [token["content"] for token in tokenizer_json["added_tokens"]]
        words = self.parts + contents + contents
        def text():
            return "".join(self.random.choice(words) for _ in range(self.random.randrange(0, 12)))
        result = []
        for _ in range(count):
            request = {"text": text()}
            if self.maybe(0.3):
                request["pair"] = text()
            if self.maybe(0.2):
                request["plain"] = True
            result.append(request)
        for _ in range(count // 4):
            result.append({"decode": [self.random.randrange(len(tokenizer_json["model"]["vocab"]) + 3)
                                      for _ in range(self.random.randrange(0, 9))]})
        return result


def problem_of(found, wanted, request):
    """Where both answers differ, or None."""
    if "error" in wanted:
        return None if wanted.get("panic") or "error" in found else ("error", "an answer", wanted["error"])
    if "(the special tokens)" in found.get("error", ""):
        return None
    if "error" in found:
        return "error", found["error"], "an answer"
    output = found["output"]
    # The library counts padding and what several post-processors add as the texts' own.
    wanted = {key: value for key, value in wanted.items() if key != "sequence_ids"}
    if "decode" in request:
        return None if output["decoded"] == wanted["decoded"] else ("decoded", output["decoded"], wanted["decoded"])
    return difference(output, wanted) or wrong_bytes(output, request)


def compare_one(program, folder, number, tokenizer_json, requests):
    """The first difference of one tokenizer, told; "refused" where the library does not load it."""
    text = json.dumps(tokenizer_json)
    try:
        tokenizer = tokenizers.Tokenizer.from_str(text)
    except BaseException as error:
        return "refused", str(error)
    (folder / "tokenizer.json").write_text(text)
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([program, "tokenize", "--model", str(folder / "tokenizer.json")], input=lines, capture_output=True, text=True)
    if done.returncode == 1 and not done.stdout:
        return "load", done.stderr.strip()
    if done.returncode != 0:
        return "crash", f"exit {done.returncode}: {done.stderr[-600:]}"
    for request, line in zip(requests, done.stdout.split("\n")[:-1], strict=True):
        problem = problem_of(json.loads(line), expected(tokenizer, request), request)
        if problem:
            return "differs", f"{request!r}: {problem[0]}\n  found  {problem[1]!r}\n  wanted {problem[2]!r}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--texts", type=int, default=24)
    parser.add_argument("--show", type=int, default=10, help="differences to tell in full")
    parser.add_argument("--keep", help="a folder for the tokenizer.json and requests of the last one")
    options = parser.parse_args()
    os.environ["RUST_BACKTRACE"] = "0"
    sys.stderr = os.fdopen(os.dup(2), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # where the library tells its panics
    counts = {}
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(options.keep or made)
        folder.mkdir(exist_ok=True)
        for number in range(options.first, options.first + options.count):
            draw = Draw(options.seed, number)
            tokenizer_json = draw.tokenizer()
            requests = draw.requests(tokenizer_json, options.texts)
            (folder / "requests.jsonl").write_text("".join(json.dumps(request) + "\n" for request in requests))
            found = compare_one(options.program, folder, number, tokenizer_json, requests)
            if not found:
                continue
            counts[found[0]] = counts.get(found[0], 0) + 1
            if counts[found[0]] <= options.show:
                print(f"seed {options.seed}, number {number}: {found[0]}: {found[1]}", flush=True)
    differences = sum(count for kind, count in counts.items() if kind != "refused")
    print(f"tokenizers {tokenizers.__version__}: {options.count} tokenizers from number {options.first} of seed {options.seed}, "
          f"{counts.get('refused', 0)} refused by the library, {differences} with differences {counts}")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
