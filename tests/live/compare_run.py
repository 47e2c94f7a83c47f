# SPDX-License-Identifier: MIT
"""Draws fresh random models, runs `nystromformer run` on them, and compares with transformers.

    python tests/live/compare_run.py --run build/release/bin/nystromformer   # 20 draws
    python tests/live/compare_run.py --seed 7 --count 1                          # one again

Every draw is a model of any kind (head, sizes, activation, weight type, file kind), an input of any
kind (lengths, batch, mask, token types, positions, embeddings, labels) and options of any kind. The
oracle is transformers in float64. A draw is `stock` where transformers' untouched classes compute
it, and `repaired` where they raise an error (padding in Nystrom attention, no convolution,
inv_coeff_init_option, other lengths, start values and landmarks by option; see
tests/reference/oracle.py); --stock leaves the latter out.

Compared is every tensor that transformers returns, by max |a - b| / max(1, max |b|): at most 1e-9
with --scalar double and 3e-4 with --scalar float. Beside the float result stands what transformers'
own float32 run deviates: where a LayerNorm of few channels or kernel_2 is ill-conditioned, float
rounding is enlarged in both. So a float result may also deviate by ten times what transformers'
does, for the two round independently; what is not rounding shows in double.

Labels of whole numbers are the I64 tensor `labels`, regression and multi-label targets the F64
tensor `labels`; question answering reads `start_positions` and `end_positions`. Exit status 1 where
any draw fails; its line names the seed that repeats it.
"""

import argparse
import collections
import math
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import safetensors.torch
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "reference"))
import cases  # noqa: E402
import models  # noqa: E402
import oracle  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = {"double": 1e-9, "float": 3e-4}
ROUNDING = 10  # times what transformers' own float32 run deviates
SCALARS = {"double": torch.float64, "float": torch.float32}
ACTIVATIONS = (
    "gelu gelu_10 gelu_accurate gelu_fast gelu_new gelu_python gelu_python_tanh gelu_pytorch_tanh "
    "hardswish laplace leaky_relu linear mish quick_gelu relu relu2 relu6 sigmoid silu sqrtsoftplus "
    "swish tanh"
).split()


class Dice:
    """A random generator with the few draws that are needed here."""

    def __init__(self, seed):
        self.generator = numpy.random.default_rng(seed)

    def of(self, *choices):
        return choices[int(self.generator.integers(len(choices)))]

    def between(self, low, high):
        return int(self.generator.integers(low, high + 1))

    def chance(self, probability):
        return self.generator.random() < probability


def draw_config(dice, head):
    """The config entries of a model."""
    heads, head_dim = dice.between(1, 5), dice.between(1, 16)
    config = models.shape(heads, head_dim, dice.between(1, 3))
    config.update(
        vocab_size=dice.between(10, 90),
        intermediate_size=dice.between(1, 70),
        type_vocab_size=dice.between(1, 3),
        max_position_embeddings=dice.between(80, 120),
        hidden_act=dice.of(*ACTIVATIONS),
        layer_norm_eps=dice.of(1e-12, 1e-5, 1e-5, 1e-2),
        conv_kernel_size=dice.of(None, 1, 3, 7, 33, 65, 65),
        pad_token_id=dice.between(0, 5),
        chunk_size_feed_forward=dice.of(0, 0, 1),
    )
    if head == models.MLM:
        config["tie_word_embeddings"] = dice.chance(0.8)
    if dice.chance(0.5):
        landmarks = dice.between(1, 8)
        config.update(num_landmarks=landmarks, segment_means_seq_len=landmarks * dice.between(2, 8))
        config["inv_coeff_init_option"] = dice.chance(0.25)
    return config


