# SPDX-License-Identifier: MIT
"""Writes the parity test's data: tiny random models and what transformers says of them.

    python tests/reference/generate.py            # writes tests/reference/data anew

Needs the packages of tests/live/requirements.txt. The same machine gives the same bytes every time;
another processor may differ in the last digits.

Layout of tests/reference/data:
  models/<model>/        a Hugging Face folder: config.json and weights of some kind (models.py)
  <case>.safetensors     one input and its answers (cases.py):
      input.NAME         input_ids, inputs_embeds (F64), attention_mask, token_type_ids,
                         position_ids, labels, float_labels (F64), start_positions, end_positions;
                         integers are I64
      expected.NAME      F64: last_hidden_state, logits, start_logits, end_logits, loss (no shape),
                         and in some cases hidden_states.I, attentions.I and every intermediate of
                         layer 0 and the head: embeddings, q, k (both scaled by d^-1/4), v,
                         q_landmarks, k_landmarks, kernel_1, kernel_2, kernel_3, inverse.0 (start
                         value) to inverse.6, context (before the convolution), convolution, all
                         (batch, heads, ...); attention_output, intermediate, layer_output (batch,
                         n, ...); transform (masked-lm), classifier_dense (sequence-classification,
                         before the activation), pre_classifier (multiple-choice, before the ReLU)
      __metadata__       model, head (names of the `run` command), attention, num_landmarks (0: the
                         config's), inverse ("": the config's), inverse_iterations, about
  cases.json             the same metadata of all cases, and of each the largest deviation of
                         transformers' own float32 result from the float64 one: max |a - b| / max(1,
                         max |b|)
"""

import argparse
import json
import shutil
from pathlib import Path

import torch

import cases
import models
import oracle
import tensors

DATA = Path(__file__).parent / "data"
RESULTS = {"last_hidden_state", "logits", "start_logits", "end_logits", "loss"}


def check_weights(spec, folder):
    """transformers reads from the files exactly the parameters that were drawn."""
    drawn, read = models.make_model(spec), oracle.load(folder, spec.head)
    for name, parameter in drawn.named_parameters():
        if not torch.equal(parameter.double(), read.get_parameter(name)):
            raise ValueError(f"{folder}: {name} is not what was drawn")


def options_of(case):
    """The attention options of a case."""
    return oracle.AttentionOptions(
        case.attention, case.num_landmarks, case.inverse, case.iterations
    )


def chosen(case, outputs, record):
    """The tensors that the file of a case keeps."""
    kept = {}
    for name, value in outputs.items():
        if name in RESULTS or name.split(".")[0] in case.keep:
            kept[name] = value
    if cases.LAYER in case.keep:
        kept.update(record)
    return kept


def metadata_of(case):
    """What a reader must know to repeat a case."""
    return {
        "model": case.model,
        "head": case.head,
        "attention": case.attention,
        "num_landmarks": str(case.num_landmarks),
        "inverse": case.inverse,
        "inverse_iterations": str(case.iterations),
        "about": case.about,
    }


def write_case(case, data):
    """Runs one case and writes its file; returns its entry of cases.json."""
    folder = data / "models" / case.model
    model = oracle.load(folder, case.head)
    inputs = cases.make_inputs(case, model.config)
    outputs, record = oracle.run(model, case.head, inputs, options_of(case))
    expected = chosen(case, outputs, record)
    single = oracle.load(folder, case.head, torch.float32)
    rounded = chosen(case, *oracle.run(single, case.head, inputs, options_of(case)))
    worst = max(oracle.deviation(rounded[name], value) for name, value in expected.items())
    stored = {f"input.{name}": value for name, value in inputs.items()}
    stored.update({f"expected.{name}": value for name, value in expected.items()})
    tensors.save(data / f"{case.name}.safetensors", stored, metadata_of(case))
    return {
        "file": f"{case.name}.safetensors",
        **metadata_of(case),
        "float32_deviation": f"{worst:.0e}",
    }


def model_entry(spec):
    """The entry of a model in cases.json."""
    dtype = tensors.NAMES_OF_WEIGHTS[spec.dtype]
    return {
        "name": spec.name,
        "head": spec.head,
        "files": spec.files,
        "dtype": dtype,
        "about": spec.about,
    }


def generate(data):
    """Writes everything below `data`."""
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    for spec in models.MODELS:
        models.save_model(spec, data / "models" / spec.name)
        check_weights(spec, data / "models" / spec.name)
    index = {
        "models": [model_entry(spec) for spec in models.MODELS],
        "cases": [write_case(case, data) for case in cases.CASES],
    }
    (data / "cases.json").write_text(json.dumps(index, indent=1) + "\n")
    size = sum(path.stat().st_size for path in data.rglob("*") if path.is_file())
    print(
        f"{len(models.MODELS)} models, {len(cases.CASES)} cases, {size / 1e6:.2f} MB below {data}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Writes the reference data of the parity test.")
    parser.add_argument("--output", type=Path, default=DATA, help="default: tests/reference/data")
    generate(parser.parse_args().output)
