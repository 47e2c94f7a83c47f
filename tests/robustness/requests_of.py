# SPDX-License-Identifier: MIT
"""Draws commands with options and input lines for a folder."""
import json
import random
import struct

import folders

ODD = ["", " ", "\n\t", "\u0000", "\u0001a", "\ufffe", "\uffff", "\ufeffx", "e\u0301", "é", "İ", "東京", "🙂", "🇩🇪", "a\u200db",
       "[MASK]", "[SEP]", "[CLS]", "[PAD]", "<x>", "fox fox", "==>", "\u2028", "ß", "ﬁ", "▁", "Ġ", "zzzzzzzz", "\\", '"', "{}",
       "\u001b[31m", "\u0085", "a" * 120]


def draw_text(dice):
    kind = dice.random()
    if kind < 0.08:
        return dice.choice(ODD)
    if kind < 0.12:
        return dice.choice(["[MASK] ", "a ", "é", "[SEP]"]) * dice.randint(10, 120)
    count = dice.choice([1, 2, 3, 4, 5, 8, 12, 30, 90])
    parts = [dice.choice(ODD) if dice.random() < 0.12 else dice.choice(folders.WORDS) for _ in range(count)]
    return "".join(part + dice.choice([" "] * 8 + ["", "  ", "\n"]) for part in parts)


def masked(dice, text):
    words = text.split(" ")
    for _ in range(dice.choice([1, 1, 1, 2, 4])):
        words.insert(dice.randint(0, len(words)), "[MASK]")
    return " ".join(words)


class Request:
    """A command, its options, and lines for stdin (none for commands that read none)."""

    def __init__(self, command, options, lines, codes=(0, 2, 3)):
        self.command, self.options, self.lines = command, [str(option) for option in options], lines
        self.codes = codes
        self.threads = self.batches = self.repeatable = True


def line_of(dice, fields):
    """A JSON line, now and then one that is none, or with fields of its own."""
    kind = dice.random()
    if kind < 0.02:
        return dice.choice([b"", b"[]", b"5", b'{"text": 5}', b"{", b'{"text": "\xff"}', b'{"text": "\\ud800"}', b"null"])
    if kind < 0.15:
        fields = {**fields, dice.choice(["id", "file", "output", "cut", "line"]): dice.choice([5, "x", None, [1], {"a": 2.5}])}
    return json.dumps(fields, ensure_ascii=dice.random() < 0.5).encode("utf-8", "surrogatepass")


def some(dice, options, chance=0.3):
    """Each of (name, values...) with a chance; a flag where there is no value."""
    chosen = []
    for name, *values in options:
        if dice.random() < chance:
            chosen += [name, dice.choice(values)] if values else [name]
    return chosen


def forward(dice):
    return some(dice, [("--precision", "bf16", "int8"), ("--attention", "config", "exact", "nystrom"),
                       ("--landmarks", 1, 2, 3, 8, 100), ("--batch-tokens", 1, 5, 64, 4096)], 0.25)


def fitting(dice, strides=(0, 1, 2, 3, 5, 9)):
    """How long texts are met: not, cut, or in windows."""
    return dice.choice([[], ["--truncation"], ["--truncation"], *(["--stride", stride] for stride in strides)])


def texts(dice, most=7):
    return [draw_text(dice) for _ in range(dice.randint(1, most))]


def draw_masked(dice, folder):
    options = forward(dice) + fitting(dice) + some(dice, [("--top-k", 0, 1, 2, 7, 30), ("--targets", "cat,dog", "zzz", "", "a")])
    return Request("fill-mask", options, [line_of(dice, {"text": masked(dice, text) if dice.random() < 0.9 else text})
                                          for text in texts(dice)])


def draw_classify(dice, folder):
    options = forward(dice) + fitting(dice) + some(dice, [
        ("--top-k", 0, 1, 2, 9, "all"), ("--function-to-apply", "default", "none", "sigmoid", "softmax"), ("--pair", "a dog", "")])
    lines = []
    for text in texts(dice):
        fields = {"text": text, "pair": draw_text(dice)} if dice.random() < 0.4 else {"text": text}
        lines.append(line_of(dice, fields))
    return Request("classify", options, lines)


