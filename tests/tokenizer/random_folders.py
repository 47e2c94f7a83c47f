#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws folders of tokenizers at random and compares a program with transformers' AutoTokenizer; exits 1 on a difference.

Usage: random_folders.py PROGRAM [--seed S] [--count N] [--first I] [--keep FOLDER]
PROGRAM is a build of encode_lines.cpp. Folder number I of seed S does not depend on the count.

A folder has a tokenizer.json, or the vocabulary files of a class, and beside it any of config.json,
tokenizer_config.json, special_tokens_map.json and added_tokens.json, with random roles, flags, extra tokens, classes and
sides. Left out is what AutoTokenizer itself cannot load, and:
- a tokenizer.json whose model is of another type than the class that the folder names: transformers 5 then builds that
  class around a vocabulary that it cannot use; transformers 4, and the program, use the file as it is;
- config.json of a DistilBERT that names no class: transformers 5 gives it token type ids, and the model drops them;
- two added tokens of one normal form, and those of an empty one: see random_tokenizers.py.
"""
import argparse
import contextlib
import io
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

os.environ["TRANSFORMERS_VERBOSITY"] = "critical"
import tokenizers
import transformers

from compare import difference, expected

WORDS = ["a", "b", "cat", "dog", "The", "É", "é", " ", " ", "  ", ".", "!", "unhappy", "中", "[MASK]", "<mask>", "[CLS]", "</s>", "\n",
         "[X]", "[Y]", "<img>", "New York", "new york", "ﬁ", "12"]
TOKENS = ["[X]", "[Y]", "<img>", "New York", "cat", "zz", "[MASK]", "<mask>", "[PAD]", "<s>", "Q"]
ROLES = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]
BERT_ROLES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
FAIRSEQ_ROLES = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
PIECES = ["a", "b", "c", "d", "e", "é", "cat", "dog", "the", "The", "un", "##happy", "##a", "##t", ".", "!", "[", "]", "mask", "1", "2", "##2",
          "happy", "new", "york", "New", "York", "<", ">", "##s", "x", "##k", "中", "fi"]
CLASSES = {"WordPiece": ["BertTokenizer", "BertTokenizerFast", "DistilBertTokenizer", "ElectraTokenizer", "ConvBertTokenizer"],
           "BPE": ["RobertaTokenizer", "RobertaTokenizerFast", "LongformerTokenizer"],
           "Unigram": ["XLMRobertaTokenizer", "XLMRobertaTokenizerFast", "CamembertTokenizer", "AlbertTokenizer"]}
GENERIC = ["PreTrainedTokenizerFast", "TokenizersBackend", "PreTrainedTokenizer", None]
MODEL_TYPES = {"WordPiece": ["bert", "mobilebert", "electra"], "BPE": ["roberta", "longformer"],
               "Unigram": ["xlm-roberta", "camembert", "albert"]}


class Draw:
    """One folder and its requests."""

    def __init__(self, seed, number):
        self.random = random.Random(f"folders {seed} {number}")
        self.kind = self.random.choice(["WordPiece", "WordPiece", "BPE", "Unigram"])
        self.is_json = self.maybe(0.7)
        self.pieces = self.draw_pieces()

    def maybe(self, probability=0.5):
        return self.random.random() < probability

    def draw_pieces(self):
        roles = BERT_ROLES if self.kind == "WordPiece" else FAIRSEQ_ROLES
        if self.kind == "Unigram":  # the classes count on their places
            more = [("▁" if self.maybe() else "") + piece.removeprefix("##") for piece in PIECES]
            roles = FAIRSEQ_ROLES[:4] + (["<mask>"] if self.maybe(0.8) else []) + (["[CLS]", "[SEP]"] if self.maybe(0.7) else [])
            return list(dict.fromkeys(roles + self.random.sample(more, 20) + ["▁"]))
        roles = [role for role in roles if self.maybe(0.95)]
        more = self.random.sample(PIECES, 20)
        if self.kind == "BPE":
            more = sorted({char for piece in more for char in piece}) + ["Ġ", "Ġa", "ca", "cat", "Ã", "©", "Ġcat"]
        result = list(dict.fromkeys(roles + more))
        if self.maybe(0.3):
            self.random.shuffle(result)
        return result

    def typed(self, content, typed=True):
        result = {"content": content}
        for flag in ("lstrip", "rstrip", "single_word", "normalized"):
            if self.maybe(0.7):
                result[flag] = self.maybe(0.4)
        if typed and self.maybe(0.3):
            result["special"] = self.maybe()
        return {"__type": "AddedToken", **result} if typed else result

    def token(self):
        return self.random.choice(TOKENS + self.pieces[:6])

    def value(self, content=None):
        content = content or self.token()
        return content if self.maybe(0.6) else self.typed(content)

    def roles(self, value, probability=0.3):
        own = BERT_ROLES if self.kind == "WordPiece" else FAIRSEQ_ROLES
        result = {}
        for role in self.random.sample(ROLES, len(ROLES)):
            if self.maybe(probability):
                usual = next((one for one in own if role[:3] in one.lower()), None)
                result[role] = value(usual if usual and self.maybe(0.7) else self.token())
        return result

    def config(self):
        names = CLASSES[self.kind] + ([] if not self.is_json else GENERIC)
        result = {}
        name = self.random.choice(names)
        self.class_name = name
        if name:
            result["tokenizer_class"] = name
        result |= self.roles(self.value)
        if self.maybe(0.15):
            result[self.random.choice(["image_token", "x_token", "b_token"])] = self.value()
        if self.maybe(0.15):
            result[self.random.choice(["audio_token", "a_token"])] = self.token()
        if self.maybe(0.2):
            result["additional_special_tokens"] = [self.value() for _ in range(self.random.randrange(3))]
        if self.maybe(0.2):
            result["extra_special_tokens"] = self.random.choice([
                [self.value() for _ in range(self.random.randrange(3))],
                {name: self.token() for name in self.random.sample(["q", "b_tok", "image_token", "a"], self.random.randrange(3))}])
        if self.maybe(0.3):
            result["added_tokens_decoder"] = {
                str(self.random.randrange(60)): self.typed(self.token()) | {} for _ in range(self.random.randrange(4))}
            for entry in result["added_tokens_decoder"].values():
                entry.pop("__type")
        for key, values in {"do_lower_case": [True, False], "strip_accents": [True, False, None], "tokenize_chinese_chars": [True, False],
                            "add_prefix_space": [True, False], "trim_offsets": [True, False], "keep_accents": [True, False],
                            "split_special_tokens": [True, False], "truncation_side": ["left", "right"], "padding_side": ["left", "right"],
                            "model_max_length": [512, 1e30, 2 ** 64 - 1], "add_bos_token": [True, False], "add_eos_token": [True],
                            "clean_up_tokenization_spaces": [True, False],
                            "model_input_names": [["input_ids"], ["input_ids", "token_type_ids"]]}.items():
            if self.maybe(0.12):
                result[key] = self.random.choice(values)
        items = list(result.items())
        self.random.shuffle(items)
        return dict(items)

    def map(self):
        result = self.roles(lambda content: content if self.maybe() else self.typed(content, typed=False))
        if self.maybe(0.3):
            result["additional_special_tokens"] = [self.token() for _ in range(self.random.randrange(3))]
        if self.maybe(0.15):
            result["extra_special_tokens"] = [self.token() if self.maybe() else self.typed(self.token(), typed=False)
                                              for _ in range(self.random.randrange(3))]
        if self.maybe(0.15):
            result[self.random.choice(["image_token", "c_token"])] = self.token()
        return result

    def added(self):
        """As the library would number them, now and then not."""
        ids = list(range(len(self.pieces), len(self.pieces) + 5))
        return {self.token(): self.random.choice(ids) for _ in range(self.random.randrange(4))}

    def model(self):
        vocab = {piece: i for i, piece in enumerate(self.pieces)}
        if self.kind == "WordPiece":
            return {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                    "max_input_chars_per_word": self.random.choice([100, 5]), "vocab": vocab}
        if self.kind == "BPE":
            merges = [pair for pair in (["Ġ", "a"], ["c", "a"], ["ca", "t"], ["Ġ", "cat"], ["Ã", "©"])
                      if pair[0] in vocab and pair[1] in vocab and "".join(pair) in vocab]
            return {"type": "BPE", "vocab": vocab, "merges": merges, "unk_token": self.random.choice([None, "<unk>"]), "fuse_unk": False,
                    "byte_fallback": False, "dropout": None, "continuing_subword_prefix": None, "end_of_word_suffix": None}
        return {"type": "Unigram", "unk_id": 3, "byte_fallback": False,
                "vocab": [[piece, -float(i % 7)] for i, piece in enumerate(self.pieces)]}

    def tokenizer_json(self):
        model = self.model()
        added, next_id = [], len(self.pieces)
        contents = [piece for piece in self.pieces[:7] if piece[0] in "[<" and len(piece) > 1]
        for content in self.random.sample(contents, self.random.randrange(len(contents) + 1)) + self.random.sample(TOKENS, self.random.randrange(3)):
            if any(one["content"] == content for one in added):
                continue
            number = self.pieces.index(content) if content in self.pieces else next_id
            next_id += number == next_id
            added.append({"id": number, "content": content, "single_word": False, "lstrip": self.maybe(0.2), "rstrip": self.maybe(0.1),
                          "normalized": self.maybe(0.2), "special": self.maybe(0.8)})
        normalizers = {"WordPiece": [{"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": self.maybe(), "strip_accents": None,
                                      "lowercase": self.maybe()}, {"type": "Lowercase"}, None],
                       "BPE": [None, {"type": "NFC"}], "Unigram": [None, {"type": "NFKC"}, {"type": "Sequence", "normalizers": [{"type": "NFC"}]}]}
        pre = {"WordPiece": {"type": "BertPreTokenizer"}, "BPE": {"type": "ByteLevel", "add_prefix_space": self.maybe(), "trim_offsets": True,
                                                                  "use_regex": True},
               "Unigram": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": self.random.choice(["always", "first"]), "split": True}}
        decoders = {"WordPiece": {"type": "WordPiece", "prefix": "##", "cleanup": self.maybe()},
                    "BPE": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
                    "Unigram": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}}
        return {"version": "1.0", "truncation": self.truncation(), "padding": self.padding(), "added_tokens": added,
                "normalizer": self.random.choice(normalizers[self.kind]), "pre_tokenizer": pre[self.kind],
                "post_processor": self.post_processor(), "decoder": decoders[self.kind], "model": model}

    def truncation(self):
        return {"direction": self.random.choice(["Left", "Right"]), "max_length": self.random.choice([6, 9, 20]),
                "strategy": "LongestFirst", "stride": 0} if self.maybe(0.1) else None

    def padding(self):
        return {"strategy": self.random.choice(["BatchLongest", {"Fixed": 10}]), "direction": self.random.choice(["Left", "Right"]),
                "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": self.random.choice(["[PAD]", "<pad>", "P"])} \
            if self.maybe(0.1) else None

    def post_processor(self):
        first, last = self.random.sample(self.pieces[:5], 2)
        ids = {token: self.pieces.index(token) for token in (first, last)}
        kind = self.random.choice(["none", "template", "bert", "roberta"])
        if kind == "none":
            return None
        if kind == "template":
            def step(name, number=0):
                return {"Sequence" if name in ("A", "B") else "SpecialToken": {"id": name, "type_id": number}}
            return {"type": "TemplateProcessing", "single": [step(first), step("A"), step(last)],
                    "pair": [step(first), step("A"), step(last), step("B", 1), step(last, 1)],
                    "special_tokens": {token: {"id": token, "ids": [number], "tokens": [token]} for token, number in ids.items()}}
        result = {"type": "BertProcessing", "sep": [last, ids[last]], "cls": [first, ids[first]]}
        return result if kind == "bert" else result | {"type": "RobertaProcessing", "trim_offsets": self.maybe(), "add_prefix_space": self.maybe()}

    def files(self):
        result = {}
        if self.maybe(0.6):
            kind = self.random.choice(MODEL_TYPES[self.kind] + (["nystromformer"] if self.is_json else []))
            result["config.json"] = {"model_type": kind}
        config = self.config()
        if self.maybe(0.85) or not self.is_json:
            result["tokenizer_config.json"] = config
        if self.maybe(0.3):
            result["special_tokens_map.json"] = self.map()
        if self.maybe(0.2):
            result["added_tokens.json"] = self.added()
        if self.is_json:
            result["tokenizer.json"] = self.tokenizer_json()
        elif self.kind == "WordPiece":
            lines = list(self.pieces)
            for _ in range(self.random.choice([0, 0, 1, 2])):  # lines that repeat, blank ones
                lines.insert(self.random.randrange(len(lines)), self.random.choice(["", " ", "[MASK]", "cat", "a"]))
            result["vocab.txt"] = "".join(line + self.random.choice(["\n"] * 9 + ["\r\n"]) for line in lines)
        elif self.kind == "Unigram":
            is_albert = self.class_name == "AlbertTokenizer"
            result["spiece.model" if is_albert else "sentencepiece.bpe.model"] = self.sentencepiece()
        else:
            model = self.model()
            result["vocab.json"] = model["vocab"]
            result["merges.txt"] = "#version: 0.2\n" + "".join(" ".join(pair) + "\n" for pair in model["merges"])
        return result

    def sentencepiece(self):
        """The protobuf of a Unigram model: pieces of text (1), score (2) and type (3)."""
        def field(number, data):
            return bytes([number << 3 | 2, len(data)]) + data
        special = {"<unk>": 2, "<s>": 3, "</s>": 3}
        pieces = list(special) + [piece for piece in self.pieces if piece not in special and piece not in ("<pad>", "<mask>")]
        result = b""
        for number, piece in enumerate(pieces):
            kind = special.get(piece) or (self.random.choice([1, 3, 4]) if piece in ("[CLS]", "[SEP]") or self.maybe(0.05) else 1)
            entry = field(1, piece.encode()) + b"\x15" + struct.pack("<f", -float(number % 7)) + bytes([0x18, kind])
            result += field(1, entry)
        return result

    def requests(self, files):
        words = WORDS + self.pieces[:8]
        named = json.dumps([files.get(name) for name in ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")])
        words += [token for token in TOKENS if token in named] * 3
        def text():
            return "".join(self.random.choice(words) + self.random.choice(["", " "]) for _ in range(self.random.randrange(8)))
        result = [{"text": text()} | ({"pair": text()} if self.maybe(0.3) else {}) for _ in range(8)]
        return result + [{"decode": [self.random.randrange(len(self.pieces) + 4) for _ in range(6)]} for _ in range(2)]


def is_clear(tokenizer):
    """No two added tokens that only chance tells apart, and none that normalises to nothing."""
    forms = {}
    normalizer = tokenizer.normalizer
    for token in tokenizer.get_added_tokens_decoder().values():
        form = normalizer.normalize_str(token.content) if normalizer and token.normalized else token.content
        if not form or forms.setdefault((form, token.normalized), token.content) != token.content:
            return False
    ids = [tokenizer.token_to_id(token.content) for token in tokenizer.get_added_tokens_decoder().values()]
    return len(set(ids)) == len(ids)


ROLE_NAMES = ["mask_token", "pad_token", "unk_token", "cls_token", "sep_token"]


def folder_facts(tokenizer):
    """What encode_lines tells of a whole folder."""
    return {**{role: getattr(tokenizer, role) or None for role in ROLE_NAMES},
            "truncation_side": tokenizer.truncation_side, "padding_side": tokenizer.padding_side,
            "model_max_length": tokenizer.model_max_length if tokenizer.model_max_length < 1e15 else None}


def compare_one(program, folder, draw):
    """The first difference of one folder, told; "refused" where AutoTokenizer does not load it."""
    files = draw.files()
    for old in folder.iterdir():
        old.unlink()
    for name, content in files.items():
        text = content if isinstance(content, (str, bytes)) else json.dumps(content)
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            auto = transformers.AutoTokenizer.from_pretrained(folder)
    except BaseException as error:
        return "refused", f"{type(error).__name__}: {error}"
    if not isinstance(auto, transformers.PreTrainedTokenizerFast) or not is_clear(auto._tokenizer):
        return "left out", ""
    requests = [{"facts": True}] + draw.requests(files)
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([program, "tokenize", "--model", str(folder)], input=lines, capture_output=True, text=True)
    if done.returncode == 1 and not done.stdout:
        return "load", done.stderr.strip()
    if done.returncode != 0:
        return "crash", f"exit {done.returncode}: {done.stderr[-600:]}"
    for request, line in zip(requests, done.stdout.split("\n")[:-1], strict=True):
        problem = problem_of(auto, request, json.loads(line))
        if problem:
            return "differs", f"{request!r}: {problem[0]}\n  found  {problem[1]!r}\n  wanted {problem[2]!r}"
    return None


def problem_of(auto, request, found):
    if "facts" in request:
        wanted = folder_facts(auto)
        gives = found["output"].pop("gives_token_type_ids")
        if gives not in (None, "token_type_ids" in auto.model_input_names):
            return "gives_token_type_ids", gives, auto.model_input_names
        return next(((key, found["output"][key], wanted[key]) for key in wanted if found["output"][key] != wanted[key]), None)
    if "decode" in request:
        wanted = {"decoded": [auto.decode(request["decode"], skip_special_tokens=skips) for skips in (True, False)]}
    else:
        wanted = expected(auto._tokenizer, request)
    if "error" in wanted:
        return None if wanted.get("panic") or "error" in found else ("error", "an answer", wanted["error"])
    if "error" in found:
        return "error", found["error"], "an answer"
    if "decode" in request:
        return None if found["output"]["decoded"] == wanted["decoded"] else ("decoded", found["output"]["decoded"], wanted["decoded"])
    wanted.pop("decoded", None)
    found["output"].pop("decoded", None)
    return difference(found["output"], {key: value for key, value in wanted.items() if key != "sequence_ids"})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--show", type=int, default=10, help="differences to tell in full")
    parser.add_argument("--keep", help="a folder for the files of the last one")
    options = parser.parse_args()
    counts = {}
    for number in range(options.first, options.first + options.count):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(options.keep or name)
            folder.mkdir(exist_ok=True)
            outcome = compare_one(options.program, folder, Draw(options.seed, number))
        kind = outcome[0] if outcome else "same"
        counts[kind] = counts.get(kind, 0) + 1
        if kind not in ("same", "refused", "left out") and sum(counts.get(one, 0) for one in ("load", "crash", "differs")) <= options.show:
            print(f"folder {number} of seed {options.seed}: {kind}: {outcome[1]}", flush=True)
        if options.keep and kind == "refused":
            print(outcome[1])
    print(", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())))
    return any(kind in counts for kind in ("load", "crash", "differs")) or counts.get("same", 0) * 2 < options.count


if __name__ == "__main__":
    sys.exit(main())
