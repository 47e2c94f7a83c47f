# SPDX-License-Identifier: MIT
"""Writes what transformers' pipelines answer for tiny random models, for pipelines_test.cpp.

    python tests/reference/pipelines.py --python4 PYTHON-WITH-TRANSFORMERS-4.57.6

Writes tests/reference/pipelines/MODEL (a Hugging Face folder with a tokenizer of a few hundred
pieces) and pipelines.json beside them: `cases`, each with `task` (the name of the command),
`model`, `input`, `options` (transformers' names) and `output`, exactly the pipeline's value, or
`error`. Question answering, which transformers 5 has no longer, is recorded from 4.57.6.
"""

import argparse
import json
import shutil
import zlib
from pathlib import Path

import numpy
import torch
import transformers

import pipeline_oracle

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(__file__).parent / "pipelines"
BUNDLED = ROOT / "models" / "nystromformer-small-en"
PIECES = 280
MAX_LENGTH, MAX_POSITIONS = 48, 90

# name: head, labels, problem_type
MODELS = {
    "classes": ("SequenceClassification", ["calm", "glad", "sad", "angry"], None),
    "labels": (
        "SequenceClassification",
        ["sea", "land", "sky"],
        "multi_label_classification",
    ),
    "single": ("SequenceClassification", ["only"], None),
    "numbers": ("SequenceClassification", ["x", "y"], "regression"),
    "inference": ("SequenceClassification", ["contradiction", "neutral", "ENTAILMENT"], None),
    "inference-first": ("SequenceClassification", ["Entails", "no", "maybe"], None),
    "tags": ("TokenClassification", ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "MISC"], None),
    "tags-left": ("TokenClassification", ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "MISC"], None),
    "answers": ("QuestionAnswering", ["LABEL_0", "LABEL_1"], None),
    "answers-left": ("QuestionAnswering", ["LABEL_0", "LABEL_1"], None),
    "choices": ("MultipleChoice", ["LABEL_0", "LABEL_1"], None),
}

TEXTS = [
    "She opened the door and walked into the garden.",
    "Mr. Smith of London met the Queen in Paris; nobody knew why.",
    "  two  spaces,\ttabs\nand lines ",
    "Caf\u00e9 \u6771\u4eac \U0001f642 na\u00efve!",
    "O",
    "",
]
LONG = (
    "The old man sat by the fire and told of storms and islands, of whales as long as the church "
    "and of birds that never came to land; and though my mother shook her head, we children "
    "believed every word of it, and went to bed with the noise of the waves in our ears. "
)
QUESTIONS = ["Who sat by the fire?", "What did he tell of?"]
LABELS = ["the sea", "a garden", "London"]


def write_tokenizer(folder):
    """The bundled tokenizer with its first pieces and single characters, without its character
    map; of a folder "...-left" it cuts the left side and, but for answers, pads it, too."""
    tokenizer = json.loads((BUNDLED / "tokenizer.json").read_text(encoding="utf-8"))
    normalizer = tokenizer["normalizer"]
    normalizer["normalizers"] = [
        step for step in normalizer["normalizers"] if step["type"] != "Precompiled"
    ]
    vocab = tokenizer["model"]["vocab"]
    kept = vocab[:PIECES] + [entry for entry in vocab[PIECES:] if len(entry[0]) == 1][:60]
    tokenizer["model"]["vocab"] = kept
    text = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")
    config = json.loads((BUNDLED / "tokenizer_config.json").read_text(encoding="utf-8"))
    config["model_max_length"] = MAX_LENGTH
    if folder.name.endswith("-left"):
        config["truncation_side"] = "left"
        # With padding there transformers takes its answers from the question, too.
        config["padding_side"] = "right" if folder.name == "answers-left" else "left"
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")
    return len(kept)


def write_model(name):
    """The folder of a model with every parameter drawn at random and stored in bfloat16."""
    head, labels, problem_type = MODELS[name]
    folder = DATA / name
    folder.mkdir(parents=True)
    config = transformers.NystromformerConfig(
        vocab_size=write_tokenizer(folder),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=12,
        max_position_embeddings=MAX_POSITIONS,
        conv_kernel_size=3,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
        problem_type=problem_type,
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
    )
    model = getattr(transformers, f"NystromformerFor{head}")(config)
    generator = numpy.random.default_rng(zlib.crc32(name.encode()))
    for parameter_name, parameter in sorted(model.named_parameters()):
        centre = 1.0 if parameter_name.endswith("LayerNorm.weight") else 0.0
        spread = 1.0 if "classifier" in parameter_name or "qa_outputs" in parameter_name else 0.5
        values = centre + spread * generator.standard_normal(tuple(parameter.shape))
        parameter.data.copy_(torch.from_numpy(numpy.asarray(values)))
    model.to(torch.bfloat16).save_pretrained(folder)


def classify_cases():
    """Functions, top_k, pairs."""
    for model in ("classes", "labels", "single", "numbers"):
        yield from (("classify", model, {"text": text}, {}) for text in TEXTS)
        for function in ("none", "sigmoid", "softmax"):
            options = {"top_k": None, "function_to_apply": function}
            yield "classify", model, {"text": TEXTS[1]}, options
        pair = {"text": TEXTS[0], "pair": TEXTS[1]}
        yield "classify", model, pair, {}
        yield "classify", model, pair, {"top_k": 2}
    for top_k in (0, 1, 2, 9, None):
        yield "classify", "classes", {"text": TEXTS[0]}, {"top_k": top_k}
    yield "classify", "classes", {"text": LONG}, {"top_k": None, "truncation": True}


