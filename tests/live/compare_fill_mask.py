# SPDX-License-Identifier: MIT
"""Records transformers' fill-mask answers for the bundled model; compares the program with them.

    python tests/live/compare_fill_mask.py              # transformers against the record
    python tests/live/compare_fill_mask.py --write      # record anew
    python tests/live/compare_fill_mask.py --run build/release/bin/nystromformer

Record: tests/reference/fill_mask.json, made in float64 from models/nystromformer-small-en. Its
entries hold `text`, `top_k`, `targets` (a list, or null) and either `output`, exactly the
pipeline's value, or `error`, the class and message of the exception. The C++ test reads the same
file.

What the pipeline does (transformers 5.23.0, pipelines/fill_mask.py):
* The text is tokenized with special tokens and without truncation. No mask token in it is an error.
* At each mask: softmax over the whole vocabulary, then the `top_k` (5) largest, in falling order. A
  top_k above the vocabulary is an error of torch; 0 gives empty lists.
* With `targets`, the softmax still runs over the whole vocabulary, so that scores do not add up to
  1. Each target is looked up in the vocabulary as it stands: with this tokenizer "door" is the
  piece inside a word (shown as "thedoor"), "▁door" the word. One that is not there is tokenized
  without special tokens and its first piece taken, with a warning ("Door" gives "▁door"); one that
  has no pieces is skipped. Duplicates count once; top_k is cut to the number of targets that
  are left; none left is an error.
* Each answer: `score`, `token` (id), `token_str` (the id decoded alone, special tokens kept),
  `sequence`: the ids with the answer at this mask, padding ids dropped, decoded. With one mask
  special tokens are skipped; with several they are kept, as the other masks would vanish otherwise.
* One mask gives a list of answers; several give a list of such lists, one a mask, each from the
  same single run of the model (the other masks stay masks).
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import torch
import transformers

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "nystromformer-small-en"
RECORD = ROOT / "tests" / "reference" / "fill_mask.json"
TOLERANCE = 1e-4  # of a score

SENTENCES = [
    "She opened the [MASK] and walked into the garden.",
    "The old man sat by the [MASK] and smoked his pipe.",
    "It was a dark and [MASK] night.",
    "He took off his [MASK] and hung it behind the door.",
    "The ship sailed across the [MASK] for forty days.",
    "My dear [MASK], I have not had a letter from you since Easter.",
    "The horses drew the [MASK] slowly up the hill.",
    "There was not a [MASK] in the sky.",
    '"I am very [MASK] to see you," said the doctor.',
    "The children were [MASK] in the street.",
    "She was the youngest of three [MASK].",
    "He had lost all his [MASK] at cards.",
    "The moon rose over the [MASK] and everything was still.",
    "A cup of [MASK] stood on the table.",
    "I have never been so [MASK] in my life!",
    "The king and the [MASK] sat upon their thrones.",
    "We shall start at [MASK] o'clock to-morrow morning.",
    "The letter was written in a neat [MASK].",
    "He shut his [MASK] and fell asleep at once.",
    "London is the capital of [MASK].",
    "[MASK] is the month after April.",
    "The cat caught a [MASK]",
    "Do you [MASK] me?",
    "What a beautiful [MASK]!",
    "The clergyman preached a long [MASK] on Sunday.",
    "His father had been a [MASK] in the army.",
    "Two and two make [MASK].",
    "The soldiers marched through the [MASK] in 1815.",
    "She could not keep back her [MASK], and wept bitterly.",
    "The wind blew so hard that the [MASK] fell.",
    "IN THE BEGINNING THERE WAS NO [MASK] AT ALL.",
    "The caf\u00e9 was na\u00efvely called \u201cLe [MASK]\u201d by its owner.",
    "He   paused;  then\twent to the\n[MASK] again.",
    "\u2014Yes, said Mr. O'Brien, it is the [MASK]\u2026",
    "The price was \u00a31,250 for the [MASK].",
    "[MASK]",
    "un[MASK]able",
    "(see the [MASK], p. 12)",
    "She wrote \u6771\u4eac on the [MASK] with chalk.",
    "Good-[MASK], and God bless you \U0001f642",
    "The [MASK] of the house was painted [MASK].",
    "She took the [MASK] from the table and gave it to her [MASK].",
    "[MASK] [MASK]",
    "He was a [MASK] man, and she a [MASK] woman.",
    "The [MASK] barked at the [MASK].",
    "In the [MASK] they went to the sea, in the [MASK] to the mountains.",
    "The [MASK][MASK] was over.",
    "From [MASK] to [MASK] he said not a word.",
    "The dog ran, the [MASK] ran, and the [MASK] ran after the [MASK].",
    "When I was a boy, my uncle, who had been at sea for thirty years and had seen every port "
    "from Lisbon to Valparaiso, used to sit with us on winter evenings by the fire and tell of "
    "storms and islands, of whales as long as the church and of birds that never came to land; "
    "and though my mother shook her head, and my father laughed behind his newspaper, we "
    "children believed every [MASK] of it, and went to bed with the noise of the waves in our "
    "ears.",
]

GARDEN = "She opened the [MASK] and walked into the garden."
OPTIONS = [
    (GARDEN, 1, None),
    (GARDEN, 10, None),
    (GARDEN, 0, None),
    (GARDEN, 8193, None),
    (GARDEN, 5, ["\u2581door", "\u2581window", "\u2581gate"]),
    (GARDEN, 2, ["\u2581gate", "\u2581door", "\u2581window"]),
    (GARDEN, 5, ["door", "gate"]),
    (GARDEN, 5, ["Door", "Window", "zzzqqq", "unbelievable"]),
    (GARDEN, 10, ["door", "door", "Door", "\u2581door"]),
    (GARDEN, 5, ["", "\u2581door"]),
    (GARDEN, 5, [""]),
    (GARDEN, 5, []),
    (GARDEN, 5, ["[MASK]", "[SEP]", "<pad>", "<unk>"]),
    ("The [MASK] barked at the [MASK].", 2, ["\u2581dog", "\u2581cat", "\u2581boy"]),
    ("A <pad> stood by the [MASK] [SEP] today.", 3, None),
    ("Nothing is hidden here.", 5, None),
    ("", 5, None),
]


def make_pipeline(dtype):
    """The pipeline as a user builds it, the tokenizer from tokenizer.json."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(MODEL)
    model = transformers.NystromformerForMaskedLM.from_pretrained(MODEL, dtype=dtype).eval()
    return transformers.pipeline("fill-mask", model=model, tokenizer=tokenizer, device="cpu")


