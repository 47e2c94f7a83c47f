#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws fresh random BERTs of every family and head, runs them as they are, and compares with transformers.

    python tests/live/compare_bert_family.py --run build/release/bin/nystromformer    # 72 draws: two of each
    python tests/live/compare_bert_family.py --seed 7 --count 1                       # one again

Every draw is a folder as some writer has it (safetensors, a .bin of any torch, old names, with or without the
encoder's scope, a config.json that names no class or a wrong one) and a padded batch with mask and token types, in
which texts may hold the padding's id.  `nystromformer run` reads the folder without a conversion.  The oracle is
transformers in float64.  Compared are the head's outputs at every token that is no padding, by
max |a - b| / max(1, max |b|): at most 1e-9 with --scalar double; in float 1e-5, or ten times what transformers' own
float32 run deviates.  bf16 and int8 must run and stay within a fifth.
"""

import argparse
import json
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import safetensors.torch
import torch
import transformers

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
ROOT = Path(__file__).resolve().parents[2]
FAMILIES = ("Bert", "Roberta", "XLMRoberta", "Camembert", "DistilBert", "Electra")
HEADS = {
    "model": "Model",
    "masked-lm": "ForMaskedLM",
    "sequence-classification": "ForSequenceClassification",
    "multiple-choice": "ForMultipleChoice",
    "token-classification": "ForTokenClassification",
    "question-answering": "ForQuestionAnswering",
}
ACTIVATIONS = ("gelu", "gelu_new", "relu", "silu", "tanh", "quick_gelu", "mish", "gelu_10", "laplace")
SCALARS = {"double": torch.float64, "float": torch.float32}
OUTPUTS = ("last_hidden_state", "logits", "start_logits", "end_logits")
POOR = 0.2  # of bf16 and int8: that nothing is wrong by its kind


def draw_config(dice, family, head):
    """The class and the entries of its config."""
    heads = int(dice.choice([1, 2, 4]))
    hidden = heads * int(dice.choice([4, 8]))
    entries = {
        "vocab_size": int(dice.integers(20, 90)),
        "max_position_embeddings": int(dice.integers(16, 40)),
        "pad_token_id": int(dice.integers(0, 5)),
    }
    act = str(dice.choice(ACTIVATIONS))
    if family == "DistilBert":
        entries |= dict(dim=hidden, n_heads=heads, n_layers=int(dice.integers(1, 4)), hidden_dim=int(dice.integers(8, 40)),
                        activation=act, sinusoidal_pos_embds=bool(dice.integers(2)))
    else:
        entries |= dict(hidden_size=hidden, num_attention_heads=heads, num_hidden_layers=int(dice.integers(0, 4)),
                        intermediate_size=int(dice.integers(8, 40)), hidden_act=act,
                        type_vocab_size=int(dice.integers(1, 4)), layer_norm_eps=float(dice.choice([1e-12, 1e-5])))
    if family == "Electra":
        entries |= dict(embedding_size=hidden if dice.integers(2) else int(dice.integers(4, 20)),
                        summary_activation=str(dice.choice(["gelu", "tanh", "relu"])))
    if "classification" in head:
        entries["num_labels"] = int(dice.integers(1, 6))
    if dice.integers(3) == 0:
        entries["tie_word_embeddings"] = False
    return getattr(transformers, family + HEADS[head]), entries


def make_model(dice, model_class, entries):
    model = model_class(model_class.config_class(**entries, attn_implementation="eager"))
    for name, parameter in model.named_parameters():
        centre = 1.0 if "norm.weight" in name.lower() else 0.0
        parameter.data.copy_(torch.from_numpy(centre + 0.3 * dice.standard_normal(tuple(parameter.shape))))
    return model.to([torch.float32, torch.float16, torch.bfloat16][int(dice.integers(3))]).eval()


def write(dice, model, folder):
    """Writes the folder in one of the ways that folders are written."""
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    naming = int(dice.integers(3))
    if naming == 0:
        del config["architectures"]
    elif naming == 1:
        config["architectures"] = [type(model).__name__.split("For")[0].removesuffix("Model") + "ForNextSentencePrediction"]
    (folder / "config.json").write_text(json.dumps(config))
    state = {key: value.clone() for key, value in model.state_dict().items()}
    prefix = model.base_model_prefix
    if type(model).__name__.endswith("Model"):
        if dice.integers(2):
            state = {f"{prefix}.{key}": value for key, value in state.items()}
    elif dice.integers(4) == 0:  # the head beside a bare encoder
        state = {key.removeprefix(prefix + "."): value for key, value in state.items()}
    if dice.integers(3) == 0:
        state = {key.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value
                 for key, value in state.items()}
    kind = ["safetensors", "bin", "old bin"][int(dice.integers(3))]
    if kind == "safetensors":
        safetensors.torch.save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    else:
        torch.save(state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=kind == "bin")
    return f"{kind}, naming {naming}"


def draw_input(dice, config, head):
    pad = config.pad_token_id
    is_roberta = "roberta" in config.model_type or config.model_type == "camembert"
    longest = config.max_position_embeddings - (pad + 1 if is_roberta else 0)
    batch, length = int(dice.integers(1, 4)), int(dice.integers(2, longest + 1))
    shape = (batch, int(dice.integers(1, 4)), length) if head == "multiple-choice" else (batch, length)
    ids = torch.from_numpy(dice.integers(0, config.vocab_size, shape))
    lengths = torch.from_numpy(dice.integers(1, length + 1, shape[:-1]))
    mask = (torch.arange(length) < lengths[..., None]).long()
    ids = torch.where(mask.bool(), ids, pad)
    inputs = {"input_ids": ids, "attention_mask": mask}
    if config.model_type != "distilbert":
        inputs["token_type_ids"] = torch.from_numpy(dice.integers(0, config.type_vocab_size, shape))
    return inputs


def real_rows(tensor, mask):
    """The tokens that are no padding, of a tensor that has a row for each; all of any other."""
    return tensor[mask.bool()] if tensor.shape[: mask.dim()] == mask.shape else tensor


def expected(model, inputs, scalar):
    with torch.no_grad():
        output = model.to(SCALARS[scalar])(**inputs)
    return {key: real_rows(output[key], inputs["attention_mask"]) for key in OUTPUTS if output.get(key) is not None}


def found(program, folder, head, inputs, *options):
    with tempfile.TemporaryDirectory() as place:
        source, target = Path(place) / "in", Path(place) / "out"
        safetensors.torch.save_file(inputs, source)
        command = [program, "run", "--model", folder, "--head", head, "--input", source, "--output", target, *options]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        tensors = safetensors.torch.load_file(target)
    return {key: real_rows(value, inputs["attention_mask"]) for key, value in tensors.items() if key in OUTPUTS}


def error(ours, theirs):
    if set(ours) != set(theirs):
        raise RuntimeError(f"outputs {sorted(ours)}, expected {sorted(theirs)}")
    return max((ours[key].double().reshape(value.shape) - value.double()).abs().max().item() /
               max(1, value.abs().max().item()) for key, value in theirs.items())


def draw(program, seed, number):
    dice = numpy.random.default_rng(seed)
    family = FAMILIES[number % len(FAMILIES)]
    head = list(HEADS)[number // len(FAMILIES) % len(HEADS)]
    model_class, entries = draw_config(dice, family, head)
    model = make_model(dice, model_class, entries)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        kind = write(dice, model, folder)
        read = model_class.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
        inputs = draw_input(dice, read.config, head)
        truth = expected(read, inputs, "double")
        errors = {"double": error(found(program, folder, head, inputs, "--scalar", "double"), truth),
                  "float": error(found(program, folder, head, inputs), truth)}
        for precision in ("bf16", "int8"):
            errors[precision] = error(found(program, folder, head, inputs, "--precision", precision), truth)
        rounding = error(expected(read, inputs, "float"), truth)
    limits = {"double": 1e-9, "float": max(1e-5, 10 * rounding), "bf16": POOR, "int8": POOR}
    wrong = [key for key, value in errors.items() if not value <= limits[key]]
    shown = " ".join(f"{key} {value:.1e}" for key, value in errors.items())
    print(f"{'WRONG' if wrong else 'ok'} seed {seed} number {number}: {family} {head} ({kind}): {shown}", flush=True)
    return not wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", default=ROOT / "build/release/bin/nystromformer", type=Path, metavar="PROGRAM")
    parser.add_argument("--count", type=int, default=72)
    parser.add_argument("--seed", type=int, default=None, help="of the first draw; the others count on")
    parser.add_argument("--first", type=int, default=0, help="number of the first draw: which family and head")
    arguments = parser.parse_args()
    seed = secrets.randbelow(2**31) if arguments.seed is None else arguments.seed
    torch.set_num_threads(1)
    failed = 0
    for i in range(arguments.count):
        try:
            failed += not draw(arguments.run, seed + i, arguments.first + i)
        except Exception as problem:  # noqa: BLE001: told with what repeats it
            print(f"WRONG seed {seed + i} number {arguments.first + i}: {type(problem).__name__}: {problem}", flush=True)
            failed += 1
    print(f"{arguments.count} draws, {failed} wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
