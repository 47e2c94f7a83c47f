#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A copy of a model folder with its matrices in int8: half the bytes of bf16.

Each row of a matrix gets the scale that maps its largest number to 127. The folder is in the form of
compressed-tensors ("pack-quantized"). transformers reads it, too, if it is made with --linear-only.

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
    """int32 with four numbers of 8 bits each, and the float32 that a row's numbers are multiplied by."""
    scale = numpy.abs(matrix).max(axis=1, keepdims=True) / numpy.float32(127)
    scale[scale == 0] = 1
    rows = (numpy.rint(matrix / scale) + 128).astype("u1")
    rows = numpy.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    return rows.view("<i4"), scale.astype("<f4")


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
    parser.add_argument("--linear-only", action="store_true",
                        help="leave embeddings as they are, which transformers needs")
    options = parser.parse_args()
    header, numbers = read(options.folder / "model.safetensors")
    tensors = []
    for name in sorted(header):
        array = numbers(name)
        is_linear = "embeddings" not in name and "decoder" not in name
        if array.ndim == 2 and name.endswith("weight") and (is_linear or not options.linear_only):
            rows, scale = quantized(array)
            shape = numpy.array(array.shape, "<i8")
            tensors += [(name + "_packed", "I32", rows), (name + "_scale", "F32", scale),
                        (name + "_shape", "I64", shape)]
        else:
            tensors.append((name, "F32", array))
    tensors.sort(key=lambda tensor: tensor[1] != "I64")  # numbers of 8 bytes stay aligned
    options.target.mkdir(parents=True, exist_ok=True)
    write(options.target / "model.safetensors", tensors)
    for name in HERE:
        if (options.folder / name).exists():
            shutil.copyfile(options.folder / name, options.target / name)
    config = json.loads((options.folder / "config.json").read_text())
    targets = ["Linear"] if options.linear_only else ["Linear", "Embedding"]
    weights = {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "channel"}
    config["quantization_config"] = {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "quantization_status": "compressed",
        "config_groups": {"group_0": {"targets": targets, "weights": weights}},
        "ignore": ["re:.*decoder"],  # tied to the embeddings
    }
    (options.target / "config.json").write_text(json.dumps(config, indent=2) + "\n")


if __name__ == "__main__":
    main()