def draw_model(dice, seed):
    """A model of any kind."""
    head = dice.of(*oracle.HEADS)
    config = draw_config(dice, head)
    files = dice.of("safetensors", "safetensors-shards", "bin", "bin-shards")
    rewrites = [""]
    if files != "safetensors-shards":
        rewrites.append("mixed")
        if head == models.MLM and config["tie_word_embeddings"]:
            rewrites += ["decoder-only", "both-sides"]
    if files.startswith("bin"):
        rewrites.append("legacy")
    labels = {}
    if head == models.SEQUENCE:
        problem = dice.of(
            None, "regression", "single_label_classification", "multi_label_classification"
        )
        labels = dict(num_labels=dice.between(1, 5), problem_type=problem)
        if problem in ("single_label_classification", "multi_label_classification"):
            labels["num_labels"] = dice.between(2, 5)
    if head == models.TOKEN:
        labels = dict(num_labels=dice.between(1, 6))
    dtype = dice.of(models.F32, models.F16, models.BF16, models.F64)
    return models.ModelSpec(
        "model",
        head,
        config,
        dtype,
        files,
        dice.of(0.15, 0.15, 0.3),
        dice.of(*rewrites),
        seed=seed,
        shard_bytes=dice.of(3000, 20000),
        labels=labels,
    )


def draw_labels(dice, spec):
    """The kind of labels, as cases.make_labels names them."""
    if spec.head == models.BARE or dice.chance(0.3):
        return ""
    if spec.head == models.ANSWER:
        return dice.of("spans", "spans-outside")
    if spec.head == models.CHOICE:
        return "choices"
    if spec.head != models.SEQUENCE:
        return dice.of("tokens", "tokens", "tokens", "ignored")
    problem, count = spec.labels["problem_type"], spec.labels["num_labels"]
    if problem == "single_label_classification":
        return "classes"
    if problem is None and count > 1:
        return dice.of("classes", "floats")
    return "floats"


def draw_case(dice, spec, stock):
    """An input of any kind, and the options of the call."""
    config = spec.config
    exact = "num_landmarks" not in config
    length = config.get("segment_means_seq_len", 0)
    n = dice.between(1, 80) if exact or (not stock and dice.chance(0.4)) else length
    masks = ["", "right", "left", "holes", "empty"]
    case = cases.Case(
        "draw",
        spec.name,
        spec.head,
        dice.between(1, 4),
        n,
        seed=spec.seed,
        mask=dice.of(*masks) if exact or not stock else "",
        extras=tuple(name for name in ("embeds", "types", "positions") if dice.chance(0.3)),
        labels=draw_labels(dice, spec),
        choices=dice.between(1, 4) if spec.head == models.CHOICE else 0,
    )
    if not stock and dice.chance(0.4):
        case.attention = dice.of("config", "exact", "nystrom")
        case.num_landmarks = dice.of(0, dice.between(1, 12)) if case.attention == "nystrom" else 0
        case.inverse = dice.of("", "batch", "sequence", "matrix")
    return case


def is_stock(spec, case):
    """True where transformers' untouched classes compute this."""
    config = spec.config
    if config["conv_kernel_size"] is None or (case.attention, case.num_landmarks, case.inverse) != (
        "config",
        0,
        "",
    ):
        return False
    if "num_landmarks" not in config:
        return True
    return (
        not case.mask
        and not config["inv_coeff_init_option"]
        and case.n == config["segment_means_seq_len"]
    )


def draw(seed, stock):
    """The model and the case of a seed: in half of the seeds, with `stock` in all, untouched
    transformers runs it."""
    dice = Dice(seed)
    stock = dice.chance(0.5) or stock
    while True:
        spec = draw_model(dice, seed)
        case = draw_case(dice, spec, stock)
        if not stock or is_stock(spec, case):
            return spec, case


def describe(spec, case):
    """One line that says what was drawn."""
    differs = {
        key: value
        for key, value in vars(case).items()
        if value and key not in ("name", "model", "seed", "head")
    }
    entries = {**spec.config, **spec.labels}
    dtype = str(spec.dtype).removeprefix("torch.")
    return (
        f"{spec.head} {dtype} {spec.files} {spec.rewrite} spread={spec.spread} {entries} {differs}"
    )


def run_command(binary, folder, spec, case, inputs, scalar):
    """The tensors that the command line writes."""
    stored = {
        ("labels" if name == "float_labels" else name): value for name, value in inputs.items()
    }
    given, answer = folder / "in.safetensors", folder / f"out-{scalar}.safetensors"
    safetensors.torch.save_file({name: value.contiguous() for name, value in stored.items()}, given)
    command = [binary, "run", "--model", folder / "model", "--head", spec.head, "--input", given]
    command += ["--output", answer, "--scalar", scalar, "--hidden-states", "--attentions"]
    command += ["--attention", case.attention]
    if case.num_landmarks:
        command += ["--landmarks", str(case.num_landmarks)]
    if case.inverse:
        command += ["--inverse", case.inverse]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"exit {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return safetensors.torch.load_file(answer)