def draw_zero_shot(dice, folder):
    options = forward(dice) + fitting(dice) + some(dice, [
        ("--multi-label",), ("--hypothesis-template", "{}", "It is {}.", "{{}} {0}", "")]) + ["--candidate-labels", "sea, land,,x"]
    lines = []
    for text in texts(dice, 4):
        labels = dice.choice([None, "sea, land", ["sea", "land", "sea"], ["é"], [], "", [draw_text(dice) for _ in range(9)]])
        lines.append(line_of(dice, {"text": text, **({} if labels is None else {"candidate_labels": labels})}))
    return Request("zero-shot", options, lines)


def draw_tag(dice, folder):
    strategy = dice.choice(["none", "simple", "first", "average", "max"])
    options = forward(dice) + fitting(dice) + ["--aggregation-strategy", strategy] + some(dice, [
        ("--ignore-labels", "", "O", "O,X"), ("--word-ids",)])
    return Request("tag", options, [line_of(dice, {"text": text}) for text in texts(dice)])


def draw_answer(dice, folder):
    options = forward(dice) + some(dice, [
        ("--top-k", 1, 2, 30), ("--max-seq-len", 4, 6, 8, 12, 40), ("--doc-stride", 0, 1, 2, 8), ("--max-answer-len", 1, 3, 100),
        ("--handle-impossible-answer",), ("--no-align-to-words",)], 0.35)
    lines = [line_of(dice, {"question": dice.choice(["who?", "a cat", "[CLS]", draw_text(dice)]), "context": text})
             for text in texts(dice, 5)]
    return Request("answer", options, lines)


def draw_choose(dice, folder):
    options = forward(dice) + fitting(dice) + some(dice, [("--prompt", "the cat", "")])
    lines = [line_of(dice, {"prompt": text, "choices": texts(dice, 4) if dice.random() < 0.95 else []}) for text in texts(dice, 4)]
    return Request("choose", options, lines)


def embedding_options(dice, folder):
    options = forward(dice) + fitting(dice, (0, 1, 3)) + some(dice, [
        ("--truncate-dim", 1, 2, folder.columns, folder.columns + 1), ("--max-seq-length", 1, 2, 3, 5, 8, 100)], 0.2)
    names = ["query", "document", "long", "odd", "none"] if folder.modules else ["query", "document"]
    return options + dice.choice([[], ["--prompt-name", "long" if folder.modules else "query"], ["--prompt-name", dice.choice(names)],
                                  ["--prompt", dice.choice(["the cat ", "", " ", "zzz", "[SEP]", "a b c d e f g h i j "])]])


def draw_embed(dice, folder):
    options = embedding_options(dice, folder) + some(dice, [("--normalize",)])
    return Request("embed", options, [line_of(dice, {"text": text}) for text in texts(dice)])


def draw_search(dice, folder, scratch):
    corpus = scratch / "corpus.txt"
    corpus.write_text("\n".join(dice.choice(folders.WORDS) for _ in range(dice.randint(1, 9))) + "\n")
    options = embedding_options(dice, folder) + ["--corpus", corpus] + some(dice, [
        ("--top-k", 1, 2, 100), ("--similarity", "cosine", "dot", "euclidean", "manhattan"), ("--split", "lines", "paragraphs")])
    return Request("search", options, [line_of(dice, {"text": text}) for text in texts(dice, 4)], codes=(0, 1, 2, 3))


def draw_features(dice, folder):
    return Request("features", forward(dice) + fitting(dice), [line_of(dice, {"text": text}) for text in texts(dice, 4)])


def draw_tokenize(dice, folder):
    options = some(dice, [("--no-special-tokens",), ("--byte-offsets",), ("--decode",), ("--pair", "a dog", "")])
    lines = []
    for text in texts(dice):
        fields = {"text": text, "pair": draw_text(dice)} if dice.random() < 0.3 else {"text": text}
        if dice.random() < 0.15:
            fields = {"ids": [dice.choice([0, 1, 5, 20, 60, 10**6, 2**32 - 1]) for _ in range(dice.randint(0, 9))]}
        lines.append(line_of(dice, fields))
    request = Request("tokenize", options, lines)
    request.batches = False
    return request


def draw_compare(dice, folder):
    options = ["--repeat", 1] + fitting(dice, ())[:1] + some(dice, [
        ("--landmarks", 1, "2,3", 100), ("--inverse", "sequence", "matrix", "batch,matrix"), ("--iterations", 0, 1, "6,7"),
        ("--mask-passes", 1, 3), ("--seed", 0, 9), ("--precision", "bf16", "int8")])
    request = Request("compare", options, [line_of(dice, {"text": text}) for text in texts(dice, 3)])
    request.batches = request.repeatable = False
    return request


