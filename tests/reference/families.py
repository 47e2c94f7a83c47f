# SPDX-License-Identifier: MIT
"""Writes tiny random BERTs of every family and head and what transformers says of them, for family_test.cpp.

    python tests/reference/families.py         # writes tests/reference/families anew

Needs the packages of tests/live/requirements.txt. Each folder of tests/reference/families is a Hugging Face folder
(config.json and weights of some kind) and, beside it, expected.safetensors:

    input.input_ids, input.token_type_ids   the tokens of several texts, one after another; I64
    input.offsets                           where each text begins, and the end of the last; I64
    expected.last_hidden_state              F64 (tokens, hidden), of each text alone; some texts hold the padding's id
    expected.logits, .start_logits, .end_logits   F64, of the classes that have them
"""

import json
import shutil
import zlib
from pathlib import Path

import numpy
import safetensors.torch
import torch
import transformers

import tensors
from random_models import draw_parameters, old_names

DATA = Path(__file__).parent / "families"
COMMON = dict(vocab_size=40, max_position_embeddings=24)
BERT = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=20, layer_norm_eps=1e-12)
DISTILBERT = dict(dim=16, n_layers=1, n_heads=2, hidden_dim=20)

# prefix of the classes: config entries
FAMILIES = {
    "Bert": BERT,
    "Roberta": BERT | dict(type_vocab_size=1),
    "XLMRoberta": BERT | dict(type_vocab_size=1, layer_norm_eps=1e-5),
    "Camembert": BERT | dict(pad_token_id=3),
    "DistilBert": DISTILBERT,
    "Electra": BERT | dict(embedding_size=12),
}
HEADS = {
    "model": ("Model", dict()),
    "words": ("ForMaskedLM", dict()),
    "classes": ("ForSequenceClassification", dict(num_labels=3)),
    "choices": ("ForMultipleChoice", dict()),
    "tags": ("ForTokenClassification", dict(num_labels=5)),
    "answers": ("ForQuestionAnswering", dict()),
}
# name: class, config entries, how it is written. Besides every family with every head.
MODELS = {
    f"{family.lower()}-{head}": (family + suffix, entries | more, "safetensors")
    for family, entries in FAMILIES.items()
    for head, (suffix, more) in HEADS.items()
} | {
    "bert-old": ("BertForMaskedLM", BERT | dict(hidden_act="relu"), "old"),
    "bert-pretraining": ("BertForPreTraining", BERT, "bin"),
    "bert-untied": ("BertForMaskedLM", BERT | dict(tie_word_embeddings=False), "safetensors"),
    "bert-scoped": ("BertModel", BERT | dict(hidden_act="gelu_new", type_vocab_size=3), "scoped"),
    "bert-unnamed": ("BertForSequenceClassification", BERT, "unnamed"),
    "roberta-first": ("RobertaForSequenceClassification", BERT | dict(pad_token_id=0, hidden_act="silu"), "bin"),
    "roberta-untied": ("RobertaForMaskedLM", BERT | dict(tie_word_embeddings=False, hidden_act="relu"), "bin"),
    "distilbert-relu": ("DistilBertForMaskedLM", DISTILBERT | dict(activation="relu"), "bin"),
    "distilbert-sinusoidal": ("DistilBertForTokenClassification", DISTILBERT | dict(sinusoidal_pos_embds=True), "bin"),
    "electra-square": ("ElectraForMaskedLM", BERT | dict(embedding_size=16, hidden_act="relu"), "bin"),
    "electra-tanh": ("ElectraForMultipleChoice", BERT | dict(embedding_size=16, summary_activation="tanh"), "bin"),
}


def make_model(name):
    """The model with every parameter drawn at random and rounded to F16, in which it is stored."""
    class_name, entries, _ = MODELS[name]
    model_class = getattr(transformers, class_name)
    config = model_class.config_class(**{**COMMON, **entries}, attn_implementation="eager")
    config.architectures = [class_name]
    model = model_class(config)
    draw_parameters(model, name)
    model.config.dtype = torch.float16
    return model.to(torch.float16).eval()


def save_model(kind, model, folder):
    """Writes the folder: by save_pretrained, or as other writers do."""
    if kind == "safetensors":
        model.save_pretrained(folder)
        return
    model.config.save_pretrained(folder)
    state = dict(model.state_dict())
    if kind == "unnamed":  # a config.json that names no class
        config = json.loads((folder / "config.json").read_text())
        del config["architectures"]
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    if kind == "scoped":  # as in the files of a head, with the head's name gone from config.json
        state = {f"bert.{key}": tensor for key, tensor in state.items()}
    if kind in ("scoped", "unnamed"):
        safetensors.torch.save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
        return
    torch.save(old_names(state) if kind == "old" else state, folder / "pytorch_model.bin")


def draw_input(name, config):
    """Texts of the greatest length, of some and of one token; the second holds the padding's id."""
    generator = numpy.random.default_rng(zlib.crc32(f"input of {name}".encode()))
    is_roberta = "roberta" in config.model_type or config.model_type == "camembert"
    lengths = [config.max_position_embeddings - (config.pad_token_id + 1 if is_roberta else 0), 6, 1]
    choices = [i for i in range(config.vocab_size) if i != config.pad_token_id]
    ids = [generator.choice(choices, length) for length in lengths]
    ids[1][2] = ids[1][4] = config.pad_token_id
    types = [generator.integers(0, getattr(config, "type_vocab_size", 1), length) for length in lengths]
    return lengths, ids, types


def expected(model, ids, types):
    """The outputs for each text alone, one after another."""
    found = {}
    has_choices = "MultipleChoice" in type(model).__name__
    for text, of_text in zip(ids, types):
        inputs = {"input_ids": torch.tensor(text)[None], "token_type_ids": torch.tensor(of_text)[None]}
        if model.config.model_type == "distilbert":
            del inputs["token_type_ids"]
        if has_choices:
            inputs = {key: value[None] for key, value in inputs.items()}
        with torch.no_grad():
            output = model.double()(**inputs, output_hidden_states=True)
        found.setdefault("last_hidden_state", []).append(output.hidden_states[-1][0])
        for key in ("logits", "prediction_logits", "start_logits", "end_logits"):
            if getattr(output, key, None) is None:
                continue
            logits = output[key]
            logits = logits[0] if logits.dim() == 3 or "start" in key or "end" in key else logits
            found.setdefault(key.removeprefix("prediction_"), []).append(logits)
    return {key: torch.cat(values) for key, values in found.items()}


def main():
    shutil.rmtree(DATA, ignore_errors=True)
    for name, (class_name, _, kind) in MODELS.items():
        folder = DATA / name
        folder.mkdir(parents=True)
        model = make_model(name)
        save_model(kind, model, folder)
        (folder / "generation_config.json").unlink(missing_ok=True)
        lengths, ids, types = draw_input(name, model.config)
        found = {
            "input.input_ids": torch.tensor(numpy.concatenate(ids)),
            "input.token_type_ids": torch.tensor(numpy.concatenate(types)),
            "input.offsets": torch.tensor([0, *numpy.cumsum(lengths)]),
        }
        found |= {f"expected.{key}": value for key, value in expected(model, ids, types).items()}
        tensors.save(folder / "expected.safetensors", found, {"class": class_name})
        print(name, {key: tuple(value.shape) for key, value in found.items() if "expected" in key})


if __name__ == "__main__":
    main()
