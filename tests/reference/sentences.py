# SPDX-License-Identifier: MIT
"""Writes what sentence-transformers answers for tiny random folders, for embedding_test.cpp.

    python tests/reference/sentences.py       # also wants sentence-transformers 6.2.0

Writes tests/reference/sentences/FOLDER (a Nystromformer of one layer with a tokenizer of a few
hundred pieces, and the modules of sentence-transformers) and sentences.json beside them: `texts`,
and `cases`, each with `folder`, `method` (encode, encode_query or encode_document), `options`
(their arguments) and `output`, an embedding for each text; `similarity`, the scores of the first
case of each folder among its own embeddings; `features`, what transformers' feature-extraction
returns for each text; `activations`, the first five columns of "dense" by its activation_function.
"""

import json
import shutil
import tempfile
import zlib
from pathlib import Path

import numpy
import sentence_transformers
import torch
import transformers
from sentence_transformers.sentence_transformer import modules

import pipelines

DATA = Path(__file__).parent / "sentences"
TEXTS = [
    "She opened the door and walked into the garden.",
    "Mr. Smith of London met the Queen in Paris; NOBODY knew why.",
    "  two  spaces,\ttabs\nand lines ",
    "O",
    "",
    pipelines.LONG,
]
HIDDEN = 8
OLD_NAMES = {
    "cls": "pooling_mode_cls_token",
    "max": "pooling_mode_max_tokens",
    "mean": "pooling_mode_mean_tokens",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
    "weightedmean": "pooling_mode_weightedmean_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}
PROMPTS = {"query": "find: ", "document": "the text: ", "long": "an old man said: ", "none": None}


def dense(out, activation, **options):
    return lambda width: modules.Dense(width, out, activation_function=activation, **options)


def normalize(_width):
    return modules.Normalize()


def layer_norm(width):
    return modules.LayerNorm(width)


def dropout(_width):
    return modules.Dropout(0.3)


nn = torch.nn
# folder: pooling modes, modules after it, similarity, what is changed in its files
FOLDERS = {
    "plain": (None, [], None, {}),
    "cls": (["cls"], [], "dot", {}),
    "max": (["max"], [normalize], "euclidean", {}),
    "mean": (["mean"], [normalize], "cosine", {"prompts": True}),
    "mean-sqrt": (["mean_sqrt_len_tokens"], [], "manhattan", {"old": True}),
    "weighted": (["weightedmean"], [dropout, normalize], None, {"prompts": True, "exclude": True}),
    "last": (["lasttoken"], [], None, {"prompts": True, "exclude": True, "old": True}),
    "last-cls": (["lasttoken", "cls"], [], None, {"prompts": True, "exclude": True}),
    "all-old": (list(OLD_NAMES), [], None, {"old": True}),
    "all-new": (list(reversed(OLD_NAMES)), [], None, {"prompts": True, "exclude": True}),
    "dense": (["mean"], [dense(5, nn.Tanh()), normalize], None, {"truncate_dim": 3}),
    "dense-many": (
        ["mean", "max"],
        [
            dense(16, nn.GELU(), use_residual=True),
            dense(6, nn.ReLU(), bias=False, use_residual=True),
            layer_norm,
            dense(7, nn.SiLU()),
            dense(7, nn.Sigmoid()),
            dense(9, nn.Mish()),
            dense(4, None),
        ],
        None,
        {"torch": True},
    ),
    "lower": (["mean"], [], None, {"limits": {"max_seq_length": 20, "do_lower_case": True}}),
    # Where the left side is cut, the prompt is, too, and yet as many tokens are left out for it.
    "cut-left": (["mean", "cls"], [], None, {"prompts": True, "exclude": True, "left": True}),
    "moved": (["mean"], [], None, {"moved": True, "limits": {"max_seq_length": 80}}),
    "prelu": (["mean"], [dense(6, nn.PReLU())], "maxsim", {"paths": "./parts//{}/"}),
    "glu": (["mean"], [dense(6, nn.GLU())], None, {"paths": "{}/"}),
}
# Classes that the Dense of "dense" may have instead of its own.
ACTIVATIONS = [
    *("CELU", "ELU", "GELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "LeakyReLU"),
    *("LogSigmoid", "LogSoftmax", "Mish", "RReLU", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid"),
    *("Softmax", "Softmin", "Softplus", "Softshrink", "Softsign", "Tanh", "Tanhshrink"),
]
ACTIVATIONS = [f"torch.nn.modules.activation.{name}" for name in ACTIVATIONS] + [
    *("torch.nn.Identity", "torch.nn.modules.linear.Identity", "torch.nn.modules.dropout.Dropout"),
    *("torch.nn.Dropout1d", "torch.nn.AlphaDropout", "torch.nn.Flatten", "torch.nn.ELU"),
]


def randomize(model, name, spread):
    generator = numpy.random.default_rng(zlib.crc32(name.encode()))
    for parameter_name, parameter in sorted(model.named_parameters()):
        centre = 1.0 if "orm.weight" in parameter_name else 0.0
        values = centre + spread * generator.standard_normal(tuple(parameter.shape))
        parameter.data.copy_(torch.from_numpy(numpy.asarray(values)))


def keep_case(folder):
    """A tokenizer that does not make letters lower case by itself."""
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    steps = tokenizer["normalizer"]["normalizers"]
    tokenizer["normalizer"]["normalizers"] = [s for s in steps if s["type"] != "Lowercase"]
    text = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text, encoding="utf-8")
    config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    # The class of the bundled tokenizer would be built anew by transformers, lower case and all.
    config.update({"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": False})
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")


def write_encoder(folder, name):
    folder.mkdir(parents=True)
    config = transformers.NystromformerConfig(
        vocab_size=pipelines.write_tokenizer(folder),
        hidden_size=HIDDEN,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=12,
        max_position_embeddings=pipelines.MAX_POSITIONS,
        conv_kernel_size=3,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
    )
    if name == "lower":
        keep_case(folder)
    if FOLDERS[name][3].get("left"):
        change(folder / "tokenizer_config.json", truncation_side="left")
    model = transformers.NystromformerModel(config)
    randomize(model, name, 0.5)
    model.to(torch.bfloat16).save_pretrained(folder)


def change(path, **values):
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    content.update(values)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def write_folder(name):
    modes, others, similarity, changes = FOLDERS[name]
    root = DATA / name
    paths = changes.get("paths", "{}")
    moved = changes.get("moved", False)
    write_encoder(root / "0_Transformer" if moved else root, name)
    if modes is None:
        return
    listed = [("Transformer", "0_Transformer" if moved else "")]
    pooling = root / paths.format("1_Pooling")
    pooling.mkdir(parents=True)
    if changes.get("old"):
        values = {"word_embedding_dimension": HIDDEN}
        values.update({old: mode in modes for mode, old in OLD_NAMES.items()})
    else:
        values = {"embedding_dimension": HIDDEN}
        values["pooling_mode"] = modes[0] if len(modes) == 1 else modes
    if changes.get("exclude"):
        values["include_prompt"] = False
    change(pooling / "config.json", **values)
    listed.append(("Pooling", paths.format("1_Pooling")))
    width = HIDDEN * len(modes)
    for make in others:
        module = make(width)
        path = paths.format(f"{len(listed)}_{type(module).__name__}")
        randomize(module, name + path, 0.5)
        (root / path).mkdir()
        module.save(str(root / path), safe_serialization=not changes.get("torch"))
        if type(module).__name__ == "Normalize":
            shutil.rmtree(root / path)  # as a git checkout, which keeps no empty folder
        width = getattr(module, "out_features", width)
        listed.append((type(module).__name__, path))
    old = "sentence_transformers.models."
    new = "sentence_transformers.sentence_transformer.modules."
    text = [
        {"idx": i, "name": str(i), "path": path, "type": (old if i % 2 else new) + kind}
        for i, (kind, path) in enumerate(listed)
    ]
    (root / "modules.json").write_text(json.dumps(text, indent=1) + "\n")
    config = {}
    if changes.get("prompts"):
        config["prompts"] = PROMPTS
    if name == "mean":
        config["default_prompt_name"] = "long"
    if similarity:
        config["similarity_fn_name"] = similarity
    if "truncate_dim" in changes:
        config["truncate_dim"] = changes["truncate_dim"]
    if config:
        change(root / "config_sentence_transformers.json", **config)
    if "limits" in changes:
        path = root / "0_Transformer" if moved else root
        change(path / "sentence_bert_config.json", **changes["limits"])


def calls(name):
    """Methods and options that a folder is asked with."""
    yield "encode", {}
    yield "encode", {"normalize_embeddings": True}
    yield "encode", {"truncate_dim": 2}
    yield "encode", {"truncate_dim": 3, "normalize_embeddings": True}
    if FOLDERS[name][3].get("prompts"):
        for prompt_name in PROMPTS:
            yield "encode", {"prompt_name": prompt_name}
        yield "encode", {"prompt": "A sea story: "}
        yield "encode", {"prompt": ""}
        yield "encode_query", {}
        yield "encode_document", {}


def alone(method, options):
    """Each text by itself: padding changes a Nystromformer's states."""
    return numpy.stack([method(text, convert_to_numpy=True, **options) for text in TEXTS])


def with_activations():
    """The embeddings of "dense" with each class in the place of its own."""
    for name in ACTIVATIONS:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(DATA / "dense", folder, dirs_exist_ok=True)
            change(Path(folder) / "2_Dense" / "config.json", activation_function=name)
            model = sentence_transformers.SentenceTransformer(
                folder, model_kwargs={"dtype": torch.float32}, device="cpu"
            )
            yield name, listed(alone(model.encode, {"truncate_dim": 5}))


def listed(array):
    return [[float(f"{value:.8g}") for value in row] for row in array.tolist()]


def main():
    transformers.logging.set_verbosity_error()
    shutil.rmtree(DATA, ignore_errors=True)
    cases, similarities = [], {}
    for name in FOLDERS:
        write_folder(name)
        model = sentence_transformers.SentenceTransformer(
            str(DATA / name), model_kwargs={"dtype": torch.float32}, device="cpu"
        )
        for method, options in calls(name):
            embeddings = alone(getattr(model, method), options)
            case = {"folder": name, "method": method, "options": options}
            cases.append({**case, "output": listed(embeddings)})
            if name not in similarities:
                similarities[name] = listed(model.similarity(embeddings, embeddings))
    extract = transformers.pipeline(
        "feature-extraction",
        model=transformers.NystromformerModel.from_pretrained(DATA / "plain", dtype=torch.float32),
        tokenizer=transformers.AutoTokenizer.from_pretrained(DATA / "plain"),
    )
    features = [[listed(numpy.asarray(extract(text, truncation=True)[0]))] for text in TEXTS]
    text = json.dumps(
        {
            "texts": TEXTS,
            "similarity": similarities,
            "features": features,
            "activations": dict(with_activations()),
        },
        ensure_ascii=False,
    )
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    (DATA / "sentences.json").write_text(
        f'{text[:-1]},\n"cases": [\n{lines}\n]}}\n', encoding="utf-8"
    )
    size = sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file())
    print(f"{len(cases)} cases of {len(FOLDERS)} folders, {size / 1e3:.0f} kB below {DATA}")


if __name__ == "__main__":
    main()
