# SPDX-License-Identifier: MIT
"""Draws random models, texts and options; compares the commands with transformers' pipelines.

    python tests/live/compare_pipelines.py --run build/release/bin/nystromformer \\
        --python4 PYTHON-WITH-TRANSFORMERS-4.57.6 [--task tag] [--seed 7] [--count 20]

Every draw is a model with the bundled tokenizer (labels, sizes, problem type at random), about a
dozen inputs and options of one task. The output of the command must be the value of the pipeline:
the same shape, keys, words and numbers, scores within 1e-5. Where the pipeline cuts a text without
being asked (zero-shot, tag), the command is asked to. Question answering is compared with 4.57.6,
multiple choice with the model class. Exit status 1 where any draw fails; its line names the seed.
"""

import argparse
import json
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import torch
import transformers

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "reference"))
import pipeline_oracle  # noqa: E402

BUNDLED = ROOT / "models" / "nystromformer-small-en"
WORDS = (ROOT / "tests" / "precision" / "held_out.txt").read_text(encoding="utf-8").split()
ODD = (
    "\u6771\u4eac Caf\u00e9 \U0001f642 [SEP] [CLS] <unk> \u2014 \u0130I \ufb01 e\u0301 \u03a3\u03a3 "
    "\u00a0 -- ..."
).split(" ")
TOLERANCE = 1e-5
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "MISC", "B-X-Y", "I-X-Y"]
HEADS = {
    "classify": "SequenceClassification",
    "zero-shot": "SequenceClassification",
    "tag": "TokenClassification",
    "answer": "QuestionAnswering",
    "choose": "MultipleChoice",
}


