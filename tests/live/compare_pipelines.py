# SPDX-License-Identifier: MIT
"""Draws random models, texts and options; compares the commands with transformers' pipelines.

    python tests/live/compare_pipelines.py --run build/release/bin/nystromformer \\
        --python4 PYTHON-WITH-TRANSFORMERS-4.57.6 [--task tag] [--seed 7] [--count 20]

    ... --task tag --model models/nystromformer-small-en-tags    # one model, other texts and options

Every draw is a model (labels, sizes, problem type at random) with the bundled tokenizer, or BERT's
or RoBERTa's kind trained on the texts, about a dozen inputs and options of one task. The output of
the command must be the value of the pipeline: the same shape, keys, words and numbers, these within
1e-5 of their size. Where the pipeline cuts a text without being asked (zero-shot, tag), the command
is asked to. Question answering is compared with 4.57.6, less the spans of score 0 with which it
fills up top_k; multiple choice with the model class; embed and rerank with sentence-transformers,
where that is installed. Exit status 1 where any draw fails; its line names the seed.
"""

import argparse
import functools
import importlib.util
import json
import random
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import tokenizers
import torch
import transformers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

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
    "rerank": "SequenceClassification",
}
SPECIALS = ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]  # the bundled tokenizer's, at other ids
POOLING_MODES = ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]


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
    if task == "rerank":
        return ["LABEL_0"], None
    if task != "classify":
        return ["LABEL_0", "LABEL_1"], None
    labels = [f"label {i}" for i in range(dice.randint(1, 6))]
    problems = [None, "regression", "multi_label_classification", "single_label_classification"]
    return labels, dice.choice(problems[: 4 if len(labels) > 1 else 3])


@functools.cache
def trained_tokenizer(kind):
    """BERT's or RoBERTa's, of 1,500 pieces."""
    if kind == "bert":
        tokenizer = tokenizers.Tokenizer(models.WordPiece(unk_token="<unk>"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        trainer, processor = trainers.WordPieceTrainer, processors.BertProcessing
        alphabet = []
    else:
        tokenizer = tokenizers.Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer, processor = trainers.BpeTrainer, processors.RobertaProcessing
        alphabet = pre_tokenizers.ByteLevel.alphabet()
    options = {"special_tokens": SPECIALS, "initial_alphabet": alphabet, "show_progress": False}
    tokenizer.train_from_iterator([" ".join(WORDS)], trainer(vocab_size=1500, **options))
    tokenizer.post_processor = processor(*((s, tokenizer.token_to_id(s)) for s in ("[SEP]", "[CLS]")))
    return json.loads(tokenizer.to_str())


def write_tokenizer(dice, folder):
    """One of three kinds with options at random; the number of its pieces."""
    kind = dice.choice(["bundled", "bert", "roberta"])
    settings = json.loads((BUNDLED / "tokenizer_config.json").read_text(encoding="utf-8"))
    if kind == "bundled":
        tokenizer = json.loads((BUNDLED / "tokenizer.json").read_text(encoding="utf-8"))
    else:
        tokenizer = json.loads(json.dumps(trained_tokenizer(kind)))
        settings["tokenizer_class"] = "PreTrainedTokenizerFast"
        if kind == "bert":
            tokenizer["normalizer"]["lowercase"] = dice.random() < 0.5
        else:
            trim, prefix = dice.random() < 0.5, dice.random() < 0.5
            settings["add_prefix_space"] = prefix  # which transformers 4 writes over the other
            tokenizer["pre_tokenizer"]["add_prefix_space"] = prefix
            tokenizer["post_processor"].update(trim_offsets=trim, add_prefix_space=prefix)
    settings["model_max_length"] = dice.choice([400, 120, 64])
    settings["truncation_side"] = dice.choice(["right", "left"])
    settings["padding_side"] = dice.choice(["right", "left"])
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return len(tokenizer["model"]["vocab"])


def write_pooling(dice, folder):
    """modules.json and the pooling after the Transformer."""
    (folder / "1_Pooling").mkdir()
    pooling = {"pooling_mode": dice.sample(POOLING_MODES, dice.randint(1, 3))}
    pooling["embedding_dimension"] = json.loads((folder / "config.json").read_text())["hidden_size"]
    pooling["include_prompt"] = dice.random() < 0.5
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    kinds = ["Transformer", "Pooling"] + ["Normalize"] * (dice.random() < 0.5)
    listed = [
        {
            "idx": i,
            "name": str(i),
            "path": f"{i}_{kind}" if i else "",
            "type": "sentence_transformers.models." + kind,
        }
        for i, kind in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(listed))
    prompts = {"prompts": {"query": draw_text(dice, 5), "document": draw_text(dice, 3)}}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))


