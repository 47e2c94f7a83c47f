# SPDX-License-Identifier: MIT
"""Answers pipeline calls with transformers: a JSON request a line in, a JSON answer a line out.

A request has `task` (the name of a command of ours), `folder`, `input` (the fields of a JSON line
for that command) and `options` (transformers' arguments). The answer has `output`, exactly the
value that the pipeline returns, or `error`. Question answering is in transformers 4.57 alone, so
that this runs in two Python environments; `Oracle` starts one.
"""

import json
import subprocess
import sys
from pathlib import Path

TASKS = {
    "classify": ("text-classification", "NystromformerForSequenceClassification"),
    "zero-shot": ("zero-shot-classification", "NystromformerForSequenceClassification"),
    "tag": ("token-classification", "NystromformerForTokenClassification"),
    "answer": ("question-answering", "NystromformerForQuestionAnswering"),
    "choose": (None, "NystromformerForMultipleChoice"),
    "features": ("feature-extraction", "NystromformerModel"),
    "embed": (None, None),
    "rerank": (None, None),
}
SENTENCE_TASKS = ["embed", "rerank"]  # of sentence-transformers


class Oracle:
    """Answers of the transformers of one Python interpreter."""

    def __init__(self, python=sys.executable):
        self.process = subprocess.Popen(
            [str(python), str(Path(__file__).resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )

    def __call__(self, task, folder, fields, options):
        request = {"task": task, "folder": str(folder), "input": fields, "options": options}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def choose(model, tokenizer, fields):
    """Each pair alone, without padding; softmax over the choices."""
    import torch

    logits = []
    for choice in fields["choices"]:
        pair = tokenizer(fields["prompt"], choice, return_tensors="pt")
        inputs = {name: tensor.unsqueeze(0) for name, tensor in pair.items()}
        with torch.no_grad():
            logits.append(model(**inputs).logits[0, 0])
    scores = torch.stack(logits).softmax(0).tolist()
    best = scores.index(max(scores))
    return {"choice": best, "text": fields["choices"][best], "scores": scores}


def rerank(encoder, fields, options):
    """As CrossEncoder.rank, but each pair alone, without padding."""
    options = dict(options)
    top_k = options.pop("top_k", None)
    if "activation_fn" in options:
        import torch

        options["activation_fn"] = getattr(torch.nn, options["activation_fn"].capitalize())()
    scores = [encoder.rank(fields["query"], [text], **options)[0]["score"] for text in fields["texts"]]
    order = sorted(range(len(scores)), key=lambda i: scores[i], reverse=True)
    return [{"corpus_id": i, "score": scores[i]} for i in order][:top_k]


def call(pipeline, task, fields, options):
    """What the pipeline returns for one input."""
    if task == "classify" and "pair" in fields:
        return pipeline({"text": fields["text"], "text_pair": fields["pair"]}, **options)
    if task == "zero-shot":
        return pipeline(fields["text"], candidate_labels=fields["candidate_labels"], **options)
    if task == "answer":
        return pipeline(question=fields["question"], context=fields["context"], **options)
    return pipeline(fields["text"], **options)


def load(task, folder):
    """The pipeline of a task as a function of fields and options."""
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    name, model_class = TASKS[task]
    if task == "embed":
        from sentence_transformers import SentenceTransformer

        encoder = SentenceTransformer(folder, model_kwargs={"dtype": torch.float32}, device="cpu")
        return lambda fields, options: encoder.encode(fields["text"], **options).tolist()
    if task == "rerank":
        from sentence_transformers import CrossEncoder

        encoder = CrossEncoder(folder, model_kwargs={"dtype": torch.float32}, device="cpu")
        return lambda fields, options: rerank(encoder, fields, options)
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    model = getattr(transformers, model_class).from_pretrained(folder, dtype=torch.float32).eval()
    if name is None:
        return lambda fields, options: choose(model, tokenizer, fields)
    pipeline = transformers.pipeline(name, model=model, tokenizer=tokenizer, device="cpu")
    return lambda fields, options: call(pipeline, task, fields, options)


def main():
    """Serves requests until the input ends."""
    import torch

    torch.set_num_threads(1)
    loaded = {}
    for line in sys.stdin:
        request = json.loads(line)
        key = request["task"], request["folder"]
        try:
            if key not in loaded:
                loaded = {key: load(*key)}
            answer = {"output": loaded[key](request["input"], request["options"])}
        except BaseException as error:  # a panic of the tokenizers package is no Exception
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer, default=lambda number: number.item()), flush=True)


if __name__ == "__main__":
    main()