def zero_shot_cases():
    """Templates, several labels that are true, entailment at either end."""
    for model in ("inference", "inference-first"):
        for text in TEXTS[:4]:
            for multi_label in (False, True):
                fields = {"text": text, "candidate_labels": LABELS}
                yield "zero-shot", model, fields, {"multi_label": multi_label}
        for template in ("It is {{{}}}!", "{0} or {0}", "no label", "two {} of {}", "{x}"):
            fields = {"text": TEXTS[0], "candidate_labels": LABELS}
            yield "zero-shot", model, fields, {"hypothesis_template": template}
        for labels in (["one"], ["same", "same"], []):
            yield "zero-shot", model, {"text": TEXTS[0], "candidate_labels": labels}, {}
        yield "zero-shot", model, {"text": "", "candidate_labels": LABELS}, {}
        yield "zero-shot", model, {"text": LONG, "candidate_labels": LABELS}, {}


def tag_cases():
    """Every strategy on every text, ignored labels, windows."""
    for strategy in ("none", "simple", "first", "average", "max"):
        for text in TEXTS:
            options = {"aggregation_strategy": strategy}
            yield "tag", "tags", {"text": text}, options
        for ignored in ([], ["O", "PER", "B-LOC"]):
            options = {"aggregation_strategy": strategy, "ignore_labels": ignored}
            yield "tag", "tags", {"text": TEXTS[1]}, options
        for stride in (0, 7, 20):
            options = {"aggregation_strategy": strategy, "stride": stride}
            yield "tag", "tags", {"text": LONG}, options
    yield "tag", "tags", {"text": LONG}, {"aggregation_strategy": "simple"}
    yield "tag", "tags-left", {"text": LONG}, {"aggregation_strategy": "none"}
    for stride in (0, 7, 20):
        yield "tag", "tags-left", {"text": LONG}, {"aggregation_strategy": "first", "stride": stride}


def answer_cases():
    """Windows, several answers, no answer, words."""
    contexts = [LONG + TEXTS[1], TEXTS[3] + " Caf\u00e9 CAF\u00c9 caf\u00e9."]
    for context in contexts:
        for question in QUESTIONS:
            fields = {"question": question, "context": context}
            for options in (
                {},
                {"top_k": 4},
                {"top_k": 3, "align_to_words": False},
                {"top_k": 3, "handle_impossible_answer": True},
                {"max_answer_len": 2, "top_k": 5},
                {"max_seq_len": 40, "doc_stride": 9, "top_k": 6},
                {"max_seq_len": 30, "doc_stride": 2, "handle_impossible_answer": True},
            ):
                yield "answer", "answers", fields, options
    fields = {"question": QUESTIONS[0], "context": LONG}
    for options in ({"top_k": 6}, {"top_k": 4, "max_seq_len": 40, "doc_stride": 9}):
        yield "answer", "answers-left", fields, options
        yield "answer", "answers-left", fields, {**options, "align_to_words": False}
    for options in ({"top_k": 0}, {"max_answer_len": 0}, {"max_seq_len": 12}, {"doc_stride": 99}):
        yield "answer", "answers", fields, options
    yield "answer", "answers", {"question": "", "context": LONG}, {}
    yield "answer", "answers", {"question": QUESTIONS[0], "context": ""}, {}


def choose_cases():
    """Some choices and one."""
    for choices in (TEXTS[:3], [TEXTS[3]], ["and sang.", "and sang.", "the"]):
        yield "choose", "choices", {"prompt": "He took his hat", "choices": choices}, {}


def rounded(value):
    """Numbers with seven digits after the point: the test asks for five."""
    if isinstance(value, float):
        return round(value, 7)
    if isinstance(value, list):
        return [rounded(entry) for entry in value]
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    return value


def main():
    parser = argparse.ArgumentParser(description="Records what transformers' pipelines answer.")
    parser.add_argument(
        "--python4", type=Path, required=True, help="a Python with transformers 4.57.6"
    )
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    shutil.rmtree(DATA, ignore_errors=True)
    for name in MODELS:
        write_model(name)
    new = pipeline_oracle.Oracle()
    old = pipeline_oracle.Oracle(arguments.python4)
    cases = []
    for generate in (classify_cases, zero_shot_cases, tag_cases, answer_cases, choose_cases):
        for task, model, fields, options in generate():
            oracle = old if task == "answer" else new
            answer = oracle(task, DATA / model, fields, options)
            case = {"task": task, "model": model, "input": fields, "options": options}
            cases.append({**case, **rounded(answer)})
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    (DATA / "pipelines.json").write_text(f'{{"cases": [\n{lines}\n]}}\n', encoding="utf-8")
    size = sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file())
    print(f"{len(cases)} cases of {len(MODELS)} models, {size / 1e3:.0f} kB below {DATA}")


if __name__ == "__main__":
    main()