def write_reranker(dice, folder):
    """The files with which sentence-transformers 6 saves a cross-encoder."""
    module = "sentence_transformers.base.modules.transformer.Transformer"
    listed = [{"idx": 0, "name": "0", "path": "", "type": module}]
    (folder / "modules.json").write_text(json.dumps(listed))
    task = {"transformer_task": "sequence-classification", "module_output_name": "scores"}
    task["modality_config"] = {"text": {"method": "forward", "method_output_name": "logits"}}
    if dice.random() < 0.5:
        task["max_seq_length"] = dice.choice([32, 100])
    (folder / "sentence_bert_config.json").write_text(json.dumps(task))
    config = {"model_type": "CrossEncoder"}
    config["prompts"] = {"query": draw_text(dice, 5), "document": draw_text(dice, 3)}
    functions = ["linear.Identity", "activation.Sigmoid", "activation.Tanh", "activation.Softsign"]
    config["activation_fn"] = "torch.nn.modules." + dice.choice(functions)
    (folder / "config_sentence_transformers.json").write_text(json.dumps(config))


def write_model(dice, task, folder):
    """A random model, its weights so large that its answers differ from text to text."""
    labels, problem_type = draw_labels(dice, task)
    heads = dice.randint(1, 3)
    config = transformers.NystromformerConfig(
        vocab_size=write_tokenizer(dice, folder),
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
    head = HEADS.get(task)
    model = getattr(transformers, f"NystromformerFor{head}" if head else "NystromformerModel")(config)
    generator = numpy.random.default_rng(dice.randrange(2**32))
    for name, parameter in sorted(model.named_parameters()):
        centre = 1.0 if name.endswith("LayerNorm.weight") else 0.0
        values = centre + 0.4 * generator.standard_normal(tuple(parameter.shape))
        parameter.data.copy_(torch.from_numpy(numpy.asarray(values)))
    model.save_pretrained(folder)
    if task == "embed":
        write_pooling(dice, folder)
    if task == "rerank":
        write_reranker(dice, folder)
    if task == "answer":  # with padding on the left transformers takes answers from the question
        settings = json.loads((folder / "tokenizer_config.json").read_text())
        settings["padding_side"] = "right"
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


def draw_features(dice):
    options, arguments = {}, []
    if dice.random() < 0.5:
        options["truncation"] = True
        arguments.append("--truncation")
    return options, arguments, [{"text": draw_text(dice, 150)} for _ in range(6)]


def draw_embed(dice):
    options, arguments = {}, ["--truncation"]
    if dice.random() < 0.5:
        options["normalize_embeddings"] = True
        arguments.append("--normalize")
    if dice.random() < 0.5:
        options["truncate_dim"] = dice.randint(1, 4)
        arguments += ["--truncate-dim", str(options["truncate_dim"])]
    if dice.random() < 0.7:
        options["prompt_name"] = dice.choice(["query", "document"])
        arguments += ["--prompt-name", options["prompt_name"]]
    return options, arguments, [{"text": draw_text(dice, 150)} for _ in range(10)]


def draw_rerank(dice):
    options, arguments = {}, ["--truncation"]
    if dice.random() < 0.5:
        options["top_k"] = dice.randint(1, 6)
        arguments += ["--top-k", str(options["top_k"])]
    if dice.random() < 0.7:
        options["activation_fn"] = dice.choice(["identity", "sigmoid"])
        arguments += ["--activation-fn", options["activation_fn"]]
    if dice.random() < 0.5:
        options["prompt_name"] = dice.choice(["query", "document"])
        arguments += ["--prompt-name", options["prompt_name"]]
    inputs = []
    for _ in range(6):
        texts = [draw_text(dice, 150) for _ in range(dice.randint(1, 5))]
        inputs.append({"query": draw_text(dice, 30), "texts": texts})
    return options, arguments, inputs


DRAWS = {
    "classify": draw_classify,
    "zero-shot": draw_zero_shot,
    "tag": draw_tag,
    "answer": draw_answer,
    "choose": draw_choose,
    "features": draw_features,
    "embed": draw_embed,
    "rerank": draw_rerank,
}


def size_of(value):
    """The largest number of an array of arrays, in whose sums the errors of the others arise; of
    anything else 0."""
    if isinstance(value, list):
        return max((size_of(entry) for entry in value), default=0)
    return abs(value) if isinstance(value, float) else 0


def difference(found, expected, size, path="output"):
    """The first place where two values differ, or nothing."""
    if isinstance(expected, bool) or not isinstance(expected, (int, float, list, dict)):
        same = found == expected
    elif isinstance(expected, (int, float)):
        same = isinstance(found, (int, float)) and abs(found - expected) <= TOLERANCE * max(size, abs(expected))
    elif type(found) is not type(expected) or len(found) != len(expected):
        same = False
    else:
        keys = expected if isinstance(expected, dict) else range(len(expected))
        for key in keys:
            if isinstance(expected, dict) and key not in found:
                return f"{path}: no {key}"
            inner = difference(found[key], expected[key], size, f"{path}[{key!r}]")
            if inner:
                return inner
        same = True
    return "" if same else f"{path}: {json.dumps(found)[:300]}, not {json.dumps(expected)[:300]}"


def without_zeros(output):
    """Answers whose score is not 0: transformers fills up with spans that end before they start."""
    answers = output if isinstance(output, list) else [output]
    return [answer for answer in answers if answer["score"] != 0]


def compare_draw(binary, oracles, task, seed, model=None):
    """The number of inputs that agree, and what differs."""
    dice = random.Random(f"{task} {seed}")
    with tempfile.TemporaryDirectory() as name:
        folder = model or Path(name)
        if not model:
            write_model(dice, task, folder)
        options, arguments, inputs = DRAWS[task](dice)
        command = [str(binary), task, "--model", str(folder), *arguments]
        command += ["--threads", str(dice.randint(1, 3))]
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
                both = answer["output"], expected["output"]
                if task == "answer":
                    both = map(without_zeros, both)
                problem = difference(*both, max(1, size_of(expected["output"])))
            good += not problem
            if problem:
                failures.append(f"{options} {json.dumps(fields)[:200]}: {problem}")
        return good, failures


def main():
    parser = argparse.ArgumentParser(description="Compares the commands with transformers.")
    parser.add_argument("--run", type=Path, default=ROOT / "build/release/bin/nystromformer")
    parser.add_argument("--python4", type=Path, help="a Python with transformers 4.57.6")
    parser.add_argument("--task", choices=list(DRAWS), help="default: all, answer with --python4")
    parser.add_argument("--model", type=Path, help="a folder instead of random models, with --task")
    parser.add_argument("--seed", type=int, help="the first seed; default: a new one")
    parser.add_argument("--count", type=int, default=10, help="draws of each task")
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    tasks = [arguments.task] if arguments.task else list(DRAWS)
    if arguments.model and not arguments.task:
        parser.error("--model needs --task")
    if not arguments.python4:
        tasks = [task for task in tasks if task != "answer"]
    if not importlib.util.find_spec("sentence_transformers"):
        tasks = [task for task in tasks if task not in pipeline_oracle.SENTENCE_TASKS]
    new = pipeline_oracle.Oracle()
    old = pipeline_oracle.Oracle(arguments.python4) if "answer" in tasks else None
    oracles = {task: old if task == "answer" else new for task in tasks}
    first = secrets.randbelow(10**9) if arguments.seed is None else arguments.seed
    failed = 0
    for task in tasks:
        good = 0
        for seed in range(first, first + arguments.count):
            agreed, failures = compare_draw(
                arguments.run, oracles, task, seed, arguments.model
            )
            good += agreed
            failed += len(failures)
            for failure in failures:
                print(f"FAILED {task}, seed {seed}: {failure}", flush=True)
        draws = f"{arguments.count} draws from seed {first}"
        print(f"{task}: {good} inputs of {draws} agree", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
