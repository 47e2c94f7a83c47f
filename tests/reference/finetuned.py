# SPDX-License-Identifier: MIT
"""Writes finetuned.json: what transformers' pipelines answer with the fine-tuned models of models/.

    python tests/reference/finetuned.py

For pipelines_test.cpp: `cases` as in pipelines.py, which says more of them.
"""

import json
from pathlib import Path

import pipeline_oracle
import pipelines

MODELS = Path(__file__).resolve().parents[2] / "models"
RECORD = Path(__file__).parent / "finetuned.json"
SENTIMENT = "nystromformer-small-en-sentiment"
TAGS = "nystromformer-small-en-tags"

TEXTS = [
    "A warm, funny and beautifully acted film.",
    "Two hours of my life that I will never get back.",
    "The film opens on Friday.",
    "Not bad at all.",
    "I expected to love it, and I did not.",
    "The battery lasts two days and the screen is bright.",
    "The battery died after a week, and nobody answered my letters!",
    "The manual has sixty pages.",
    "It works. Sometimes.",
    "great phone, terrible keyboard",
    "@anonymous thank you so much!!! :-)",
    "ugh, monday again...",
    "LMAO that was AMAZING",
    "no",
    "The senator said that the vote would take place in March.",
    "Hundreds of people lost their homes in the flood.",
    "The new law is a step in the right direction, but a small one.",
    "She opened the door and walked into the garden.",
    "He was the most miserable and wretched of men.",
    "It was the happiest day of her life.",
    "  two  spaces,\ttabs\nand lines ",
    "Caf\u00e9 \u6771\u4eac \U0001f642 na\u00efve!",
    "O",
    "",
    "Mr. Smith of London met the Queen in Paris; nobody knew why.",
    "\u201cDon't you dare,\u201d she cried, \u201cto leave me here alone!\u201d",
    "There were twenty-four blackbirds, and they'd all begun to sing.",
    "To be, or not to be: that is the question.",
    "Can you can a can as a canner can can a can?",
    "The old man the boat.",
]
LONG = " ".join(pipelines.LONG for _ in range(9))  # about 600 tokens, more than the model takes


def cases():
    for text in TEXTS:
        yield "classify", SENTIMENT, {"text": text}, {"top_k": None}
    for text in TEXTS[:6]:
        yield "classify", SENTIMENT, {"text": text}, {}
        yield "classify", SENTIMENT, {"text": text}, {"top_k": None, "function_to_apply": "none"}
    yield "classify", SENTIMENT, {"text": LONG}, {"top_k": None, "truncation": True}
    for text in TEXTS:
        yield "tag", TAGS, {"text": text}, {"aggregation_strategy": "simple"}
    for text in TEXTS[-6:]:
        for strategy in ("none", "first", "average", "max"):
            yield "tag", TAGS, {"text": text}, {"aggregation_strategy": strategy}
    ignored = {"aggregation_strategy": "simple", "ignore_labels": ["DET", "PUNCT"]}
    yield "tag", TAGS, {"text": TEXTS[17]}, ignored
    yield "tag", TAGS, {"text": LONG}, {"aggregation_strategy": "simple", "stride": 40}


def main():
    oracle = pipeline_oracle.Oracle()
    recorded = []
    for task, model, fields, options in cases():
        answer = oracle(task, MODELS / model, fields, options)
        if "error" in answer:
            raise SystemExit(f"{task} {fields}: {answer['error']}")
        case = {"task": task, "model": model, "input": fields, "options": options}
        recorded.append({**case, **pipelines.rounded(answer)})
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in recorded)
    RECORD.write_text(f'{{"cases": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{len(recorded)} cases, {RECORD.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
