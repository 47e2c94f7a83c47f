# SPDX-License-Identifier: MIT
"""The random base-size models of compare.py, and the files that ONNX Runtime and OpenVINO load.

    python benchmarks/models.py CACHE onnx|onnx-int8|openvino|openvino-int8 exact|nystrom LENGTH
    python benchmarks/models.py CACHE bundled

makes one file unless it is there. compare.py calls it, in a process of its own, so that no exporter counts
in a competitor's memory.
"""
import argparse
import json
import os
import pathlib
import shutil

LANDMARKS = 64
POSITIONS = (4096, 16384, 65536)  # the table's model and, with more positions, those of longer texts
ROOT = pathlib.Path(__file__).resolve().parent.parent
BUNDLED = ROOT / "models/nystromformer-small-en"
CALIBRATION_TEXTS = 16


def ids_of(length, vocab_size=30000):
    """The ids that forward.cpp makes, too."""
    return [(i * 7919 + 13) % vocab_size for i in range(length)]


def positions_for(length):
    return next(positions for positions in POSITIONS if length <= positions)


def folder_of(cache, attention, length):
    """Where exact attention runs, segment_means_seq_len is num_landmarks; else it must be the length, as
    Hugging Face divides into segments by it."""
    name = f"base-{positions_for(length)}-{attention}"
    return cache / (name if attention == "exact" else f"{name}-{length}")


def save_model(cache, attention, length):
    """The Hugging Face folder for a length; folders with as many positions share their weights."""
    folder = folder_of(cache, attention, length)
    if (folder / "config.json").exists():
        return folder
    weights = cache / f"weights-{positions_for(length)}"
    config = dict(vocab_size=30000, hidden_size=768, num_hidden_layers=12, num_attention_heads=12,
                  intermediate_size=3072, hidden_act="gelu_new", max_position_embeddings=positions_for(length),
                  conv_kernel_size=65, num_landmarks=LANDMARKS,
                  segment_means_seq_len=LANDMARKS if attention == "exact" else length)
    if not (weights / "complete").exists():
        import torch
        import transformers
        torch.manual_seed(0)
        model = transformers.NystromformerModel(transformers.NystromformerConfig(**config))
        model.save_pretrained(weights)
        (weights / "complete").touch()
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "model.safetensors"
    if not link.exists():
        os.link(weights / "model.safetensors", link)
    stored = json.loads((weights / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**stored, **config}, indent=1))
    return folder


def load_encoder(folder):
    """The encoder of transformers as one function of the ids.

    NystromformerModel makes an attention mask of ones where none is given, with which its Nystrom branch raises
    a shape error; this calls the same modules without a mask, which saves the peers that work, too."""
    import torch
    import transformers

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            model = transformers.NystromformerModel.from_pretrained(folder, dtype=torch.float32).eval()
            self.embeddings, self.layers = model.embeddings, model.encoder.layer

        def forward(self, input_ids):
            states = self.embeddings(input_ids=input_ids)
            for layer in self.layers:
                states = layer(states, None)[0]
            return states

    return Encoder().eval()


def complete(path, write):
    """Calls `write` with a new folder that becomes `path`: a run that was cut off leaves no half file."""
    if path.exists():
        return path
    part = path.with_name(path.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    write(part)
    part.rename(path)
    return path


def export_onnx(module, ids, output_name, path):
    import torch
    with torch.no_grad():
        torch.onnx.export(module, (ids,), str(path), input_names=["input_ids"], output_names=[output_name],
                          opset_version=20, dynamo=False)


def save_onnx(cache, attention, length, name="onnx"):
    """ONNX for one fixed length: what is constant is folded, to the peers' advantage."""
    import torch

    def write(folder):
        encoder = load_encoder(save_model(cache, attention, length))
        export_onnx(encoder, torch.tensor([ids_of(length)]), "last_hidden_state", folder / "model.onnx")

    return complete(folder_of(cache, attention, length) / f"{name}-{length}", write)


def save_onnx_int8(cache, attention, length):
    """Dynamic quantisation of the weights of every matrix product, by output channel."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    source = save_onnx(cache, attention, length) / "model.onnx"

    def write(folder):
        quantize_dynamic(source, folder / "model.onnx", per_channel=True, weight_type=QuantType.QInt8)

    return complete(folder_of(cache, attention, length) / f"onnx-int8-{length}", write)


def save_openvino(cache, attention, length):
    import openvino
    import torch

    def write(folder):
        encoder = load_encoder(save_model(cache, attention, length))
        ids = torch.tensor([ids_of(length)])
        model = openvino.convert_model(encoder, example_input=ids, input=[(list(ids.shape), openvino.Type.i64)])
        openvino.save_model(model, folder / "model.xml", compress_to_fp16=False)

    return complete(folder_of(cache, attention, length) / f"openvino-{length}", write)


def save_openvino_int8(cache, attention, length):
    """NNCF's quantisation of weights and activations, with its settings for transformers. The calibration texts
    are random as the weights are: this measures time, not what int8 does to a trained model's answers."""
    import nncf
    import numpy
    import openvino
    source = save_openvino(cache, attention, length) / "model.xml"

    def write(folder):
        random = numpy.random.default_rng(0)
        texts = [random.integers(0, 30000, (1, length), dtype=numpy.int64) for _ in range(CALIBRATION_TEXTS)]
        model = nncf.quantize(openvino.Core().read_model(source), nncf.Dataset(texts), subset_size=len(texts),
                              model_type=nncf.ModelType.TRANSFORMER)
        openvino.save_model(model, folder / "model.xml", compress_to_fp16=False)

    return complete(folder_of(cache, attention, length) / f"openvino-int8-{length}", write)


def save_bundled(cache):
    """The bundled model's fill-mask for the peers of first_answer.py, with a free length."""
    import openvino
    import torch
    import transformers

    class MaskedLM(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = transformers.NystromformerForMaskedLM.from_pretrained(BUNDLED, dtype=torch.float32).eval()

        def forward(self, input_ids):
            states = self.model.nystromformer.embeddings(input_ids=input_ids)
            for layer in self.model.nystromformer.encoder.layer:
                states = layer(states, None)[0]
            return self.model.cls(states)

    def write(folder):
        ids = torch.tensor([ids_of(12, 8192)])
        with torch.no_grad():
            torch.onnx.export(MaskedLM(), (ids,), str(folder / "model.onnx"), input_names=["input_ids"],
                              output_names=["logits"], opset_version=20, dynamo=False,
                              dynamic_axes={"input_ids": {1: "n"}, "logits": {1: "n"}})
            model = openvino.convert_model(MaskedLM(), example_input=ids, input=[([1, -1], openvino.Type.i64)])
        openvino.save_model(model, folder / "model.xml", compress_to_fp16=False)

    return complete(cache / "bundled", write)


SAVERS = {"onnx": save_onnx, "onnx-int8": save_onnx_int8, "openvino": save_openvino,
          "openvino-int8": save_openvino_int8, "folder": save_model}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cache", type=pathlib.Path)
    parser.add_argument("what", choices=[*SAVERS, "bundled"])
    parser.add_argument("attention", nargs="?", choices=["exact", "nystrom"])
    parser.add_argument("length", nargs="?", type=int)
    options = parser.parse_args()
    if options.what == "bundled":
        save_bundled(options.cache)
    else:
        SAVERS[options.what](options.cache, options.attention, options.length)


if __name__ == "__main__":
    main()