def draw_run(dice, folder, scratch):
    """Raw tensors, most of them such as fit."""
    config, choices = folder.config, folder.head == "choices"
    shape = [dice.choice([0, 1, 2]), *([dice.choice([1, 2])] if choices else []),
             dice.randint(1, config["max_position_embeddings"] + 1)]
    rows = 1
    for size in shape:
        rows *= size
    tensors = {}

    def integers(name, own_shape, low, high):
        count = 1
        for size in own_shape:
            count *= size
        tensors[name] = ("I64", own_shape, struct.pack(f"<{count}q", *(dice.randint(low, high) for _ in range(count))))

    def numbers(name, own_shape):
        count = 1
        for size in own_shape:
            count *= size
        tensors[name] = ("F32", own_shape, struct.pack(f"<{count}f", *(dice.gauss(0, 1) for _ in range(count))))

    if dice.random() < 0.7:
        integers("input_ids", shape, 0, config["vocab_size"] - (dice.random() < 0.97))
    else:
        numbers("inputs_embeds", shape + [config["hidden_size"] if dice.random() < 0.9 else dice.choice([0, 1, 7])])
    if dice.random() < 0.4:
        integers("attention_mask", dice.choice([shape, shape, [1, shape[-1]]]), 0, 1)
    if dice.random() < 0.3:
        integers("token_type_ids", shape, 0, config["type_vocab_size"] - 1)
    if dice.random() < 0.3:
        integers("position_ids", dice.choice([shape, [1, shape[-1]]]), 0, config["max_position_embeddings"] + 1)
    if dice.random() < 0.4:
        labels = dice.choice([shape, shape[:1], [shape[0], len(config["id2label"])]])
        if dice.random() < 0.7:
            integers("labels", labels, dice.choice([0, -100]), dice.choice([0, 1, 5]))
        else:
            numbers("labels", labels)
    if dice.random() < 0.3:
        for name in ("start_positions", "end_positions"):
            integers(name, shape[:1], -1, 20)
    path, data, header = scratch / "in.safetensors", b"", {}
    for name, (dtype, own_shape, raw) in tensors.items():
        header[name] = {"dtype": dtype, "shape": own_shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    heads = {"base": "model", "masked-lm": "masked-lm", "classes": "sequence-classification",
             "tags": "token-classification", "answers": "question-answering", "choices": "multiple-choice"}
    options = ["--head", heads[folder.head], "--input", path, "--output", scratch / "out.safetensors"] + some(dice, [
        ("--scalar", "float", "double"), ("--inverse", "batch", "sequence", "matrix"), ("--hidden-states",), ("--attentions",),
        ("--attention", "exact", "nystrom"), ("--landmarks", 1, 3, 100), ("--precision", "bf16", "int8")])
    return Request("run", options, [], codes=(0, 1, 2))


def draw_other(dice, folder, scratch):
    command = dice.choice(["info", "bench", "run", "run", "run"])
    if command == "run":
        return draw_run(dice, folder, scratch)
    if command == "info":
        request = Request("info", ["--json"], [], codes=(0,))
        request.threads = False
        return request
    return Request("bench", ["--lengths", dice.choice(["1", "3,5", "6", "1000"]), "--repeat", 1, "--batch", dice.choice([1, 3])],
                   [], codes=(0, 1, 2))


def draw(dice, folder, scratch):
    """A request that the folder's head can answer."""
    if dice.random() < 0.12:
        return draw_other(dice, folder, scratch)
    if dice.random() < 0.12:
        return draw_tokenize(dice, folder)
    if dice.random() < 0.06:
        return draw_compare(dice, folder)
    if folder.head == "base":
        kind = dice.random()
        if kind < 0.25:
            return draw_features(dice, folder)
        return draw_embed(dice, folder) if kind < 0.8 else draw_search(dice, folder, scratch)
    if folder.head == "classes":
        return dice.choice([draw_classify, draw_zero_shot])(dice, folder)
    return {"masked-lm": draw_masked, "tags": draw_tag, "answers": draw_answer, "choices": draw_choose}[folder.head](dice, folder)