def entry_of(pipeline, text, top_k, targets):
    """One entry of the record."""
    entry = {"text": text, "top_k": top_k, "targets": targets}
    try:
        return {**entry, "output": pipeline(text, top_k=top_k, targets=targets)}
    except Exception as error:  # the record says what transformers refuses, and how
        return {**entry, "error": f"{type(error).__name__}: {error}"}


def record_of(dtype):
    """The whole record."""
    pipeline = make_pipeline(dtype)
    requests = [(text, 5, None) for text in SENTENCES] + OPTIONS
    return {"model": MODEL.name, "cases": [entry_of(pipeline, *request) for request in requests]}


def answers_of(output):
    """All answers of an output, one mask or several."""
    return [answer for row in output for answer in (row if isinstance(row, list) else [row])]


def difference(found, expected):
    """What differs between two outputs, or nothing: same shape and words, scores within the
    tolerance."""
    nested = [isinstance(row, list) and len(row) for row in expected]
    if (
        not isinstance(found, list)
        or [isinstance(row, list) and len(row) for row in found] != nested
    ):
        return f"another shape: {json.dumps(found)[:200]}"
    for got, wanted in zip(answers_of(found), answers_of(expected)):
        for key in ("token", "token_str", "sequence"):
            if got.get(key) != wanted[key]:
                return f"{key}: found {got.get(key)!r}, expected {wanted[key]!r}"
        if not abs(got["score"] - wanted["score"]) <= TOLERANCE:
            return f"score of {wanted['token_str']!r}: {got['score']}, not {wanted['score']}"
    return ""


