#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes models.json: what Hugging Face's libraries say of some texts for small tokenizers of every model,
post-processor and decoder, and for folders without tokenizer.json.

Needs sentencepiece and protobuf, too. tokenizer_models_test.cpp reads it. A tokenizer is given by its model, one of /models, and by its other keys.
"""
import json
import pathlib
import tempfile

import tokenizers
import transformers

from compare import BASE, expected
from legacy_folders import beside, token, typed, write
from model_tokenizers import variants
from record import brief

TARGET = pathlib.Path(__file__).parent / "models.json"
PROSE = ["the carriage was there before the gentlemen were, and the others waited in the rain",
         "unbelievable as it was, she had never seen the other side of the river; her mother had",
         "there is nothing to be done, he said, and sat down by the fire in the great hall"]
TEXTS = ["", "the others were there", "unbelievable gentlemen, the Carriage", " a\u00e9b \u4e00\u4e8c caf\u00e9 \u20acx", "<unk>[S] the[E]",
         "do not . ' n't", "nothing nothing qqq qqqq zzzzzzzzz"]
SPACED = ["a   b", "   ", "a \n\n b", "\n\n\nb\n", "a<m>  <m> b", "<m>\n <m>", "aZZ Z ZbZ", "<M>x <m>X<n>", "a\u00e9b", "ab ba"]
PAIR = {"text": "there was the gentlemen's great carriage", "pair": "in the \u4e00 rain, she said, and there she sat down"}


def folders():
    """Files of folders without tokenizer.json, and the class that reads them; "@spiece" is the bundled model."""
    vocab = "".join(piece + "\n" for piece in [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "Car", "##ria", "##ge", "car", ".", "cafe", "caf\u00e9", "##s", "\u4e00"])
    merges = ["t h", "th e", "\u0120 the", "c a", "\u0120 ca"]
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"] + [chr(c) for c in range(0x21, 0x7F)] + [
        "\u0120", "\u00c3", "\u00a9", "th", "the", "\u0120the", "ca", "\u0120ca"]
    bpe = {"vocab.json": {piece: i for i, piece in enumerate(pieces)}, "merges.txt": "#version: 0.2\n" + "\n".join(merges) + "\n"}
    bert = {"tokenizer_class": "BertTokenizer"}
    albert = {"tokenizer_class": "AlbertTokenizer", "mask_token": typed("[MASK]", lstrip=True)}
    return [
        ("BertTokenizer", {"vocab.txt": vocab}),
        ("BertTokenizer", {"vocab.txt": vocab + "the  \r\n\n", "tokenizer_config.json": {**bert, "do_lower_case": False},
                           "added_tokens.json": {"zyzzyva": 20, "[X]": 21},
                           "special_tokens_map.json": {"mask_token": token("[MASK]", lstrip=True)}}),
        ("BertTokenizer", {"vocab.txt": vocab, "tokenizer_config.json": {
            **bert, "additional_special_tokens": ["[X]"], "strip_accents": False, "added_tokens_decoder": {
                "4": token("[MASK]", lstrip=True, special=True), "15": token("zyzzyva", normalized=True, special=False)}}}),
        ("RobertaTokenizer", bpe),
        ("RobertaTokenizer", {**bpe, "tokenizer_config.json": {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True,
                                                                "mask_token": typed("<mask>", lstrip=True)}}),
        ("AlbertTokenizer", {"spiece.model": "@spiece", "tokenizer_config.json": albert}),
        ("AlbertTokenizer", {"spiece.model": "@spiece", "tokenizer_config.json": {
            **albert, "do_lower_case": False, "keep_accents": True, "add_prefix_space": False}}),
        ("AlbertTokenizer", {"spiece.model": "@spiece", "tokenizer_config.json": {"tokenizer_class": "AlbertTokenizer"},
                             **beside("[MASK]")}),
        ("XLMRobertaTokenizer", {"sentencepiece.bpe.model": "@spiece", "tokenizer_config.json": {
            "tokenizer_class": "XLMRobertaTokenizerFast", "pad_token": "<p>", "unk_token": "<u>"}}),
        ("CamembertTokenizer", {"sentencepiece.bpe.model": "@spiece", "tokenizer_config.json": {
            "tokenizer_class": "CamembertTokenizer", "pad_token": "<p>", "unk_token": "<u>"}}),
    ]


def folder_cases():
    for name, files in folders():
        with tempfile.TemporaryDirectory() as parent:
            folder = write(pathlib.Path(parent) / "folder",
                           {file: content for file, content in files.items() if content != "@spiece"})
            for file, content in files.items():
                if content == "@spiece":
                    (folder / file).write_bytes((BASE.parent / "spiece.model").read_bytes())
            tokenizer = getattr(transformers, name).from_pretrained(folder)._tokenizer
        texts = [{"text": text} for text in (
            "", "The Carriage's caf\u00e9 the cat", "the [MASK] \t <mask>\nzyzzyva [X] 1,2,000", " \u4e00 [UNK]<unk> ''the``")]
        yield {"files": files, "texts": [{**request, "expected": brief(expected(tokenizer, request))}
                                         for request in texts + [{"text": "the cat", "pair": "sat the  "}]]}


def main():
    known, cases = {}, []
    for name, value in variants(PROSE, 110).items():
        model = json.dumps(value["model"])
        known.setdefault(model, f"model {len(known)}")
        tokenizer = tokenizers.Tokenizer.from_str(json.dumps(value))
        requests = [{"text": text} for text in (SPACED if name.startswith("added") else TEXTS)] + [PAIR]
        if "processor" in name:
            requests = requests[1 + ("truncated" in name):4] + [PAIR]
        texts = [{**request, "expected": brief(expected(tokenizer, request))} for request in requests]
        if "decoder" in name:  # the rest is that of "bpe plain"
            for text in texts:
                text["expected"] = {"decoded": text["expected"]["decoded"]}
        cases.append({"name": name, "tokenizer": {**value, "model": known[model]}, "texts": texts})
    result = {"tokenizers": tokenizers.__version__, "transformers": transformers.__version__,
              "models": {name: json.loads(model) for model, name in known.items()}, "cases": cases,
              "folders": list(folder_cases())}
    TARGET.write_text(json.dumps(result, ensure_ascii=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
