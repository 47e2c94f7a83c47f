# SPDX-License-Identifier: MIT
"""Writes what sentence-transformers' CrossEncoder answers, for rerank_test.cpp.

    python tests/reference/rerank.py          # also wants sentence-transformers 6.2.0

Writes tests/reference/rerank/FOLDER, those of pipelines.py with smaller weights of the head ("single"
has one label, "classes" has four), and rerank.json beside them: `query` and `texts`, and `cases`, each with `folder`, `changes` (what is
merged into its files), `method` (rank or predict),
`options` (their arguments; activation_fn by its name) and `output`.
"""

import json
import shutil
import tempfile
from pathlib import Path

import safetensors.torch
import sentence_transformers
import torch
import transformers

import pipelines

HERE = Path(__file__).parent
DATA = HERE / "rerank"
QUERY = "Who told of whales and birds?"
TEXTS = ["The old man by the fire.", "", "She opened the door.", "  Birds,\tbirds ", pipelines.LONG * 2]
IDENTITY = "torch.nn.modules.linear.Identity"
MODULES = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.base.modules.transformer.Transformer"}]
TASK = {"transformer_task": "sequence-classification", "module_output_name": "scores",
        "modality_config": {"text": {"method": "forward", "method_output_name": "logits"}}}
SAVED = {"model_type": "CrossEncoder", "activation_fn": IDENTITY,
         "prompts": {"web": "search the web: "}, "default_prompt_name": None}


def saved(**values):
    """A folder as sentence-transformers 6 writes it."""
    return {"modules.json": MODULES, "sentence_bert_config.json": TASK,
            "config_sentence_transformers.json": {**SAVED, **values}}


CASES = [
    ("single", {}, "rank", {}),
    ("single", {}, "rank", {"top_k": 2, "activation_fn": "identity"}),
    ("single", {}, "predict", {"apply_softmax": True}),
    ("single", {"config.json": {"sentence_transformers": {"activation_fn": IDENTITY}}}, "rank", {}),
    ("single", {"config.json": {"sentence_transformers": {"activation_fn": IDENTITY}}}, "rank",
     {"activation_fn": "sigmoid"}),
    ("single", {"config.json": {"sentence_transformers": {"version": "4.1.0"},
                                "sbert_ce_default_activation_function": "torch.nn.Tanh"}}, "rank", {}),
    ("single", {"config.json": {"sbert_ce_default_activation_function": None}}, "rank", {}),
    ("single", {"config.json": {"sentence_transformers": {"activation_fn": "our.own.Function"}}}, "rank", {}),
    ("single", {"config.json": {"sentence_transformers": {"activation_fn": "torch.nn.modules.activation.Softplus"}}},
     "predict", {}),
    ("single", saved(), "rank", {}),
    ("single", saved(), "rank", {"prompt_name": "web"}),
    ("single", saved(default_prompt_name="web"), "predict", {}),
    ("single", saved(default_prompt_name="web"), "predict", {"prompt": ""}),
    ("single", {**saved(activation_fn=None), "sentence_bert_config.json": {**TASK, "max_seq_length": 24}}, "rank", {}),
    ("classes", {}, "predict", {}),
    ("classes", {}, "predict", {"apply_softmax": True}),
    ("classes", {"config.json": {"sentence_transformers": {"activation_fn": "torch.nn.Sigmoid"}}}, "predict", {}),
    ("classes", {"config.json": {"sentence_transformers": {"activation_fn": "torch.nn.Softmax"}}}, "predict", {}),
]
FUNCTIONS = {"identity": torch.nn.Identity(), "sigmoid": torch.nn.Sigmoid()}


def write_folder(name):
    """Scores of a head with the weights as they are would all be 1."""
    shutil.copytree(HERE / "pipelines" / name, DATA / name)
    path = DATA / name / "model.safetensors"
    weights = safetensors.torch.load_file(path)
    weights["classifier.out_proj.weight"] *= 0.04
    safetensors.torch.save_file(weights, path, {"format": "pt"})


def changed(root, name, changes):
    folder = root / "model"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DATA / name, folder)
    for file, values in changes.items():
        path = folder / file
        if path.exists():
            values = {**json.loads(path.read_text(encoding="utf-8")), **values}
        path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    return folder


def answer(model, method, options):
    options = dict(options)
    if "activation_fn" in options:
        options["activation_fn"] = FUNCTIONS[options["activation_fn"]]
    # Each text by itself: padding changes a Nystromformer's states.
    softmax = {"apply_softmax": options.pop("apply_softmax")} if "apply_softmax" in options else {}
    top_k = options.pop("top_k", None)
    rows = [model.predict([[QUERY, text]], **softmax, **options)[0].tolist() for text in TEXTS]
    if method == "predict":
        return [row if isinstance(row, list) else [row] for row in rows]
    ranked = [model.rank(QUERY, [text], **options)[0]["score"] for text in TEXTS]
    assert ranked == rows
    order = sorted(range(len(TEXTS)), key=lambda i: ranked[i], reverse=True)
    return [{"corpus_id": i, "score": ranked[i]} for i in order][:top_k]


def main():
    transformers.logging.set_verbosity_error()
    lines = []
    shutil.rmtree(DATA, ignore_errors=True)
    for name in ("single", "classes"):
        write_folder(name)
    with tempfile.TemporaryDirectory() as root:
        for name, changes, method, options in CASES:
            model = sentence_transformers.CrossEncoder(
                str(changed(Path(root), name, changes)), model_kwargs={"dtype": torch.float32}, device="cpu")
            case = {"folder": name, "changes": changes, "method": method, "options": options}
            lines.append(json.dumps({**case, "output": answer(model, method, options)}))
    head = json.dumps({"query": QUERY, "texts": TEXTS})
    text = ",\n".join(lines)
    (DATA / "rerank.json").write_text(f'{head[:-1]},\n"cases": [\n{text}\n]}}\n', encoding="utf-8")
    print(f"{len(lines)} cases")


if __name__ == "__main__":
    main()
