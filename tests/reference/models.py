# SPDX-License-Identifier: MIT
"""The tiny models: their configurations, their random weights, and the files they are stored in."""

import json
import shutil
import zlib
from dataclasses import dataclass, field

import numpy
import safetensors.torch
import torch

import oracle


@dataclass
class ModelSpec:
    """One folder below data/models."""

    name: str
    head: str
    config: dict
    dtype: torch.dtype = torch.float32
    files: str = "safetensors"  # safetensors | safetensors-shards | bin | bin-shards
    spread: float = (
        0.15  # standard deviation of every weight, bias and departure of a LayerNorm from 1
    )
    rewrite: str = ""  # a change to the state dict, one of REWRITES
    about: str = ""
    seed: int | None = None
    shard_bytes: int = 8000
    labels: dict = field(default_factory=dict)  # num_labels, problem_type


def make_config(spec):
    """The transformers config of a spec: small defaults, then what the spec says."""
    small = dict(
        vocab_size=48,
        hidden_size=12,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=20,
        max_position_embeddings=66,
        type_vocab_size=2,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
        initializer_range=spec.spread,
        hidden_act="gelu_new",
    )
    config = oracle.make_config({**small, **spec.config, **spec.labels})
    config.architectures = [oracle.HEADS[spec.head].__name__]
    return config


def make_model(spec):
    """The model with every parameter drawn at random and rounded to its stored type."""
    oracle.hf.NystromformerSelfAttention = oracle.ReferenceSelfAttention
    model = oracle.HEADS[spec.head](make_config(spec)).double()
    seed = zlib.crc32(spec.name.encode()) if spec.seed is None else spec.seed
    generator = numpy.random.default_rng(seed)
    for name, parameter in sorted(model.named_parameters()):
        centre = 1.0 if name.endswith("LayerNorm.weight") else 0.0
        values = centre + spec.spread * generator.standard_normal(tuple(parameter.shape))
        parameter.data.copy_(torch.from_numpy(numpy.asarray(values)))
    model.config.dtype = spec.dtype
    return model.to(spec.dtype).eval()


def decoder_only(state):
    """Keeps the decoder's side of the tied pairs and drops the other, as some converters do."""
    del state["nystromformer.embeddings.word_embeddings.weight"], state["cls.predictions.bias"]
    return state


def both_sides(state):
    """Keeps both names of each tied pair, as torch.save does, in tensors of their own."""
    return {name: tensor.clone() for name, tensor in state.items()}


def legacy(state):
    """What files of 2022 hold besides: position_ids, and tensors that are views of others.

    Matrices become transposed views (strides (1, rows)) and vectors slices of one common storage.
    """
    vectors = {name: tensor for name, tensor in state.items() if tensor.dim() == 1}
    common, start = torch.cat(list(vectors.values())), 0
    for name, tensor in state.items():
        if tensor.dim() == 2:
            state[name] = tensor.t().contiguous().t()
        elif tensor.dim() == 1:
            state[name] = common[start : start + tensor.numel()]
            start += tensor.numel()
    prefix = "nystromformer." if any(name.startswith("nystromformer.") for name in state) else ""
    positions = state[prefix + "embeddings.position_embeddings.weight"].shape[0] - 2
    state[prefix + "embeddings.position_ids"] = torch.arange(positions).expand((1, -1)) + 2
    return state


def mixed(state):
    """Stores each tensor in a type of its own."""
    dtypes = (torch.float32, torch.bfloat16, torch.float16, torch.float64)
    return {name: state[name].to(dtypes[i % 4]) for i, name in enumerate(sorted(state))}


REWRITES = {
    "decoder-only": decoder_only,
    "both-sides": both_sides,
    "legacy": legacy,
    "mixed": mixed,
}


def split_by_size(state, shard_bytes):
    """The state dict in pieces of at most `shard_bytes` (one tensor at least)."""
    shards, size = [{}], 0
    for name, tensor in state.items():
        size += tensor.nbytes
        if shards[-1] and size > shard_bytes:
            shards.append({})
            size = tensor.nbytes
        shards[-1][name] = tensor
    return shards


def save_bin(state, folder, shard_bytes):
    """pytorch_model.bin, or with `shard_bytes` pytorch_model-0000i-of-0000n.bin and their index."""
    if not shard_bytes:
        torch.save(state, folder / "pytorch_model.bin")
        return
    shards = split_by_size(state, shard_bytes)
    weight_map = {}
    for i, shard in enumerate(shards, 1):
        file = f"pytorch_model-{i:05}-of-{len(shards):05}.bin"
        torch.save(shard, folder / file)
        weight_map.update({name: file for name in shard})
    total = sum(tensor.nbytes for tensor in state.values())
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=2) + "\n")