def largest_score_difference(found, expected):
    pairs = zip(answers_of(found), answers_of(expected))
    return max((abs(got["score"] - wanted["score"]) for got, wanted in pairs), default=0.0)


def ask(binary, texts, top_k=5, targets=None):
    """The lines that the program writes for `texts`, given as JSON lines on its standard input."""
    command = [str(binary), "fill-mask", "--model", str(MODEL), "--json", "--top-k", str(top_k)]
    if targets is not None:
        command += ["--targets", ",".join(targets)]
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    done = subprocess.run(command, input=lines, capture_output=True, text=True, encoding="utf-8")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(texts):  # refused as a whole, for instance an option out of range
        return [
            {"text": text, "error": f"exit {done.returncode}: {done.stderr.strip()}"}
            for text in texts
        ]
    return answers


def compare_program(binary, cases):
    """Compares the program's answers with the record; returns the number of differences."""
    plain = [case for case in cases if case["top_k"] == 5 and case["targets"] is None]
    answers = dict(
        zip((case["text"] for case in plain), ask(binary, [case["text"] for case in plain]))
    )
    failures, largest = 0, 0.0
    for case in cases:
        options = f"top_k {case['top_k']}, targets {case['targets']}"
        if case in plain:
            answer = answers[case["text"]]
        else:
            answer = ask(binary, [case["text"]], case["top_k"], case["targets"])[0]
        if "error" in case:
            problem = "" if "error" in answer else f"no error, expected {case['error']}"
        elif "output" not in answer:
            problem = f"error: {answer.get('error')}"
        else:
            problem = difference(answer["output"], case["output"])
            largest = max(
                largest,
                0.0 if problem else largest_score_difference(answer["output"], case["output"]),
            )
        if problem:
            failures += 1
            print(f"FAILED {case['text'][:60]!r}, {options}: {problem}")
    print(f"program: {len(cases) - failures} of {len(cases)} agree, scores to {largest:.1e}")
    return failures


def compare_transformers(cases, dtype):
    """Compares the installed transformers with the record; returns the number of differences."""
    failures, largest = 0, 0.0
    for found, case in zip(record_of(dtype)["cases"], cases, strict=True):
        if ("error" in found) != ("error" in case):
            problem = f"{found.get('error', 'no error')}, expected {case.get('error', 'no error')}"
        else:
            problem = "" if "error" in case else difference(found["output"], case["output"])
        if problem:
            failures += 1
            print(f"FAILED {case['text'][:60]!r}: {problem}")
        elif "output" in case:
            largest = max(largest, largest_score_difference(found["output"], case["output"]))
    print(f"{dtype}: {len(cases) - failures} of {len(cases)} agree, scores to {largest:.1e}")
    return failures


def main():
    parser = argparse.ArgumentParser(
        description="Fill-mask: the record, transformers and the program."
    )
    parser.add_argument("--write", action="store_true", help="record anew")
    parser.add_argument("--run", type=Path, help="the program to compare")
    parser.add_argument(
        "--float", action="store_true", help="transformers in float32 instead of float64"
    )
    arguments = parser.parse_args()
    if arguments.write:
        text = json.dumps(record_of(torch.float64), indent=1, ensure_ascii=False)
        RECORD.write_text(text + "\n", encoding="utf-8")
    cases = json.loads(RECORD.read_text(encoding="utf-8"))["cases"]
    failures = 0
    if not arguments.write and not arguments.run:
        failures += compare_transformers(cases, torch.float32 if arguments.float else torch.float64)
    if arguments.run:
        failures += compare_program(arguments.run, cases)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
