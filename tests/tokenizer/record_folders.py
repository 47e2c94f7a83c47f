#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes folders.json: what transformers' AutoTokenizer makes of small folders, whose tokenizer_config.json,
special_tokens_map.json, added_tokens.json and config.json change and add to a tokenizer.json or vocab.txt.

tokenizer_folders_test.cpp reads it. Files are text, as their order counts; "@NAME" is one of /tokenizers.
"""
import json
import pathlib
import tempfile

import transformers

from compare import expected
from legacy_folders import token, typed, write
from random_folders import folder_facts
from record import brief

TARGET = pathlib.Path(__file__).parent / "folders.json"
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "cat", "the", "The", "##s", "[", "]", "mask", "x", "new", "york", ".", "e", "\u00e9"]
TEXTS = ["The cats [MASK] a.", "a [X]b  <i> New York \u00e9", "[CLS] cat  [MASK]  [Y] zz"]
PAIR = {"text": "a cat [X]", "pair": "the [MASK] b"}


def added(content, number, **flags):
    return {"id": number, **token(content, special=True, **flags)}


def tokenizer(model, **parts):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": None,
            "post_processor": None, "decoder": None, **parts, "model": model}


def processing(kind, first, last, ids):
    return {"type": kind, "sep": [last, ids[last]], "cls": [first, ids[first]]}


def tokenizers():
    ids = {piece: i for i, piece in enumerate(PIECES)}
    word_piece = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": ids}
    template = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}}}
    chars = sorted({char for piece in PIECES for char in piece if char != "\u00e9"})
    bpe_pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"] + chars + ["\u0120", "\u0120c", "at", "\u00c3", "\u00a9"]
    bpe = {"type": "BPE", "vocab": {piece: i for i, piece in enumerate(bpe_pieces)}, "merges": ["\u0120 c", "a t"]}
    unigram = {"type": "Unigram", "unk_id": 3, "vocab": [[piece, -float(i % 5)] for i, piece in enumerate(
        ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "[CLS]", "[SEP]", "\u2581", "\u2581cat", "s", "\u2581a", "b", "\u2581the"])]}
    metaspace = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": True}
    return {
        "bert": tokenizer(word_piece, added_tokens=[added("[CLS]", 2), added("[MASK]", 4)], normalizer={"type": "Lowercase"},
                          pre_tokenizer={"type": "BertPreTokenizer"}, post_processor=template,
                          decoder={"type": "WordPiece", "prefix": "##", "cleanup": False}),
        "padded": tokenizer(word_piece, pre_tokenizer={"type": "WhitespaceSplit"}, padding={
            "strategy": {"Fixed": 8}, "direction": "Left", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "P"},
            truncation={"direction": "Left", "max_length": 12, "strategy": "LongestFirst", "stride": 0}),
        "twice": tokenizer(word_piece, pre_tokenizer={"type": "WhitespaceSplit"}, normalizer={"type": "Lowercase"}, added_tokens=[
            added("[X]", 21, rstrip=True), added("[X]", 20, lstrip=True), added("cat", 7, single_word=True), added("cat", 30),
            added("x", 22, lstrip=True), added("x", 23, rstrip=True), added("x", 24, lstrip=True)]),
        "roberta": tokenizer(bpe, pre_tokenizer={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
                             post_processor=processing("BertProcessing", "<s>", "</s>", bpe["vocab"]), normalizer={"type": "NFC"}),
        "unigram": tokenizer(unigram, pre_tokenizer=metaspace, normalizer={"type": "NFKC"},
                             added_tokens=[added("<mask>", 4, lstrip=True)], decoder=metaspace,
                             post_processor=processing("BertProcessing", "<s>", "</s>", {"<s>": 0, "</s>": 2})),
    }


def folders():
    def config(**options):
        return {"tokenizer_config.json": options}
    decoder = {"20": token("[X]", lstrip=True, special=True), "4": token("[MASK]", rstrip=True, special=True),
               "40": token("New York", normalized=True, special=False)}
    bert, lines = {"tokenizer.json": "@bert"}, "".join(piece + "\n" for piece in PIECES)
    bert_config = {"config.json": {"model_type": "bert"}}
    return [
        bert,
        {**bert, **config(mask_token="[MASK]", bos_token="<i>", added_tokens_decoder=decoder)},
        {**bert, **config(added_tokens_decoder={}, mask_token="zz"), "special_tokens_map.json": {"mask_token": "cat"}},
        {**bert, **config(unk_token="[UNK]", mask_token=typed("[MASK]", lstrip=True)),
         "special_tokens_map.json": {"mask_token": token("[MASK]", rstrip=True), "additional_special_tokens": ["[X]", "[Y]"]},
         "added_tokens.json": {"New York": 20, "[X]": 31}},
        {**bert, **config(z_token="<i>", a_token="[Y]", extra_special_tokens={"q": "[X]", "b": "zz"})},
        {**bert, **config(b_token=typed("[Y]", rstrip=True), z_token="<i>", extra_special_tokens=["[X]", typed("zz", single_word=True)])},
        {**bert, **config(additional_special_tokens=["[X]"], extra_special_tokens=[]),
         "special_tokens_map.json": {"extra_special_tokens": ["[Y]", token("<i>", lstrip=True)], "c_token": "zz"}},
        {**bert, **config(split_special_tokens=True, mask_token="[MASK]", additional_special_tokens=["[X]"])},
        {**bert, **config(cls_token=None, model_max_length=2 ** 64 - 1, padding_side="left", truncation_side="left",
                          add_bos_token=True, model_input_names=["input_ids", "token_type_ids"])},
        {"tokenizer.json": "@padded"},
        {"tokenizer.json": "@padded", **config(pad_token="[PAD]", padding_side="right", model_max_length=1e30)},
        {**bert, **bert_config},
        {**bert, **bert_config, **config(do_lower_case=False, strip_accents=True, cls_token="a", unk_token="x")},
        {**bert, **bert_config, **config(tokenizer_class="PreTrainedTokenizerFast")},
        {**bert, "config.json": {"model_type": "nystromformer"}, **config(tokenizer_class="BertTokenizer")},
        {**bert, **config(tokenizer_class="DistilBertTokenizerFast", additional_special_tokens=["[X]"])},
        {**bert, **config(tokenizer_class="ConvBertTokenizer")},
        {**bert, "config.json": {"model_type": "electra", "tokenizer_class": "ElectraTokenizer"}},
        {**bert, **config(tokenizer_class="NoSuchTokenizer")},
        {"tokenizer.json": "@roberta", "config.json": {"model_type": "roberta"}},
        {"tokenizer.json": "@roberta", **config(tokenizer_class="RobertaTokenizer", add_prefix_space=True, trim_offsets=False,
                                               mask_token=typed("<mask>", lstrip=True))},
        {"tokenizer.json": "@roberta", **config(tokenizer_class="PreTrainedTokenizerFast")},
        {"tokenizer.json": "@unigram", "config.json": {"model_type": "xlm-roberta"}},
        {"tokenizer.json": "@unigram", **config(tokenizer_class="XLMRobertaTokenizer", add_prefix_space=False)},
        {"tokenizer.json": "@unigram", "config.json": {"model_type": "camembert"}},
        {"tokenizer.json": "@unigram", **config(tokenizer_class="CamembertTokenizer", additional_special_tokens=["[X]"])},
        {"tokenizer.json": "@unigram", "config.json": {"model_type": "albert"}},
        {"tokenizer.json": "@unigram", **config(tokenizer_class="AlbertTokenizer", keep_accents=True, do_lower_case=False)},
        {"vocab.txt": lines, **bert_config},
        {"vocab.txt": lines + "cat\n\n \n", **bert_config, **config(split_special_tokens=True), "added_tokens.json": {"[X]": 21}},
        {"vocab.txt": lines, **config(tokenizer_class="BertTokenizer", b_token="[X]", a_token="[Y]"),
         "special_tokens_map.json": {"cls_token": "[SEP]"}},
        {"tokenizer.json": "@unigram", **config(tokenizer_class="AlbertTokenizer", do_lower_case=None, add_prefix_space=None)},
        {"tokenizer.json": "@unigram", **config(tokenizer_class="XLMRobertaTokenizer", add_prefix_space=None)},
        {**bert, "config.json": {"model_type": "nystromformer"},
         **config(tokenizer_class="BertTokenizer", auto_map={"AutoTokenizer": ["code.Own", None]})},
        {**bert, "config.json": {"model_type": "nystromformer"}, **config(tokenizer_class="BertTokenizer", auto_map={"AutoModel": "code.Own"})},
        {"tokenizer.json": "@twice"},
        {"tokenizer.json": "@twice", **config(mask_token="x", tokenizer_class="BertTokenizer")},
        {"tokenizer.json": "@twice", **config(mask_token="x", additional_special_tokens=["cat"])},
    ]


def main():
    makes = tokenizers()
    result = []
    with tempfile.TemporaryDirectory() as parent:
        for number, files in enumerate(folders()):
            texts = {name: content if isinstance(content, str) else json.dumps(content) for name, content in files.items()}
            on_disk = {name: json.dumps(makes[text[1:]]) if text.startswith("@") else text for name, text in texts.items()}
            folder = write(pathlib.Path(parent) / str(number), on_disk)
            auto = transformers.AutoTokenizer.from_pretrained(folder)
            requests = [{"text": text} for text in TEXTS] + [PAIR]
            if number % 3:
                requests = requests[number % 2::2]
            facts = {**folder_facts(auto), "gives_token_type_ids": "token_type_ids" in auto.model_input_names}
            result.append({"files": texts, "facts": facts,
                           "texts": [{**request, "expected": brief(expected(auto._tokenizer, request))} for request in requests]})
    text = json.dumps({"tokenizers": makes, "folders": result}, ensure_ascii=False, separators=(",", ":"))
    TARGET.write_text(text.replace('{"files"', '\n{"files"') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