def save_model(spec, folder):
    """Writes config.json and the weights; safetensors as transformers' own save_pretrained does."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model = make_model(spec)
    if spec.files.startswith("safetensors") and not spec.rewrite:
        size = spec.shard_bytes if spec.files.endswith("shards") else "1GB"
        model.save_pretrained(folder, max_shard_size=size)
        return
    model.config.save_pretrained(folder)
    state = dict(model.state_dict())
    if spec.rewrite:
        state = REWRITES[spec.rewrite](state)
    if spec.files == "safetensors":
        safetensors.torch.save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    else:
        save_bin(state, folder, spec.shard_bytes if spec.files.endswith("shards") else 0)


def shape(heads, head_dim, layers=2, **more):
    """Config entries of a model of `heads` heads of `head_dim`."""
    return dict(
        hidden_size=heads * head_dim, num_attention_heads=heads, num_hidden_layers=layers, **more
    )


def nystrom(landmarks, length, conv=65, **more):
    """Config entries that make transformers run Nystrom attention on inputs of `length` tokens."""
    return dict(
        num_landmarks=landmarks, segment_means_seq_len=length, conv_kernel_size=conv, **more
    )


F64, F32, F16, BF16 = torch.float64, torch.float32, torch.float16, torch.bfloat16
MLM, SEQUENCE, CHOICE = "masked-lm", "sequence-classification", "multiple-choice"
TOKEN, ANSWER, BARE = "token-classification", "question-answering", "model"

# fmt: off
MODELS = [
    ModelSpec("mlm-exact", MLM, shape(3, 4),
              about="the usual form: exact attention, tied decoder, convolution of 65"),
    ModelSpec("mlm-nystrom", MLM, shape(3, 4) | nystrom(4, 8, conv=3, hidden_act="gelu"),
              spread=0.3, files="safetensors-shards",
              about="Nystrom attention with segments of two"),
    ModelSpec("mlm-untied", MLM,
              shape(4, 4, conv_kernel_size=None, hidden_act="relu", tie_word_embeddings=False),
              BF16, "bin", about="a decoder of its own, bias included; no convolution"),
    ModelSpec("mlm-decoder-only", MLM, shape(1, 7, 1, hidden_act="silu", layer_norm_eps=0.05), F16,
              rewrite="decoder-only",
              about="the file names only the decoder's side of the tied pairs"),
    ModelSpec("mlm-both-sides", MLM, shape(3, 7, 1, conv_kernel_size=3, hidden_act="swish"), F64,
              "bin", rewrite="both-sides", about="the file holds both sides of the tied pairs"),
    ModelSpec("mlm-matrix", MLM,
              shape(3, 4) | nystrom(8, 64, hidden_act="gelu_new", inv_coeff_init_option=True),
              spread=0.4, about="inv_coeff_init_option: a start value for each matrix"),
    ModelSpec("mlm-legacy", MLM, shape(3, 4, 1, hidden_act="gelu_fast"), F32, "bin",
              rewrite="legacy", about="position_ids, transposed and sliced tensors in the archive"),
    ModelSpec("bare-deep", BARE,
              shape(1, 7, 3, conv_kernel_size=3, hidden_act="mish", type_vocab_size=1), F64,
              about="no prefix in the file, three layers, one head, one token type"),
    ModelSpec("bare-nystrom", BARE, shape(4, 4) | nystrom(8, 64, hidden_act="silu"), F16,
              "bin-shards", spread=0.3, about="half precision in several archives"),
    ModelSpec("bare-matrix", BARE,
              shape(3, 7, 1, hidden_act="sigmoid")
              | nystrom(4, 16, conv=None, inv_coeff_init_option=True),
              F32, "bin", spread=0.4, about="inv_coeff_init_option without convolution"),
    ModelSpec("sequence-classes", SEQUENCE, shape(3, 4, hidden_act="quick_gelu"), F32, "bin",
              labels=dict(num_labels=4), about="problem_type is guessed from the labels"),
    ModelSpec("sequence-single", SEQUENCE, shape(3, 7) | nystrom(8, 64, hidden_act="gelu_fast"),
              F32, spread=0.2,
              labels=dict(num_labels=3, problem_type="single_label_classification"),
              about="heads of an odd width, Nystrom attention"),
    ModelSpec("sequence-regression", SEQUENCE, shape(1, 4, 1, hidden_act="tanh"), F32,
              labels=dict(num_labels=1), about="one label: mean squared error"),
    ModelSpec("sequence-regressions", SEQUENCE, shape(4, 4, 1, hidden_act="sigmoid"), BF16,
              labels=dict(num_labels=3, problem_type="regression"),
              about="several regression targets"),
    ModelSpec("sequence-multi-label", SEQUENCE, shape(3, 4, hidden_act="gelu_pytorch_tanh"), BF16,
              files="safetensors-shards", shard_bytes=3000,
              labels=dict(num_labels=5, problem_type="multi_label_classification"),
              about="binary cross entropy"),
    ModelSpec("choice-exact", CHOICE, shape(3, 4, hidden_act="gelu_pytorch_tanh"), F32,
              "bin-shards", about="several choices an example"),
    ModelSpec("choice-nystrom", CHOICE, shape(4, 7, 1) | nystrom(4, 16, conv=3, hidden_act="relu"),
              F32, spread=0.25, about="Nystrom attention over all choices of the batch"),
    ModelSpec("token-exact", TOKEN, shape(1, 7, 2, hidden_act="swish", chunk_size_feed_forward=1),
              F64, "bin", labels=dict(num_labels=5), about="a label for each token"),
    ModelSpec("token-nystrom", TOKEN, shape(3, 4) | nystrom(1, 5, conv=3, hidden_act="tanh"), F16,
              spread=0.25, labels=dict(num_labels=3), about="one landmark: the inverse is 1"),
    ModelSpec("answer-exact", ANSWER, shape(3, 4, hidden_act="mish"), F32,
              about="start and end logits"),
    ModelSpec("answer-nystrom", ANSWER,
              shape(4, 7) | nystrom(4, 64, conv=None, hidden_act="linear"), BF16, "bin",
              about="no activation, no convolution"),
    ModelSpec("answer-wide", ANSWER, shape(3, 4, 3) | nystrom(1, 17, hidden_act="gelu"), F32,
              files="safetensors-shards", spread=0.25,
              about="three layers, one landmark over 17 tokens"),
]
# fmt: on
