#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fine-tunes the bundled encoder: sentiment of short texts, parts of speech of English prose.

    pip install -r tools/finetune.txt
    pip download --no-binary :all: --no-deps vaderSentiment==3.3.2
    python tools/finetune.py sentiment --development --sdist vaderSentiment-3.3.2.tar.gz \\
        --output models/nystromformer-small-en-sentiment
    python tools/finetune.py tag --texts NOVELS --tagged NOVELS.json --output FOLDER

Writes a folder as Hugging Face saves it (weights in bf16, the tokenizer) and prints the figures as
JSON: accuracy on items that were held out, read back from that folder in fp32, beside a baseline
on the same split. Texts are stacked with others of just their length: padding would change them
(the convolution sees it), and a pipeline of the library runs each text alone. `--minutes` stops
after so long with exit status 3; the same command then goes on from `--checkpoint`.
"""

import argparse
import json
import random
import shutil
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import torch
import transformers

import finetune_data

ROOT = Path(__file__).resolve().parents[1]
BUNDLED = ROOT / "models" / "nystromformer-small-en"
UNFINISHED = 3


def batches_of(examples, tokens, dice):
    """Lists of indices of examples, all of one length and of at most `tokens` tokens, shuffled."""
    by_length = defaultdict(list)
    for index, (ids, _) in enumerate(examples):
        by_length[len(ids)].append(index)
    batches = []
    for length, indices in sorted(by_length.items()):
        dice.shuffle(indices)
        size = max(1, tokens // length)
        batches += [indices[i : i + size] for i in range(0, len(indices), size)]
    dice.shuffle(batches)
    return batches


def stacked(examples, batch):
    """The ids (texts, n) and the labels (texts) or (texts, n) of a batch."""
    ids, labels = zip(*(examples[index] for index in batch))
    return torch.tensor(ids), torch.tensor(labels)


def start_model(arguments, auto_class, labels):
    """The bundled encoder, cut to `max_positions`, with a new head."""
    config = transformers.AutoConfig.from_pretrained(
        arguments.model,
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
        hidden_dropout_prob=arguments.dropout,
        attention_probs_dropout_prob=arguments.dropout,
    )
    torch.manual_seed(arguments.seed)
    model = auto_class.from_pretrained(arguments.model, config=config, dtype=torch.float32)
    rows = arguments.max_positions + 2
    embeddings = model.nystromformer.embeddings
    table = torch.nn.Embedding(rows, config.hidden_size)
    table.weight.data.copy_(embeddings.position_embeddings.weight.data[:rows])
    embeddings.position_embeddings = table
    embeddings.position_ids = embeddings.position_ids[:, : arguments.max_positions]
    if getattr(embeddings, "token_type_ids", None) is not None:
        embeddings.token_type_ids = embeddings.token_type_ids[:, : arguments.max_positions]
    config.max_position_embeddings = arguments.max_positions
    model.config.max_position_embeddings = arguments.max_positions
    return model


def optimizer_of(model, arguments):
    """AdamW, the new head at `head_rate` times the rate of the encoder."""
    body, head = [], []
    for name, parameter in model.named_parameters():
        (body if name.startswith("nystromformer.") else head).append(parameter)
    groups = [
        {"params": body, "lr": arguments.rate, "peak": arguments.rate},
        {"params": head, "lr": arguments.rate, "peak": arguments.rate * arguments.head_rate},
    ]
    return torch.optim.AdamW(groups, weight_decay=0.01)


def train(model, examples, arguments):
    """True when all epochs are done, False when the minutes are over; either way from and to the
    checkpoint. Every step seeds torch, so that a run in pieces is the run in one."""
    optimizer = optimizer_of(model, arguments)
    begun = 0
    if arguments.checkpoint and arguments.checkpoint.exists():
        state = torch.load(arguments.checkpoint)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        begun = state["step"]
    plan = []
    for epoch in range(arguments.epochs):
        dice = random.Random(f"{arguments.seed} {epoch}")
        plan += batches_of(examples, arguments.batch_tokens, dice)
    warm_up = max(1, len(plan) // 10)
    start, losses = time.monotonic(), []
    model.train()
    for step in range(begun, len(plan)):
        if arguments.minutes and time.monotonic() - start > 60 * arguments.minutes:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
            torch.save(state, arguments.checkpoint)
            return False
        for group in optimizer.param_groups:
            falling = (len(plan) - step) / (len(plan) - warm_up)
            group["lr"] = group["peak"] * min((step + 1) / warm_up, falling)
        torch.manual_seed(arguments.seed * 1_000_003 + step)
        ids, labels = stacked(examples, plan[step])
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(input_ids=ids).logits
        logits = logits.float().flatten(0, -2)
        loss = torch.nn.functional.cross_entropy(
            logits, labels.flatten(), ignore_index=finetune_data.IGNORED, label_smoothing=arguments.smoothing
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if (step + 1) % 100 == 0:
            mean, rate = sum(losses[-100:]) / len(losses[-100:]), time.monotonic() - start
            print(f"step {step + 1}/{len(plan)}, loss {mean:.4f}, {rate:.0f} s", file=sys.stderr)
    return True


def save(model, arguments):
    """The folder: weights in bf16, config, tokenizer.json and its settings."""
    output = arguments.output
    output.mkdir(parents=True, exist_ok=True)
    model.to(torch.bfloat16).save_pretrained(output)
    for name in ("tokenizer.json", "special_tokens_map.json"):
        shutil.copy(arguments.model / name, output)
    settings = json.loads((arguments.model / "tokenizer_config.json").read_text(encoding="utf-8"))
    settings["model_max_length"] = arguments.max_positions
    text = json.dumps(settings, indent=2)
    (output / "tokenizer_config.json").write_text(text + "\n", encoding="utf-8")


@torch.no_grad()
def logits_of(model, examples):
    """The logits of every example, in fp32."""
    model.eval()
    logits = [None] * len(examples)
    for batch in batches_of(examples, 4096, random.Random(0)):
        output = model(input_ids=stacked(examples, batch)[0]).logits
        for index, row in zip(batch, output):
            logits[index] = row
    return logits


def finish(arguments, examples, auto_class, labels):
    """Trains and saves; the model as it was saved, or an exit where the minutes are over."""
    if not arguments.evaluate:
        model = start_model(arguments, auto_class, labels)
        if not train(model, examples, arguments):
            print(f"not done: run again to go on from {arguments.checkpoint}", file=sys.stderr)
            sys.exit(UNFINISHED)
        save(model, arguments)
    return auto_class.from_pretrained(arguments.output, dtype=torch.float32)


def sentiment(arguments, tokenizer):
    """Three classes from mean ratings, against a bag of words and pairs of words."""
    labels = finetune_data.SENTIMENT_LABELS
    snippets = finetune_data.read_snippets(arguments.sdist)
    training, held_out = finetune_data.split_snippets(snippets, arguments.development)
    if arguments.evaluate:
        held_out = finetune_data.split_snippets(snippets, development=False)[1]

    def examples_of(part):
        texts = [snippet.text for snippet in part]
        ids = tokenizer(texts, truncation=True, max_length=arguments.max_length)["input_ids"]
        return [(row, snippet.label) for row, snippet in zip(ids, part)]

    auto_class = transformers.AutoModelForSequenceClassification
    model = finish(arguments, examples_of(training), auto_class, labels)
    logits = torch.stack(logits_of(model, examples_of(held_out)))
    return {
        "snippets": {"training": len(training), "held_out": len(held_out)},
        "classes": dict(Counter(labels[snippet.label] for snippet in held_out)),
        "model": finetune_data.sentiment_figures(held_out, logits.softmax(-1).numpy()),
        "baseline": finetune_data.bag_of_words(training, held_out),
    }


def tag(arguments, tokenizer):
    """Parts of speech as spaCy tags them, against the most frequent tag of each word."""
    tags = finetune_data.TAGS
    labels = [f"{place}-{name}" for name in tags for place in "BI"]
    training, held_out = finetune_data.read_tagged(arguments, arguments.development)
    if arguments.evaluate:
        held_out = finetune_data.read_tagged(arguments, development=False)[1]

    def examples_of(part):
        encodings = tokenizer(
            [passage.text for passage in part],
            truncation=True,
            max_length=arguments.max_length,
            return_offsets_mapping=True,
        )
        rows = zip(encodings["input_ids"], encodings["offset_mapping"], part)
        return [(ids, finetune_data.piece_labels(offsets, p)) for ids, offsets, p in rows]

    auto_class = transformers.AutoModelForTokenClassification
    model = finish(arguments, examples_of(training), auto_class, labels)
    examples = examples_of(held_out)
    logits = logits_of(model, examples)
    found = [row.argmax(-1).tolist() for row in logits]
    return {
        "words": {
            "training": sum(len(passage.tags) for passage in training),
            "held_out": sum(len(passage.tags) for passage in held_out),
        },
        "model": finetune_data.tag_figures(tokenizer, held_out, found, arguments.max_length),
        "baseline": finetune_data.frequent_tags(training, held_out),
    }


def arguments_of_user():
    parser = argparse.ArgumentParser(description="Fine-tunes the bundled encoder.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, epochs, rate, smoothing in (("sentiment", 3, 1e-4, 0.0), ("tag", 2, 2e-4, 0.0)):
        command = commands.add_parser(name)
        add = command.add_argument
        add("--output", type=Path, required=True, help="the folder to write")
        add("--model", type=Path, default=BUNDLED, help="the folder to start from")
        add("--epochs", type=int, default=epochs)
        add("--rate", type=float, default=rate, help="peak learning rate of the encoder")
        add("--head-rate", type=float, default=5, help="the head's rate, as a multiple of it")
        add("--dropout", type=float, default=0.1)
        add("--smoothing", type=float, default=smoothing, help="label smoothing")
        add("--batch-tokens", type=int, default=1024, help="tokens of a step")
        add("--max-length", type=int, default=128, help="tokens of a text")
        add("--max-positions", type=int, default=512, help="rows of positions that are kept")
        add("--seed", type=int, default=1)
        add("--threads", type=int, default=2)
        add("--checkpoint", type=Path, help="where to go on from, with --minutes")
        add("--minutes", type=float, help="stop after so long")
        add(
            "--development",
            action="store_true",
            help="hold out a part of the training items instead, to choose options on",
        )
        add(
            "--evaluate",
            action="store_true",
            help="train nothing: the figures of --output on the items held out in the end, the "
            "baseline trained on what --output was",
        )
        if name == "sentiment":
            add("--sdist", type=Path, required=True, help="vaderSentiment-3.3.2.tar.gz")
        else:
            finetune_data.add_tag_arguments(command)
    arguments = parser.parse_args()
    if arguments.minutes and not arguments.checkpoint:
        parser.error("--minutes needs --checkpoint")
    if arguments.command == "tag" and not arguments.tagged.exists() and not arguments.texts:
        parser.error(f"--texts is needed, as {arguments.tagged} does not exist")
    return arguments


def main():
    arguments = arguments_of_user()
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(arguments.threads)
    tokenizer = transformers.AutoTokenizer.from_pretrained(arguments.model)
    figures = (sentiment if arguments.command == "sentiment" else tag)(arguments, tokenizer)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