def draw_text(dice, most):
    """Up to `most` words of a novel, some of them odd, with odd white space between."""
    count = dice.randint(1, most)
    start = dice.randrange(len(WORDS) - count)
    words = WORDS[start : start + count]
    for _ in range(count // 8 + 1):
        if dice.random() < 0.5:
            words.insert(dice.randint(0, len(words)), dice.choice(ODD))
    separators = [" "] * 12 + ["  ", "\n", "\t"]
    return "".join(word + dice.choice(separators) for word in words)[: -1 if count % 2 else None]


def draw_labels(dice, task):
    """The labels and the problem type of a model."""
    if task == "tag":
        return dice.sample(TAGS, dice.randint(2, len(TAGS))), None
    if task == "zero-shot":
        names = [["entailment", "neutral", "contradiction"], ["no", "ENTAILS"], ["a", "b", "c"]]
        labels = dice.choice(names)
        return dice.sample(labels, len(labels)), None
    if task != "classify":
        return ["LABEL_0", "LABEL_1"], None
    labels = [f"label {i}" for i in range(dice.randint(1, 6))]
    problems = [None, "regression", "multi_label_classification", "single_label_classification"]
    return labels, dice.choice(problems)


def write_model(dice, task, folder):
    """A random model, its weights so large that its answers differ from text to text."""
    labels, problem_type = draw_labels(dice, task)
    heads = dice.randint(1, 3)
    config = transformers.NystromformerConfig(
        vocab_size=8192,
        hidden_size=heads * dice.randint(4, 12),
        num_hidden_layers=dice.randint(1, 2),
        num_attention_heads=heads,
        intermediate_size=dice.randint(8, 40),
        max_position_embeddings=400,
        conv_kernel_size=dice.choice([1, 3, 9, 65]),
        pad_token_id=0,
        problem_type=problem_type,
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )
    model = getattr(transformers, f"NystromformerFor{HEADS[task]}")(config)
    generator = numpy.random.default_rng(dice.randrange(2**32))
    for name, parameter in sorted(model.named_parameters()):
        centre = 1.0 if name.endswith("LayerNorm.weight") else 0.0
        values = centre + 0.4 * generator.standard_normal(tuple(parameter.shape))
        parameter.data.copy_(torch.from_numpy(numpy.asarray(values)))
    model.save_pretrained(folder)
    shutil.copy(BUNDLED / "tokenizer.json", folder)
    settings = json.loads((BUNDLED / "tokenizer_config.json").read_text(encoding="utf-8"))
    settings["model_max_length"] = dice.choice([400, 120, 64])
    settings["truncation_side"] = dice.choice(["right", "left"])
    if task != "answer":  # there transformers takes its answers from the question, too
        settings["padding_side"] = dice.choice(["right", "left"])
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def draw_classify(dice):
    options, arguments = {}, []
    top_k = dice.choice(["", 1, 2, 3, 0, None])
    if top_k != "":
        options["top_k"] = top_k
        arguments += ["--top-k", "all" if top_k is None else str(top_k)]
    function = dice.choice([None, "none", "sigmoid", "softmax"])
    if function:
        options["function_to_apply"] = function
        arguments += ["--function-to-apply", function]
    if dice.random() < 0.5:
        options["truncation"] = True
        arguments.append("--truncation")
    inputs = [{"text": draw_text(dice, 150)} for _ in range(12)]
    for fields in inputs:
        if dice.random() < 0.3:
            fields["pair"] = draw_text(dice, 150)
    return options, arguments, inputs


def draw_zero_shot(dice):
    options, arguments = {}, ["--truncation"]
    if dice.random() < 0.5:
        options["multi_label"] = True
        arguments.append("--multi-label")
    if dice.random() < 0.5:
        options["hypothesis_template"] = dice.choice(["It is {}.", "{0}, {0}!", "{{{}}} \u00e9"])
        arguments += ["--hypothesis-template", options["hypothesis_template"]]
    inputs = []
    for _ in range(8):
        labels = [draw_text(dice, 3) for _ in range(dice.randint(1, 5))]
        form = labels if dice.random() < 0.7 else " , ".join(labels)
        inputs.append({"text": draw_text(dice, 100), "candidate_labels": form})
    return options, arguments, inputs


def draw_tag(dice):
    strategy = dice.choice(["none", "simple", "first", "average", "max"])
    options, arguments = {}, ["--aggregation-strategy", strategy]
    options["aggregation_strategy"] = strategy
    if strategy != "none" and dice.random() < 0.5:
        options["stride"] = dice.choice([0, 5, 30])
        arguments += ["--stride", str(options["stride"])]
    else:
        arguments.append("--truncation")
    if dice.random() < 0.5:
        options["ignore_labels"] = dice.sample([*TAGS, "PER", "LOC", "X-Y"], 3)
        arguments += ["--ignore-labels", ",".join(options["ignore_labels"])]
    return options, arguments, [{"text": draw_text(dice, 200)} for _ in range(12)]


def draw_answer(dice):
    options, arguments = {}, []
    for name, values in {
        "top_k": [1, 2, 5, 20],
        "max_answer_len": [1, 3, 40],
        "max_seq_len": [64, 100, 300],
        "doc_stride": [0, 10, 20],
    }.items():
        if dice.random() < 0.5:
            options[name] = dice.choice(values)
            arguments += ["--" + name.replace("_", "-"), str(options[name])]
    if dice.random() < 0.4:
        options["handle_impossible_answer"] = True
        arguments.append("--handle-impossible-answer")
    if dice.random() < 0.4:
        options["align_to_words"] = False
        arguments.append("--no-align-to-words")
    inputs = [
        {"question": draw_text(dice, 12), "context": draw_text(dice, 300)} for _ in range(10)
    ]
    return options, arguments, inputs


def draw_choose(dice):
    inputs = []
    for _ in range(8):
        choices = [draw_text(dice, 40) for _ in range(dice.randint(1, 5))]
        inputs.append({"prompt": draw_text(dice, 60), "choices": choices})
    return {}, [], inputs


DRAWS = {
    "classify": draw_classify,
    "zero-shot": draw_zero_shot,
    "tag": draw_tag,
    "answer": draw_answer,
    "choose": draw_choose,
}


def difference(found, expected, path="output"):
    """The first place where two values differ, or nothing."""
    if isinstance(expected, bool) or not isinstance(expected, (int, float, list, dict)):
        same = found == expected
    elif isinstance(expected, (int, float)):
        same = isinstance(found, (int, float)) and abs(found - expected) <= TOLERANCE
    elif type(found) is not type(expected) or len(found) != len(expected):
        same = False
    else:
        keys = expected if isinstance(expected, dict) else range(len(expected))
        for key in keys:
            if isinstance(expected, dict) and key not in found:
                return f"{path}: no {key}"
            inner = difference(found[key], expected[key], f"{path}[{key!r}]")
            if inner:
                return inner
        same = True
    return "" if same else f"{path}: {json.dumps(found)[:300]}, not {json.dumps(expected)[:300]}"


def compare_draw(binary, oracles, task, seed):
    """The number of inputs that agree, and what differs."""
    dice = random.Random(f"{task} {seed}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_model(dice, task, folder)
        options, arguments, inputs = DRAWS[task](dice)
        command = [str(binary), task, "--model", str(folder), "--threads", "1", *arguments]
        command += ["--batch-tokens", str(dice.choice([1, 300, 4096]))]
        lines = "".join(json.dumps(fields) + "\n" for fields in inputs)
        done = subprocess.run(
            command, input=lines, capture_output=True, text=True, encoding="utf-8"
        )
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        if len(answers) != len(inputs):
            return 0, [f"exit {done.returncode}: {done.stderr}"]
        good, failures = 0, []
        for fields, answer in zip(inputs, answers):
            expected = oracles[task](task, folder, fields, options)
            if "error" in expected or "error" in answer:
                ours, theirs = answer.get("error"), expected.get("error")
                problem = "" if ours and theirs else f"error {ours!r}, not {theirs!r}"
            else:
                problem = difference(answer["output"], expected["output"])
            good += not problem
            if problem:
                failures.append(f"{options} {json.dumps(fields)[:200]}: {problem}")
        return good, failures


def main():
    parser = argparse.ArgumentParser(description="Compares the commands with transformers.")
    parser.add_argument("--run", type=Path, default=ROOT / "build/release/bin/nystromformer")
    parser.add_argument("--python4", type=Path, help="a Python with transformers 4.57.6")
    parser.add_argument("--task", choices=list(DRAWS), help="default: all, answer with --python4")
    parser.add_argument("--seed", type=int, help="the first seed; default: a new one")
    parser.add_argument("--count", type=int, default=10, help="draws of each task")
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    tasks = [arguments.task] if arguments.task else list(DRAWS)
    if not arguments.python4:
        tasks = [task for task in tasks if task != "answer"]
    new = pipeline_oracle.Oracle()
    old = pipeline_oracle.Oracle(arguments.python4) if "answer" in tasks else None
    oracles = {task: old if task == "answer" else new for task in tasks}
    first = secrets.randbelow(10**9) if arguments.seed is None else arguments.seed
    failed = 0
    for task in tasks:
        good = 0
        for seed in range(first, first + arguments.count):
            agreed, failures = compare_draw(arguments.run, oracles, task, seed)
            good += agreed
            failed += len(failures)
            for failure in failures:
                print(f"FAILED {task}, seed {seed}: {failure}", flush=True)
        draws = f"{arguments.count} draws from seed {first}"
        print(f"{task}: {good} inputs of {draws} agree", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
