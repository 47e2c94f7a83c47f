# SPDX-License-Identifier: MIT
"""What each command promises of an answer, whatever the folder and the text."""
import json
import math


def numbers_of(value):
    """Every number of a JSON value; None where there is a null."""
    if isinstance(value, dict):
        for item in value.values():
            yield from numbers_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from numbers_of(item)
    elif value is None or isinstance(value, float):
        yield value


def descending(scores):
    return all(a >= b for a, b in zip(scores, scores[1:]))


def option(request, name, otherwise=None):
    options = request.options
    return options[options.index(name) + 1] if name in options else otherwise


def answer(folder, request, line, require):
    output, told = line["output"], f"{request.command} {request.options}: {str(line)[:1500]}"
    if request.command not in ("compare", "tag"):
        require(all(number is not None and math.isfinite(number) for number in numbers_of(output)), f"no number: {told}")
    check = CHECKS.get(request.command)
    if check:
        check(folder, request, line, output, lambda holds: require(holds, told))


def fill_mask(folder, request, line, output, holds):
    lists = [output] if not output or isinstance(output[0], dict) else output
    top_k = int(option(request, "--top-k", 5))
    for answers in lists:
        holds(len(answers) <= top_k and descending([one["score"] for one in answers]))
        holds(all(0 <= one["score"] <= 1 for one in answers))
        holds("--targets" in request.options or len(answers) == min(top_k, folder.config["vocab_size"]))


def classify(folder, request, line, output, holds):
    answers = [output] if isinstance(output, dict) else output
    labels = set(folder.config["id2label"].values())
    holds(descending([one["score"] for one in answers]) and all(one["label"] in labels for one in answers))


def zero_shot(folder, request, line, output, holds):
    holds(descending(output["scores"]) and len(output["labels"]) == len(output["scores"]) > 0)
    if "--multi-label" not in request.options and len(output["scores"]) > 1:
        holds(math.isclose(sum(output["scores"]), 1, rel_tol=1e-4))


def tag(folder, request, line, output, holds):
    length = len(line["text"])
    for one in output:
        holds(0 <= one["start"] <= one["end"] <= length and 0 <= one["score"] <= 1.0001)


def answers(folder, request, line, output, holds):
    spans = [output] if isinstance(output, dict) else output
    holds(descending([one["score"] for one in spans]))
    for one in spans:
        if one["answer"]:
            holds(line["context"][one["start"]:one["end"]] == one["answer"])


def choose(folder, request, line, output, holds):
    scores = output["scores"]
    holds(len(scores) == len(line["choices"]) and math.isclose(sum(scores), 1, rel_tol=1e-4))
    holds(line["choices"][output["choice"]] == output["text"] and scores[output["choice"]] == max(scores))


def embed(folder, request, line, output, holds):
    columns = int(option(request, "--truncate-dim", folder.columns))
    holds(len(output) == min(columns, folder.columns))
    if "--normalize" in request.options:
        length = math.sqrt(sum(x * x for x in output))
        holds(length == 0 or abs(length - 1) < 1e-4)


def search(folder, request, line, output, holds):
    scores = [one["score"] for one in output]
    holds(scores == sorted(scores, reverse=True) and len(output) <= int(option(request, "--top-k", 10)))
    holds(len({one["corpus_id"] for one in output}) == len(output))


def features(folder, request, line, output, holds):
    holds(len(output) == 1 and output[0] and all(len(row) == folder.config["hidden_size"] for row in output[0]))


def tokenize(folder, request, line, output, holds):
    if isinstance(output, str):
        return
    count = len(output["ids"])
    holds(all(len(output[key]) == count for key in ("tokens", "offsets", "type_ids", "attention_mask", "special_tokens_mask")))
    byte = "--byte-offsets" in request.options
    size = lambda text: len(text.encode("utf-8", "surrogatepass")) if byte else len(text)
    pair = line.get("pair", option(request, "--pair", ""))
    longest = max(size(line["text"]), size(pair) if isinstance(pair, str) else 0)
    holds(all(0 <= begin <= end <= longest for begin, end in output["offsets"]))


def compare(folder, request, line, output, holds):
    holds(output["attentions"][0]["runs"] == "exact" and output["tokens"] > 0)


CHECKS = {"fill-mask": fill_mask, "classify": classify, "zero-shot": zero_shot, "tag": tag, "answer": answers,
          "choose": choose, "embed": embed, "search": search, "features": features, "tokenize": tokenize, "compare": compare}


def whole(folder, request, out, require):
    """What a command without input lines writes."""
    lines = [json.loads(line) for line in out.decode().split("\n")[:-1]]
    told = f"{request.command} {request.options}: {out[:500]!r}"
    if request.command == "run":
        require(not out, told)
    elif request.command == "bench":
        require(all(line["median"] > 0 for line in lines) and lines, told)
    else:
        require(len(lines) == 1, told)
    return 0
