# SPDX-License-Identifier: MIT
"""Folders without tokenizer.json, each with the tokenizer that transformers' class makes of it."""
import json
import shutil

import transformers

from compare import BASE


def write(folder, files):
    """Writes `files`, JSON values or text by name, into a new folder."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def token(content, **rules):
    return {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, **rules}


def typed(content, **rules):
    return {"__type": "AddedToken", **token(content, **rules)}


def bert(minilm):
    """vocab.txt of `minilm` with every option."""
    config = {"tokenizer_class": "BertTokenizer"}
    vocab = (minilm / "vocab.txt").read_text(encoding="utf-8")
    fewer = "".join(line + "\n" for line in vocab.split("\n")[:20000])
    return {
        "plain": {"vocab.txt": vocab},
        "cased": {"vocab.txt": vocab, "tokenizer_config.json": {**config, "do_lower_case": False}},
        "accents": {"vocab.txt": fewer, "tokenizer_config.json": {**config, "strip_accents": False}},
        "cased without accents": {"vocab.txt": fewer, "tokenizer_config.json": {
            **config, "do_lower_case": False, "strip_accents": True, "tokenize_chinese_chars": False}},
        "added": {"vocab.txt": fewer, "tokenizer_config.json": {
            **config, "additional_special_tokens": ["[X]", typed("[Y]", rstrip=True)], "mask_token": typed("[MASK]", lstrip=True)},
            "added_tokens.json": {"zyzzyva": 20001, "[X]": 20002, "Foo bar": 20003}},
        "map": {"vocab.txt": vocab, "special_tokens_map.json": {
            "mask_token": token("[MASK]", lstrip=True), "pad_token": "[PAD]", "additional_special_tokens": ["[Z]"]},
            "tokenizer_config.json": {**config, "mask_token": "[MASK]"}},
        "decoder": {"vocab.txt": vocab, "tokenizer_config.json": {
            **config, "added_tokens_decoder": {
                "103": token("[MASK]", lstrip=True, special=True), "30522": token("zyzzyva", special=False, normalized=True),
                "30523": token("[X]", special=True)}},
            "special_tokens_map.json": {"mask_token": "[UNK]"}},
    }


def roberta(model):
    """vocab.json and merges.txt of a byte-level BPE."""
    files = {"vocab.json": model["vocab"],
             "merges.txt": "#version: 0.2\n" + "".join(" ".join(pair) + "\n" for pair in model["merges"])}
    config = {"tokenizer_class": "RobertaTokenizer"}
    return {
        "plain": files,
        "prefix": {**files, "tokenizer_config.json": {**config, "add_prefix_space": True}},
        "untrimmed": {**files, "tokenizer_config.json": {**config, "trim_offsets": False}},
        "mask": {**files, "special_tokens_map.json": {"mask_token": token("<mask>", lstrip=True)},
                 "tokenizer_config.json": config, "added_tokens.json": {"zyzzyva": 9000}},
    }


ALBERT = {
    "plain": {},
    "cased": {"do_lower_case": False},
    "accents": {"keep_accents": True},
    "mask": {"mask_token": typed("[MASK]", lstrip=True)},
    "without prefix": {"add_prefix_space": False},
    "extra": {"additional_special_tokens": ["[X]", "[Y]"]},
}


def beside(mask):
    """The files that older versions wrote beside the vocabulary."""
    return {"special_tokens_map.json": {"mask_token": token(mask, lstrip=True), "additional_special_tokens": ["[Z]"]},
            "added_tokens.json": {"zyzzyva": 50000, "[Z]": 50001}}


def train_sentencepiece(prose, target):
    """A Unigram model with SentencePiece's own three special pieces."""
    import sentencepiece
    text = target.with_suffix(".txt")
    text.write_text("\n".join(part.replace("\n", " ") for part in prose), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(target.with_suffix("")), vocab_size=4000, minloglevel=2,
        user_defined_symbols=["<sym>"], normalization_rule_name="nmt_nfkc", hard_vocab_limit=False)
    return target


def legacy_folders(parent, roberta_json, minilm, prose):
    """{kind: a function that yields (name, folder, tokenizer)}; `roberta_json` and `minilm` are functions, too."""
    def berts():
        for name, files in bert(minilm()).items():
            folder = write(parent / "bert" / name, files)
            yield f"legacy minilm {name}", folder, transformers.BertTokenizer.from_pretrained(folder)._tokenizer

    def robertas():
        for name, files in roberta(roberta_json()["model"]).items():
            folder = write(parent / "roberta" / name, files)
            yield f"legacy roberta {name}", folder, transformers.RobertaTokenizer.from_pretrained(folder)._tokenizer

    def alberts():
        for name, options in {**ALBERT, "beside": {}}.items():
            folder = write(parent / "albert" / name, {
                "tokenizer_config.json": {"tokenizer_class": "AlbertTokenizer", **options},
                **(beside("[MASK]") if name == "beside" else {})})
            shutil.copy(BASE.parent / "spiece.model", folder)
            yield f"legacy albert {name}", folder, transformers.AlbertTokenizer.from_pretrained(folder)._tokenizer

    def sentencepieces(name):
        model = train_sentencepiece(prose, parent / "sentencepiece.bpe.model")
        for kind, options in {"plain": {}, "mask": {"mask_token": typed("<mask>", lstrip=True)},
                              "without prefix": {"add_prefix_space": False}, "beside": {}}.items():
            folder = write(parent / name / kind, {
                "tokenizer_config.json": {"tokenizer_class": f"{name}Tokenizer", **options},
                **(beside("<mask>") if kind == "beside" else {})})
            shutil.copy(model, folder)
            yield (f"legacy {name} {kind}", folder,
                   getattr(transformers, f"{name}Tokenizer").from_pretrained(folder)._tokenizer)

    return {"minilm": berts, "roberta": robertas, "albert": alberts,
            **{name: lambda name=name: sentencepieces(name) for name in ("XLMRoberta", "Camembert")}}