def worst_of(found, expected):
    """The name and size of the largest deviation; a missing tensor is an infinite one."""
    worst = ("nothing", 0.0)
    for name, value in expected.items():
        if name not in found:
            return name + " (missing)", float("inf")
        tensor = (
            found[name].reshape(value.shape)
            if name == "loss" and found[name].numel() == 1
            else found[name]
        )
        size = oracle.deviation(tensor, value)
        if size > worst[1]:
            worst = (
                name if tensor.shape == value.shape else f"{name} (shape {tuple(tensor.shape)})",
                size,
            )
    return worst


def expected_of(folder, spec, case, dtype, pristine):
    """What transformers answers in `dtype`, and the input."""
    model = oracle.load(folder / "model", spec.head, dtype, pristine)
    inputs = cases.make_inputs(case, model.config)
    options = oracle.AttentionOptions(
        case.attention, case.num_landmarks, case.inverse, case.iterations
    )
    return oracle.run(model, spec.head, inputs, options, pristine)[0], inputs


def compare_draw(binary, seed, stock, scalars):
    """Compares one draw; returns the numbers of its line, and the reasons of its failures."""
    spec, case = draw(seed, stock)
    pristine = is_stock(spec, case)
    numbers, failures = {"kind": "stock" if pristine else "repaired"}, []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models.save_model(spec, folder / "model")
        expected, inputs = expected_of(folder, spec, case, torch.float64, pristine)
        single, _ = expected_of(folder, spec, case, torch.float32, pristine)
        numbers["transformers float32"] = worst_of(single, expected)[1]
        for scalar in scalars:
            try:
                found = run_command(binary, folder, spec, case, inputs, scalar)
            except RuntimeError as error:
                failures.append(f"{scalar}: {error}")
                continue
            tensor, numbers[scalar] = worst_of(found, expected)
            limit = TOLERANCE[scalar]
            # A run of transformers that overflows says nothing of rounding.
            if scalar == "float" and math.isfinite(numbers["transformers float32"]):
                limit = max(limit, ROUNDING * numbers["transformers float32"])
            if not numbers[scalar] <= limit:
                failures.append(f"{scalar}: {tensor} deviates by {numbers[scalar]:.1e}")
    return numbers, [f"{failure}; {describe(spec, case)}" for failure in failures]


def line_of(seed, numbers):
    """`seed 7 stock: double 1e-15, float 2e-07, transformers float32 3e-07`."""
    parts = [f"{name} {value:.0e}" for name, value in numbers.items() if name != "kind"]
    return f"seed {seed} {numbers['kind']}: " + ", ".join(parts)


def main():
    parser = argparse.ArgumentParser(
        description="Compares `nystromformer run` with transformers on random models."
    )
    parser.add_argument(
        "--run", type=Path, default=ROOT / "build/release/bin/nystromformer", help="the program"
    )
    parser.add_argument("--seed", type=int, help="the first seed; default: a new one")
    parser.add_argument(
        "--count", type=int, default=20, help="how many draws, seeds SEED, SEED + 1, ..."
    )
    parser.add_argument("--scalar", choices=["double", "float", "both"], default="both")
    parser.add_argument(
        "--stock", action="store_true", help="only what untouched transformers computes"
    )
    arguments = parser.parse_args()
    first = secrets.randbelow(10**9) if arguments.seed is None else arguments.seed
    scalars = list(SCALARS) if arguments.scalar == "both" else [arguments.scalar]
    print(f"first seed {first}, {arguments.count} draws", flush=True)
    failed, largest = 0, collections.defaultdict(float)
    for seed in range(first, first + arguments.count):
        numbers, failures = compare_draw(arguments.run, seed, arguments.stock, scalars)
        print(line_of(seed, numbers), flush=True)
        for failure in failures:
            print(f"FAILED seed {seed}: {failure}", flush=True)
        failed += bool(failures)
        for name in numbers.keys() - {"kind"}:
            largest[name] = max(largest[name], numbers[name])
    summary = ", ".join(f"{name} {largest[name]:.0e}" for name in sorted(largest))
    print(
        f"{arguments.count - failed} of {arguments.count} draws agree; deviations up to: {summary}"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
