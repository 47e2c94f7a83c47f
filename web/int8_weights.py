#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A copy of a model folder with its matrices in int8: half the bytes of bf16.

Each row of a matrix gets the scale that maps its largest number to 127. The folder is in the form of
compressed-tensors ("int-quantized"), which this library and transformers read.

    python3 web/int8_weights.py models/nystromformer-small-en build/site-models/fill-mask
"""
import argparse
import json
import pathlib
import shutil

import numpy

HERE = "config.json tokenizer.json tokenizer_config.json special_tokens_map.json".split()


def read(path):
    """The header of a safetensors file, and a function from a name to its float32 numbers."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)

    def numbers(name):
        entry = header[name]
        begin, end = entry["data_offsets"]
        raw = data[8 + size + begin : 8 + size + end]
        if entry["dtype"] == "F32":
            flat = numpy.frombuffer(raw, "<f4")
        elif entry["dtype"] == "F16":
            flat = numpy.frombuffer(raw, "<f2").astype("<f4")
        elif entry["dtype"] == "BF16":
            flat = (numpy.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
        else:
            raise SystemExit(f"{path}: {name}: expected F32, F16 or BF16, found {entry['dtype']}")
        return flat.reshape(entry["shape"])

    return header, numbers


def quantized(matrix):
    """int8 and float32: a row's numbers, and what they are to be multiplied by."""
    scale = numpy.abs(matrix).max(axis=1, keepdims=True) / numpy.float32(127)
    scale[scale == 0] = 1
    return numpy.rint(matrix / scale).astype("i1"), scale.astype("<f4")


def write(path, tensors):
    """A safetensors file of (name, dtype, array)."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, dtype, array in tensors:
        header[name] = {
            "dtype": dtype,
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, _, array in tensors:
            file.write(array.tobytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    options = parser.parse_args()
    header, numbers = read(options.folder / "model.safetensors")
    tensors = []
    for name in sorted(header):
        array = numbers(name)
        if array.ndim == 2 and name.endswith("weight") and array.shape[0] > 8:
            rows, scale = quantized(array)
            tensors += [(name, "I8", rows), (name + "_scale", "F32", scale)]
        else:
            tensors.append((name, "F32", array))
    tensors.sort(key=lambda tensor: tensor[1] != "F32")  # numbers of 4 bytes stay aligned
    options.target.mkdir(parents=True, exist_ok=True)
    write(options.target / "model.safetensors", tensors)
    for name in HERE:
        if (options.folder / name).exists():
            shutil.copyfile(options.folder / name, options.target / name)
    config = json.loads((options.folder / "config.json").read_text())
    weights = {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "channel"}
    config["quantization_config"] = {
        "quant_method": "compressed-tensors",
        "format": "int-quantized",
        "quantization_status": "compressed",
        "config_groups": {"group_0": {"targets": ["Linear", "Embedding"], "weights": weights}},
    }
    (options.target / "config.json").write_text(json.dumps(config, indent=2) + "\n")


if __name__ == "__main__":
    main()
