# SPDX-License-Identifier: MIT
"""Writes tiny random BERTs and RoBERTas and what transformers says of them, for convert_test.cpp.

    python tests/reference/conversions.py         # writes tests/reference/conversions anew

Needs the packages of tests/live/requirements.txt. Each folder of tests/reference/conversions is a
Hugging Face folder (config.json and weights of some kind) and, beside it, expected.safetensors:

    input.input_ids, input.token_type_ids   the tokens of several texts, one after another; I64
    input.offsets                           where each text begins, and the end of the last; I64
    expected.hidden_states.I                F64 (tokens, hidden), of one padded batch without its padding
    expected.logits, .start_logits, .end_logits   F64, of the classes that have them
"""

import shutil
import zlib
from pathlib import Path

import numpy
import safetensors.torch
import torch
import transformers

import tensors
from random_models import draw_parameters, old_names

DATA = Path(__file__).parent / "conversions"
SMALL = dict(
    vocab_size=40,
    hidden_size=12,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=20,
    max_position_embeddings=24,
    layer_norm_eps=1e-12,
)
F32, F16, BF16 = torch.float32, torch.float16, torch.bfloat16

# name: class, config entries, dtype, file
MODELS = {
    "bert": ("BertModel", dict(), F32, "safetensors"),
    "bert-scoped": ("BertModel", dict(hidden_act="gelu_new", type_vocab_size=3), BF16, "scoped"),
    "bert-words": ("BertForMaskedLM", dict(), F32, "old"),
    "bert-pretraining": ("BertForPreTraining", dict(hidden_act="relu"), F16, "safetensors"),
    "bert-untied": ("BertForMaskedLM", dict(tie_word_embeddings=False), F32, "safetensors"),
    "bert-classes": (
        "BertForSequenceClassification",
        dict(hidden_act="tanh", num_labels=3),
        F32,
        "bin",
    ),
    "bert-tags": ("BertForTokenClassification", dict(num_labels=5), F32, "safetensors"),
    "bert-answers": ("BertForQuestionAnswering", dict(), F32, "bin"),
    "roberta": ("RobertaModel", dict(type_vocab_size=1), F32, "bin"),
    "roberta-padding": ("RobertaModel", dict(pad_token_id=5), F32, "safetensors"),
    "roberta-first": ("RobertaModel", dict(pad_token_id=0), F32, "safetensors"),
    "roberta-words": ("RobertaForMaskedLM", dict(type_vocab_size=1), F32, "bin"),
    "roberta-untied": ("RobertaForMaskedLM", dict(tie_word_embeddings=False), F32, "safetensors"),
    "roberta-classes": (
        "RobertaForSequenceClassification",
        dict(hidden_act="tanh", num_labels=4),
        F32,
        "safetensors",
    ),
    "xlm-roberta-classes": (
        "XLMRobertaForSequenceClassification",
        dict(hidden_act="tanh", num_labels=1, type_vocab_size=1),
        F32,
        "bin",
    ),
    "xlm-roberta-answers": ("XLMRobertaForQuestionAnswering", dict(), F32, "safetensors"),
    "camembert-words": ("CamembertForMaskedLM", dict(type_vocab_size=1), F32, "safetensors"),
    "camembert-tags": (
        "CamembertForTokenClassification",
        dict(num_labels=3, hidden_act="silu"),
        F32,
        "bin",
    ),
}


def make_model(name):
    """The model with every parameter drawn at random and rounded to its stored type, in float64."""
    class_name, entries, dtype, _ = MODELS[name]
    model_class = getattr(transformers, class_name)
    config = model_class.config_class(**{**SMALL, **entries}, attn_implementation="eager")
    config.architectures = [class_name]
    model = model_class(config)
    draw_parameters(model, name)
    model.config.dtype = dtype
    return model.to(dtype).eval()


def save_model(name, model, folder):
    """Writes the folder: by save_pretrained, or as other writers do."""
    kind = MODELS[name][3]
    if kind == "safetensors":
        model.save_pretrained(folder)
        return
    model.config.save_pretrained(folder)
    state = dict(model.state_dict())
    if kind == "scoped":  # as in the files of a head, with the head's name gone from config.json
        state = {f"bert.{key}": tensor for key, tensor in state.items()}
        safetensors.torch.save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
        return
    torch.save(old_names(state) if kind == "old" else state, folder / "pytorch_model.bin")


def draw_input(name, config):
    """Texts of the greatest length, of some and of one token; none holds the padding's id."""
    generator = numpy.random.default_rng(zlib.crc32(f"input of {name}".encode()))
    first = 0 if config.model_type == "bert" else config.pad_token_id + 1
    lengths = [config.max_position_embeddings - first, 6, 1]
    choices = [i for i in range(config.vocab_size) if i != config.pad_token_id]
    ids = [generator.choice(choices, length) for length in lengths]
    types = [generator.integers(0, config.type_vocab_size, length) for length in lengths]
    return lengths, ids, types


def padded(rows, length, value):
    return torch.tensor([[*row, *[value] * (length - len(row))] for row in rows])


def expected(model, lengths, ids, types):
    """The outputs for the tokens that are no padding, text after text."""
    mask = padded([[1] * length for length in lengths], lengths[0], 0)
    with torch.no_grad():
        output = model.double()(
            input_ids=padded(ids, lengths[0], model.config.pad_token_id),
            token_type_ids=padded(types, lengths[0], 0),
            attention_mask=mask,
            output_hidden_states=True,
        )
    real = mask.bool()
    found = {f"hidden_states.{i}": state[real] for i, state in enumerate(output.hidden_states)}
    for key in ("logits", "prediction_logits", "start_logits", "end_logits"):
        logits = getattr(output, key, None)
        if logits is None:
            continue
        per_token = logits.shape[:2] == real.shape
        found[key.removeprefix("prediction_")] = logits[real] if per_token else logits
    return found


def main():
    shutil.rmtree(DATA, ignore_errors=True)
    for name in MODELS:
        folder = DATA / name
        folder.mkdir(parents=True)
        model = make_model(name)
        save_model(name, model, folder)
        (folder / "generation_config.json").unlink(missing_ok=True)
        lengths, ids, types = draw_input(name, model.config)
        found = {
            "input.input_ids": torch.tensor(numpy.concatenate(ids)),
            "input.token_type_ids": torch.tensor(numpy.concatenate(types)),
            "input.offsets": torch.tensor([0, *numpy.cumsum(lengths)]),
        }
        found |= {f"expected.{key}": value for key, value in expected(model, lengths, ids, types).items()}
        tensors.save(folder / "expected.safetensors", found, {"class": MODELS[name][0]})
        print(name, sorted(key for key in found if "logits" in key))


if __name__ == "__main__":
    main()
