# SPDX-License-Identifier: MIT
"""Tokenizers of every model, post-processor and decoder, as values for tokenizer.json.

`roberta` and `xlm_r` are of real size; the variants come from a vocabulary that fits on a page.
"""
import copy
import json

import tokenizers
from tokenizers import models, normalizers, pre_tokenizers, trainers

METASPACE = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
WORDS = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, METASPACE]}
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}


def special(index, content, **rules):
    return {"id": index, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": True, **rules}


def file_of(model, names, pre_tokenizer, **parts):
    """A tokenizer.json; `names` are pieces of the vocabulary that are special tokens too."""
    vocab = model["vocab"]
    ids = {piece: i for i, (piece, _) in enumerate(vocab)} if isinstance(vocab, list) else vocab
    added = [special(ids[name], name, lstrip="mask" in name.lower()) for name in names]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": pre_tokenizer, "post_processor": None, "decoder": None, "model": model, **parts}


def template(before, between, after):
    """`before A after`, `before A between B after`."""
    def tokens(names, type_id):
        return [{"SpecialToken": {"id": name, "type_id": type_id}} for name in names]
    text = {name: {"Sequence": {"id": name, "type_id": i}} for i, name in enumerate("AB")}
    return {"type": "TemplateProcessing", "single": tokens(before, 0) + [text["A"]] + tokens(after, 0),
            "pair": tokens(before, 0) + [text["A"]] + tokens(between, 0) + [text["B"]] + tokens(after, 1)}


def with_ids(processor, names, ids):
    processor["special_tokens"] = {name: {"id": name, "ids": [ids[name]], "tokens": [name]} for name in names}
    return processor


NAMES = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def roberta(prose, vocab_size):
    """RoBERTa's kind of byte-level BPE, learnt from `prose`."""
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(prose, trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=NAMES, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    model = json.loads(tokenizer.to_str())["model"]
    ids = model["vocab"]
    return file_of(
        model, NAMES, BYTES, decoder=BYTES,
        post_processor={"type": "RobertaProcessing", "sep": ["</s>", ids["</s>"]], "cls": ["<s>", ids["<s>"]],
                        "trim_offsets": True, "add_prefix_space": False})


def xlm_r(prose, charsmap, vocab_size):
    """XLM-R's kind of Unigram, learnt from `prose`."""
    tokenizer = tokenizers.Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.train_from_iterator(prose, trainers.UnigramTrainer(
        vocab_size=vocab_size, special_tokens=NAMES, unk_token="<unk>", show_progress=False))
    model = json.loads(tokenizer.to_str())["model"]
    ids = {piece: i for i, (piece, _) in enumerate(model["vocab"])}
    return file_of(
        model, NAMES, WORDS, decoder=METASPACE,
        normalizer={"type": "Precompiled", "precompiled_charsmap": charsmap},
        post_processor=with_ids(template(["<s>"], ["</s>", "</s>"], ["</s>"]), ["<s>", "</s>"], ids))


def bpe(prose, pieces, **options):
    """A BPE over characters, with its merges in the newer form."""
    tokenizer = tokenizers.Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(prose, trainers.BpeTrainer(
        vocab_size=pieces, special_tokens=["<unk>", "[S]", "[E]"], show_progress=False, limit_alphabet=60, **options))
    return json.loads(tokenizer.to_str())["model"]


def bpe_models(prose, pieces):
    plain = bpe(prose, pieces)
    prefixed = bpe(prose, pieces, continuing_subword_prefix="##")
    suffixed = bpe(prose, pieces, end_of_word_suffix="</w>")
    with_bytes = copy.deepcopy(plain)
    for byte in range(256):
        with_bytes["vocab"][f"<0x{byte:02X}>"] = len(with_bytes["vocab"])
    whole = {**copy.deepcopy(plain), "ignore_merges": True}
    for word in ("carriage", "gentlemen", "unbelievable"):
        whole["vocab"].setdefault(word, len(whole["vocab"]))
    gaps = copy.deepcopy(plain)
    gaps["vocab"] = {piece: 3 * i + i // 100 for piece, i in plain["vocab"].items()}
    some_bytes = copy.deepcopy(with_bytes)
    del some_bytes["vocab"]["<0xC3>"], some_bytes["vocab"]["<0xE2>"]
    return {
        "plain": plain, "without unk": {**plain, "unk_token": None}, "fused": {**plain, "fuse_unk": True},
        "byte fallback": {**with_bytes, "byte_fallback": True},
        "some bytes": {**some_bytes, "byte_fallback": True, "fuse_unk": True},
        "bytes without unk": {**some_bytes, "byte_fallback": True, "unk_token": None},
        "prefix": prefixed, "suffix": suffixed, "prefix and suffix": bpe(prose, pieces, continuing_subword_prefix="##",
                                                                         end_of_word_suffix="</w>"), "prefix fused": {**prefixed, "fuse_unk": True},
        "ignore merges": whole, "gaps": gaps, "missing unk": {**plain, "unk_token": "<nothing>"},
        "old merges": {key: value for key, value in plain.items() if key != "type"} | {
            "merges": ["#version: 0.2"] + [" ".join(pair) for pair in plain["merges"]]},
    }


def wordpiece(prose, pieces):
    tokenizer = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(prose, trainers.WordPieceTrainer(
        vocab_size=pieces, special_tokens=["[UNK]", "[S]", "[E]"], show_progress=False, limit_alphabet=50))
    return json.loads(tokenizer.to_str())["model"]


def word_level(prose, pieces):
    tokenizer = tokenizers.Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.train_from_iterator(prose, trainers.WordLevelTrainer(
        vocab_size=pieces, special_tokens=["[UNK]", "[S]", "[E]"], show_progress=False))
    return json.loads(tokenizer.to_str())["model"]


def processors(ids):
    """By name; `ids` has [S] and [E]."""
    ends = {"sep": ["[E]", ids["[E]"]], "cls": ["[S]", ids["[S]"]]}
    around = with_ids(template(["[S]"], ["[E]"], ["[E]"]), ["[S]", "[E]"], ids)
    result = {"bert": {"type": "BertProcessing", **ends}}
    for trim in (True, False):
        for prefix in (True, False):
            rules = {"trim_offsets": trim, "add_prefix_space": prefix}
            name = f"trim {trim} prefix {prefix}"
            result[f"roberta {name}"] = {"type": "RobertaProcessing", **ends, **rules}
            result[f"byte level {name}"] = {"type": "ByteLevel", **rules, "use_regex": True}
    result["sequence"] = {"type": "Sequence", "processors": [result["byte level trim True prefix False"], around]}
    roberta_ends = result["roberta trim True prefix False"]
    result["roberta in sequence"] = {"type": "Sequence", "processors": [roberta_ends]}
    text = {name: {"Sequence": {"id": name, "type_id": 2 * i + 1}} for i, name in enumerate("AB")}
    start, end = ({"SpecialToken": {"id": name, "type_id": 4}} for name in ("[S]", "ends"))
    result["odd template"] = {
        "type": "TemplateProcessing", "single": [text["A"], end], "pair": [start, text["B"], end, text["A"], start],
        "special_tokens": {"[S]": {"id": "[S]", "ids": [ids["[S]"]], "tokens": ["[S]"]},
                           "ends": {"id": "ends", "ids": [ids["[E]"], ids["[S]"]], "tokens": ["[E]", "[S]"]}}}
    result["bare template"] = {"type": "TemplateProcessing", "single": [text["A"]], "pair": [text["A"], text["B"]],
                               "special_tokens": {}}
    result["bert in sequence"] = {"type": "Sequence", "processors": [result["bert"]]}
    return result


DECODERS = {
    "byte level": BYTES, "wordpiece": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    "wordpiece untidy": {"type": "WordPiece", "prefix": "##", "cleanup": False},
    "wordpiece without prefix": {"type": "WordPiece", "prefix": "", "cleanup": True},
    "bpe": {"type": "BPEDecoder", "suffix": "</w>"}, "bpe without suffix": {"type": "BPEDecoder", "suffix": ""},
    "ctc": {"type": "CTC", "pad_token": "e", "word_delimiter_token": "t", "cleanup": True},
    "ctc untidy": {"type": "CTC", "pad_token": "e", "word_delimiter_token": "t", "cleanup": False},
    "ctc empty": {"type": "CTC", "pad_token": "", "word_delimiter_token": "", "cleanup": True},
    "replace": {"type": "Replace", "pattern": {"String": "e"}, "content": "\u00e9 "},
    "replace regex": {"type": "Replace", "pattern": {"Regex": r"[aeiou]+"}, "content": "-"},
    "fuse": {"type": "Fuse"}, "byte fallback": {"type": "ByteFallback"},
    "strip stop": {"type": "Strip", "content": "e", "start": 0, "stop": 1},  # with more the library panics
    "strip start": {"type": "Strip", "content": "t", "start": 3, "stop": 0},
    **{f"metaspace {scheme} {sign}": {**METASPACE, "prepend_scheme": scheme, "replacement": sign}
       for scheme in ("always", "first", "never") for sign in "\u2581e"},
    "sequence": {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"},
        {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
}


# Neighbouring doubles, the less first, which the library reads as one: of "th" and "t", "h" none is better then.
CLOSE_SCORES = [("th", -12.579544029403024, -12.579544029403023), ("in", -10.112747213686085, -10.112747213686083),
                ("er", -11.183689966753317, -11.183689966753315), ("ar", -11.839839319154413, -11.839839319154411)]


def close_scores():
    vocab = {"<unk>": -20.0, "[S]": 0.0, "[E]": 0.0, "\u2581": -1.5, "a": 0.0}
    for (first, second), lower, higher in CLOSE_SCORES:
        vocab |= {first + second: lower, first: 0.0, second: higher}
    return {"type": "Unigram", "unk_id": 0, "byte_fallback": False, "vocab": [list(item) for item in vocab.items()]}


def variants(prose, pieces=600):
    """Small tokenizers with every option of every model, post-processor and decoder, by name."""
    result = {}
    for name, model in bpe_models(prose, pieces).items():
        pre_tokenizer = WORDS if name in ("fused", "ignore merges") else {"type": "WhitespaceSplit"}
        decoder = DECODERS["bpe"] if name == "suffix" else DECODERS["sequence"] if "byte" in name else None
        result[f"bpe {name}"] = file_of(model, ["<unk>", "[S]", "[E]"], pre_tokenizer, decoder=decoder)
    plain = wordpiece(prose, pieces)
    for name, model in {"wordpiece": plain, "wordpiece short words": {**plain, "max_input_chars_per_word": 7},
                        "wordpiece without prefix": {**plain, "continuing_subword_prefix": ""},
                        "wordpiece other prefix": {**plain, "continuing_subword_prefix": "%%"},
                        "wordpiece missing unk": {**plain, "unk_token": "<nothing>"}}.items():
        result[name] = file_of(model, ["[S]", "[E]"], {"type": "WhitespaceSplit"}, decoder=DECODERS["wordpiece"])
    untyped = {key: value for key, value in plain.items() if key != "type"}
    result["wordpiece without type"] = file_of(untyped, ["[S]", "[E]"], {"type": "WhitespaceSplit"})
    result["word level"] = file_of(word_level(prose, pieces), ["[S]", "[E]"], {"type": "WhitespaceSplit"})
    result["unigram close scores"] = file_of(close_scores(), ["[S]", "[E]"], WORDS)
    base = result["bpe plain"]
    for name, processor in processors(base["model"]["vocab"]).items():
        with_processor = {**base, "post_processor": processor}
        result[f"processor {name}"] = with_processor
        result[f"processor {name}, truncated"] = {
            **with_processor,
            "truncation": {"direction": "Left" if "False" in name else "Right", "max_length": 19, "stride": 3,
                           "strategy": "LongestFirst"},
            "padding": {"strategy": "BatchLongest", "direction": "Left" if "byte" in name else "Right",
                        "pad_to_multiple_of": 8, "pad_id": 0, "pad_type_id": 3, "pad_token": "<unk>"}}
    for name, decoder in DECODERS.items():
        result[f"decoder {name}"] = {**result["bpe byte fallback" if name == "byte fallback" else "bpe plain"], "decoder": decoder}
    return result | added_tokens()


def added_tokens():
    """Added tokens that take white space from each other, repeats and ones without text; a model without unknown."""
    vocab = [["<unk>", -9.0], ["a", -1.0], ["b", -2.0], ["x", -1.5], [" ", -3.0], ["\u2581", -3.0], ["ab", -4.0]]
    model = {"type": "Unigram", "unk_id": 0, "vocab": vocab}

    def of(tokens, **parts):
        tokens = [special(len(vocab) + i if isinstance(token, str) else token.pop("id"), **({"content": token} if isinstance(token, str) else token))
                  for i, token in enumerate(tokens)]
        return {**file_of(model, [], None), "added_tokens": tokens, **parts}

    both, right, left = {"lstrip": True, "rstrip": True}, {"rstrip": True}, {"lstrip": True}
    lower = {"normalizer": {"type": "Lowercase"}}
    ends = {"sep": ["x", 3], "cls": ["b", 2]}
    result = {}
    for name, rules in (("both", both), ("right", right), ("left", left)):
        for normalized in (False, True):
            kind = "normalized" if normalized else "raw"
            result[f"added space {name} {kind}"] = of([{"id": 4, "content": " ", "normalized": normalized, **rules}])
            result[f"added lines {name} {kind}"] = of([{"id": 7, "content": "\n", "normalized": normalized, **rules},
                                                       {"id": 8, "content": "<m>", "normalized": normalized, **rules}])
    result["added form of white space"] = of([{"id": 7, "content": "Z", "normalized": True, **both}],
                                             normalizer={"type": "Replace", "pattern": {"String": "Z"}, "content": " "})
    result["added again"] = of([{"id": 7, "content": "<m>"}, {"id": 7, "content": "<m>"}, {"id": 8, "content": "<n>"}])
    result["added again with other rules"] = of([{"id": 7, "content": "<M>", "normalized": True}, {"id": 7, "content": "<M>", **right},
                                                 {"id": 3, "content": "x", "special": False}], **lower)
    result["added without text"] = of([{"id": 7, "content": ""}, {"id": 7, "content": "<m>"}])
    result["added twins"] = of([{"id": 7, "content": "<M>", "normalized": True}, {"id": 8, "content": "<m>"}], **lower)
    no_unknown = {"type": "Unigram", "unk_id": None, "vocab": vocab[1:]}
    result["added to no unknown"] = {**file_of(no_unknown, [], None), "added_tokens": [special(6, "<m>"), special(7, "\n")]}
    result["added by two processors"] = of([], post_processor={"type": "Sequence", "processors": [
        {"type": "BertProcessing", **ends}, {"type": "RobertaProcessing", **ends, "trim_offsets": True, "add_prefix_space": False}]})
    return result
