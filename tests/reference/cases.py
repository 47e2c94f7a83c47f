# SPDX-License-Identifier: MIT
"""The cases: which model runs on which input, and which tensors its file keeps."""

import zlib
from dataclasses import dataclass

import numpy
import torch

from models import ANSWER, BARE, CHOICE, MLM, SEQUENCE, TOKEN


@dataclass
class Case:
    """One file data/<name>.safetensors."""

    name: str
    model: str
    head: str
    batch: int = 1
    n: int = 5
    about: str = ""
    mask: str = ""  # right | left | holes | empty (one row of zeros among full ones)
    extras: tuple = ()  # embeds, types, positions
    labels: str = ""  # tokens | classes | floats | spans | spans-outside | choices | ignored
    choices: int = 0  # multiple choice: sequences in one example
    attention: str = "config"
    num_landmarks: int = 0
    inverse: str = ""
    iterations: int = 6
    keep: tuple = ()  # hidden_states, attentions, layer (every intermediate of layer 0 and head)
    seed: int | None = None


def make_mask(kind, rows, n, generator):
    """(rows, n) of 1 and 0; every row but the empty one keeps at least one 1."""
    mask = numpy.ones((rows, n), dtype=numpy.int64)
    for row in range(rows):
        padding = int(generator.integers(0 if row else 1, n)) if n > 1 else 0
        if kind == "right" and padding:
            mask[row, n - padding :] = 0
        if kind == "left":
            mask[row, :padding] = 0
        if kind == "holes":
            mask[row] = generator.integers(0, 2, n)
            mask[row, int(generator.integers(0, n))] = 1
    if kind == "empty":
        mask[rows // 2] = 0
    return mask


def make_labels(case, config, generator):
    """The tensors that make the model compute a loss."""
    batch, n, classes = case.batch, case.n, config.num_labels
    if case.labels == "tokens":
        size = config.vocab_size if case.head == MLM else classes
        labels = generator.integers(0, size, (batch, n))
        labels[generator.random((batch, n)) < 0.4] = -100
        labels[0, 0] = min(1, size - 1)  # never nothing but -100
        return {"labels": labels}
    if case.labels == "ignored":
        return {"labels": numpy.full((batch, n), -100)}
    if case.labels == "classes":
        return {"labels": generator.integers(0, classes, batch)}
    if case.labels == "choices":
        return {"labels": generator.integers(0, case.choices, batch)}
    if case.labels == "floats":
        multi_label = config.problem_type != "regression" and classes > 1
        targets = generator.standard_normal((batch, classes) if classes > 1 else (batch,))
        return {"float_labels": (targets > 0).astype(numpy.float64) if multi_label else targets}
    if case.labels == "spans":
        return {
            "start_positions": generator.integers(0, n, batch),
            "end_positions": generator.integers(0, n, batch),
        }
    if case.labels == "spans-outside":  # transformers clamps to [0, n] and passes over n
        return {
            "start_positions": numpy.array([-7, n + 5, 0, n])[:batch],
            "end_positions": numpy.array([n - 1, 2, 1000, -1])[:batch],
        }
    return {}


def make_inputs(case, config):
    """The input tensors of a case, as the `run` command reads them."""
    seed = zlib.crc32(case.name.encode()) if case.seed is None else case.seed
    generator = numpy.random.default_rng(seed)
    leading = (case.batch, case.choices) if case.choices else (case.batch,)
    shape, rows = (*leading, case.n), int(numpy.prod(leading))
    inputs = {}
    if "embeds" in case.extras:
        inputs["inputs_embeds"] = 0.5 * generator.standard_normal((*shape, config.hidden_size))
    else:
        inputs["input_ids"] = generator.integers(0, config.vocab_size, shape)
    if "types" in case.extras:
        inputs["token_type_ids"] = generator.integers(0, config.type_vocab_size, shape)
    if "positions" in case.extras:
        inputs["position_ids"] = generator.integers(0, config.max_position_embeddings + 2, shape)
    if case.mask:
        inputs["attention_mask"] = make_mask(case.mask, rows, case.n, generator).reshape(shape)
    inputs.update(make_labels(case, config, generator))
    return {name: torch.from_numpy(numpy.asarray(value)) for name, value in inputs.items()}


STATES, MAPS, LAYER = "hidden_states", "attentions", "layer"

# fmt: off
EXACT = [
    Case("mlm-plain", "mlm-exact", MLM, 2, 17, "no mask, labels with -100", labels="tokens",
         keep=(STATES, MAPS, LAYER)),
    Case("mlm-one-token", "mlm-exact", MLM, 1, 1, "a single token", keep=(STATES, MAPS, LAYER)),
    Case("mlm-right", "mlm-exact", MLM, 3, 9,
         "right padding: values are not masked before the convolution", mask="right",
         labels="tokens", keep=(STATES, LAYER)),
    Case("mlm-left", "mlm-exact", MLM, 2, 9, "left padding", mask="left", extras=("types",)),
    Case("mlm-holes", "mlm-exact", MLM, 4, 8, "a mask with holes", mask="holes", keep=(MAPS,)),
    Case("mlm-empty-row", "mlm-exact", MLM, 3, 6,
         "a fully masked row attends to all its keys alike", mask="empty", keep=(STATES, MAPS)),
    Case("mlm-long", "mlm-exact", MLM, 1, 64, "64 tokens: as long as the convolution reaches"),
    Case("mlm-all-positions", "mlm-exact", MLM, 1, 66, "max_position_embeddings tokens"),
    Case("mlm-ignored", "mlm-exact", MLM, 1, 5, "every label is -100: the loss is NaN",
         labels="ignored"),
    Case("mlm-embeds", "mlm-exact", MLM, 2, 7, "embeddings, types and positions given",
         extras=("embeds", "types", "positions"), labels="tokens", keep=(STATES,)),
    Case("mlm-untied-plain", "mlm-untied", MLM, 2, 9,
         "the decoder has weight and bias of its own (4.57 has one bias for both names)",
         labels="tokens", keep=(LAYER,)),
    Case("mlm-untied-right", "mlm-untied", MLM, 2, 17, "bf16 archive with padding", mask="right",
         keep=(MAPS,)),
    Case("mlm-decoder-only-plain", "mlm-decoder-only", MLM, 2, 8,
         "tied from the decoder's side, eps 0.05", labels="tokens", keep=(STATES,)),
    Case("mlm-both-sides-plain", "mlm-both-sides", MLM, 1, 17, "F64 archive", extras=("types",),
         labels="tokens"),
    Case("mlm-both-sides-left", "mlm-both-sides", MLM, 3, 5, "left padding", mask="left",
         labels="tokens"),
    Case("mlm-legacy-plain", "mlm-legacy", MLM, 2, 5, "strided tensors", labels="tokens",
         keep=(STATES, MAPS)),
    Case("mlm-legacy-bare", "mlm-legacy", BARE, 2, 8, "the bare model from a head's folder",
         mask="right"),
    Case("bare-deep-plain", "bare-deep", BARE, 2, 17, "three layers, one head of 7",
         keep=(STATES, MAPS, LAYER)),
    Case("bare-deep-one", "bare-deep", BARE, 4, 1, "four texts of one token", keep=(STATES,)),
    Case("bare-deep-embeds", "bare-deep", BARE, 1, 5, "embeddings given", extras=("embeds",)),
    Case("bare-deep-holes", "bare-deep", BARE, 4, 17, "a mask with holes", mask="holes"),
    Case("classes-plain", "sequence-classes", SEQUENCE, 3, 8, "whole-number labels: cross entropy",
         labels="classes", keep=(STATES, MAPS, LAYER)),
    Case("classes-floats", "sequence-classes", SEQUENCE, 2, 5,
         "the same model with float labels: binary cross entropy", labels="floats"),
    Case("classes-left", "sequence-classes", SEQUENCE, 2, 17, "left padding: token 0 is padding",
         mask="left", labels="classes"),
    Case("regression-plain", "sequence-regression", SEQUENCE, 3, 5, "mean squared error",
         labels="floats"),
    Case("regression-one", "sequence-regression", SEQUENCE, 1, 17, "a batch of one",
         labels="floats", keep=(MAPS,)),
    Case("regressions-plain", "sequence-regressions", SEQUENCE, 2, 8, "three targets",
         labels="floats"),
    Case("regressions-right", "sequence-regressions", SEQUENCE, 4, 5, "three targets with padding",
         mask="right", extras=("types",), labels="floats"),
    Case("multi-label-plain", "sequence-multi-label", SEQUENCE, 3, 9, "binary cross entropy",
         labels="floats", keep=(STATES, LAYER)),
    Case("multi-label-holes", "sequence-multi-label", SEQUENCE, 2, 17, "a mask with holes",
         mask="holes"),
    Case("choice-plain", "choice-exact", CHOICE, 2, 8, "three choices", choices=3, labels="choices",
         keep=(STATES, MAPS, LAYER)),
    Case("choice-right", "choice-exact", CHOICE, 1, 17, "four choices with padding", choices=4,
         mask="right", extras=("types",), labels="choices"),
    Case("choice-one", "choice-exact", CHOICE, 3, 5, "one choice: the loss is 0", choices=1,
         labels="choices"),
    Case("choice-embeds", "choice-exact", CHOICE, 2, 5,
         "embeddings of shape (batch, choices, n, hidden)", choices=2,
         extras=("embeds", "positions"), labels="choices"),
    Case("token-plain", "token-exact", TOKEN, 2, 9, "labels with -100", labels="tokens",
         keep=(STATES, MAPS)),
    Case("token-right", "token-exact", TOKEN, 4, 17, "right padding", mask="right",
         extras=("types",), labels="tokens"),
    Case("token-ignored", "token-exact", TOKEN, 2, 5, "every label is -100: the loss is NaN",
         labels="ignored"),
    Case("answer-plain", "answer-exact", ANSWER, 2, 17, "start and end inside", labels="spans",
         keep=(STATES, MAPS)),
    Case("answer-outside", "answer-exact", ANSWER, 4, 9,
         "positions outside: below 0 become 0, n and above are ignored",
         labels="spans-outside"),
    Case("answer-left", "answer-exact", ANSWER, 3, 8, "left padding", mask="left",
         extras=("types", "positions")),
    Case("answer-wide-exact", "answer-wide", ANSWER, 2, 17, "exact attention by option",
         attention="exact", keep=(MAPS,)),
]

NYSTROM = [
    Case("mlm-nystrom-plain", "mlm-nystrom", MLM, 2, 8,
         "segments of two, one start value for the batch", labels="tokens",
         keep=(STATES, MAPS, LAYER)),
    Case("mlm-nystrom-right", "mlm-nystrom", MLM, 3, 8,
         "right padding: landmarks average padding too", mask="right", labels="tokens",
         keep=(STATES, MAPS, LAYER)),
    Case("mlm-nystrom-left", "mlm-nystrom", MLM, 2, 8, "left padding", mask="left",
         extras=("types",)),
    Case("mlm-nystrom-holes", "mlm-nystrom", MLM, 4, 8, "a mask with holes", mask="holes",
         keep=(STATES,)),
    Case("mlm-nystrom-empty-row", "mlm-nystrom", MLM, 3, 8, "a fully masked row", mask="empty",
         keep=(MAPS,)),
    Case("mlm-nystrom-bare", "mlm-nystrom", BARE, 1, 8, "the bare model", extras=("embeds",),
         keep=(STATES,)),
    Case("bare-nystrom-plain", "bare-nystrom", BARE, 1, 64, "eight landmarks over 64 tokens",
         keep=(LAYER,)),
    Case("bare-nystrom-right", "bare-nystrom", BARE, 2, 64, "right padding", mask="right"),
    Case("single-nystrom", "sequence-single", SEQUENCE, 2, 64, "cross entropy by problem_type",
         labels="classes"),
    Case("single-nystrom-holes", "sequence-single", SEQUENCE, 3, 64, "a mask with holes",
         mask="holes", labels="classes"),
    Case("choice-nystrom-plain", "choice-nystrom", CHOICE, 2, 16,
         "the start value spans all choices", choices=2, labels="choices", keep=(STATES, LAYER)),
    Case("choice-nystrom-left", "choice-nystrom", CHOICE, 1, 16, "left padding", choices=3,
         mask="left", labels="choices"),
    Case("token-nystrom-plain", "token-nystrom", TOKEN, 3, 5, "one landmark", labels="tokens",
         keep=(STATES, MAPS, LAYER)),
    Case("token-nystrom-right", "token-nystrom", TOKEN, 2, 5, "one landmark with padding",
         mask="right", labels="tokens"),
    Case("answer-nystrom-plain", "answer-nystrom", ANSWER, 1, 64,
         "no convolution, linear activation", labels="spans"),
    Case("answer-nystrom-right", "answer-nystrom", ANSWER, 2, 64, "right padding", mask="right",
         labels="spans"),
    Case("answer-wide-plain", "answer-wide", ANSWER, 4, 17, "three layers", labels="spans-outside",
         keep=(STATES,)),
    Case("mlm-matrix-plain", "mlm-matrix", MLM, 2, 64,
         "a start value for each matrix, by the config", keep=(MAPS,)),
    Case("mlm-matrix-right", "mlm-matrix", MLM, 2, 64, "the same with padding", mask="right",
         labels="tokens"),
    Case("bare-matrix-plain", "bare-matrix", BARE, 3, 16,
         "a start value for each matrix, by the config", keep=(STATES, MAPS, LAYER)),
    Case("bare-matrix-batch", "bare-matrix", BARE, 3, 16, "the option overrides the config",
         inverse="batch"),
]

FLEXIBLE = [
    Case("uneven-17-over-4", "mlm-exact", MLM, 2, 17, "segments 4 4 4 5", attention="nystrom",
         num_landmarks=4, keep=(STATES, MAPS, LAYER)),
    Case("uneven-17-over-8", "mlm-exact", MLM, 2, 17, "segments 2 2 2 2 2 2 2 3, right padding",
         mask="right", attention="nystrom", num_landmarks=8, labels="tokens"),
    Case("uneven-9-over-8", "bare-deep", BARE, 1, 9, "one segment of two, the last",
         attention="nystrom", num_landmarks=8, keep=(STATES, MAPS)),
    Case("uneven-65-over-8", "mlm-exact", MLM, 1, 65, "seven segments of 8 and one of 9",
         attention="nystrom", num_landmarks=8),
    Case("even-64-over-8", "mlm-exact", MLM, 2, 64, "even segments by option", attention="nystrom",
         num_landmarks=8, inverse="sequence"),
    Case("one-landmark", "token-exact", TOKEN, 2, 17, "one segment", attention="nystrom",
         num_landmarks=1),
    Case("short-is-exact", "mlm-exact", MLM, 2, 8, "n = num_landmarks: exact attention",
         attention="nystrom", num_landmarks=8, keep=(MAPS,)),
    Case("shorter-is-exact", "mlm-nystrom", MLM, 2, 3,
         "n < num_landmarks of a Nystrom config: exact attention", keep=(STATES, MAPS)),
    Case("config-uneven", "mlm-nystrom", MLM, 2, 7,
         "a Nystrom config, n below segment_means_seq_len", labels="tokens", keep=(MAPS,)),
    Case("config-longer", "mlm-nystrom", MLM, 2, 21,
         "a Nystrom config, n above segment_means_seq_len", mask="left"),
    Case("config-double", "mlm-nystrom", MLM, 1, 16,
         "n = 2 * segment_means_seq_len: transformers is wrong with one layer and batch 1"),
    Case("sequence-start", "choice-nystrom", CHOICE, 2, 16, "a start value for each sequence",
         choices=2, inverse="sequence", labels="choices", keep=(LAYER,)),
    Case("sequence-start-holes", "mlm-nystrom", MLM, 4, 8, "a start value for each sequence",
         mask="holes", inverse="sequence", keep=(STATES, MAPS)),
    Case("matrix-start", "mlm-nystrom", MLM, 3, 8, "a start value for each matrix, by option",
         inverse="matrix", keep=(LAYER,)),
    Case("no-iterations", "mlm-nystrom", MLM, 2, 8, "the start value alone", iterations=0,
         keep=(MAPS,)),
    Case("one-iteration", "bare-matrix", BARE, 2, 17, "one iteration", iterations=1, keep=(MAPS,)),
    Case("ten-iterations", "mlm-nystrom", MLM, 2, 11, "ten iterations", iterations=10,
         inverse="sequence"),
    Case("exact-by-option", "mlm-nystrom", MLM, 2, 13, "exact attention of a Nystrom config",
         attention="exact", mask="right"),
]

# fmt: on
CASES = EXACT + NYSTROM + FLEXIBLE
