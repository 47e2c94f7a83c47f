#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/checkpoint/data: small weight files by torch and safetensors, as the wild has them.

Needs torch and safetensors.  Every tensor holds i / 4 - 3/2 in row-major order (whole numbers: i),
which all dtypes here hold exactly, so the tests need no second copy of the values.
"""
import collections
import json
import pathlib
import zipfile

import torch
from safetensors.torch import save_file

DATA = pathlib.Path(__file__).resolve().parent / "data"
FLOATS = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
INTEGERS = {"i64": torch.int64, "i32": torch.int32, "i16": torch.int16, "i8": torch.int8,
            "u8": torch.uint8, "bool": torch.bool}


def values(*shape, dtype=torch.float32):
    count = torch.Size(shape).numel()
    numbers = torch.arange(count)
    return (numbers / 4 - 1.5 if dtype.is_floating_point else numbers).to(dtype).reshape(shape)


def plain_tensors():
    tensors = {name: values(2, 3, dtype=dtype) for name, dtype in (FLOATS | INTEGERS).items()}
    return tensors | {"scalar": torch.tensor(1.25), "empty": torch.zeros(0, 3), "vector": values(5)}


def torch_tensors():
    """What a pytorch_model.bin can hold and a safetensors file cannot: views, ties, parameters."""
    tensors = collections.OrderedDict(plain_tensors())
    tensors["tied.a"] = values(4, 2)
    tensors["tied.b"] = tensors["tied.a"]                       # one object
    tensors["tied.c"] = tensors["tied.a"].view(2, 4)            # one storage
    tensors["transposed"] = values(3, 2).t().contiguous().t()   # (3, 2), strides (1, 3)
    tensors["permuted"] = values(2, 3, 4).permute(2, 0, 1).contiguous().permute(1, 2, 0)
    tensors["slice"] = torch.cat([torch.full((1, 3), 9.0), values(2, 3)])[1:]  # an offset
    tensors["columns"] = torch.cat([values(4, 1), torch.full((4, 2), 9.0)], 1)[:, :1]
    tensors["expanded"] = torch.tensor([-1.5]).expand(2, 3)      # strides 0
    tensors["parameter"] = torch.nn.Parameter(values(2, 2))
    tensors._metadata = collections.OrderedDict([("", {"version": 1})])
    return tensors


def repack(source, target, compression=zipfile.ZIP_STORED, **contents):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for entry in old.infolist():
            name = entry.filename.split("/", 1)[1]
            new.writestr("archive/" + name, contents.get(name.replace(".", "_"), old.read(entry)))


def write_torch_files():
    for protocol in [2, 3, 4, 5]:
        torch.save(torch_tensors(), DATA / f"protocol{protocol}.bin", pickle_protocol=protocol)
    module = torch.nn.Linear(3, 2)
    module.load_state_dict({"weight": values(2, 3), "bias": values(2)})
    torch.save(module.state_dict(), DATA / "module.bin")
    torch.save(module.state_dict(), DATA / "legacy.bin", _use_new_zipfile_serialization=False)
    torch.save(torch_tensors(), DATA / "legacy_views.bin", _use_new_zipfile_serialization=False)
    legacy = (DATA / "legacy.bin").read_bytes()
    (DATA / "big_endian_legacy.bin").write_bytes(legacy.replace(b"little_endianq\x02\x88", b"little_endianq\x02\x89"))
    torch.save(values(2), DATA / "bare_tensor.bin")
    torch.save({"state_dict": module.state_dict(), "epoch": 3}, DATA / "nested.bin")
    torch.save({"w": values(2, dtype=torch.int32).to(torch.uint16)}, DATA / "uint16.bin")
    torch.save({"w": pathlib.PurePosixPath("x")}, DATA / "object.bin")
    repack(DATA / "module.bin", DATA / "deflated.bin", zipfile.ZIP_DEFLATED)
    repack(DATA / "module.bin", DATA / "repacked.bin")
    repack(DATA / "module.bin", DATA / "big_endian.bin", byteorder=b"big")
    torch.serialization.set_crc32_options(False)
    torch.save(module.state_dict(), DATA / "without_crc.bin")
    torch.serialization.set_crc32_options(True)
    torch.jit.save(torch.jit.script(module), DATA / "scripted.bin")


def write_shards(folder, file, save, tensors):
    """Two shards and their index, as transformers names them."""
    (DATA / folder).mkdir(exist_ok=True)
    stem, extension = file.rsplit(".", 1)
    names = sorted(tensors)
    weight_map = {}
    for number, part in enumerate([names[:4], names[4:]], 1):
        shard = f"{stem}-{number:05}-of-00002.{extension}"
        save({name: tensors[name] for name in part}, DATA / folder / shard)
        weight_map |= dict.fromkeys(part, shard)
    index = {"metadata": {"total_parameters": 1, "total_size": 12.5, "more": [{}, None]},
             "weight_map": weight_map}
    (DATA / folder / f"{file}.index.json").write_text(json.dumps(index, indent=2) + "\n")


def conversion_checksums():
    """FNV-1a over the float32 bits of all 65,536 patterns, every NaN as 0x7FC00000."""
    sums = {}
    patterns = torch.arange(65536, dtype=torch.int32).to(torch.uint16)
    for name in ["f16", "bf16"]:
        floats = patterns.view(FLOATS[name]).to(torch.float32)
        bits = floats.view(torch.int32).masked_fill(floats.isnan(), 0x7FC00000)
        checksum = 0xCBF29CE484222325
        for byte in bits.numpy().astype("<i4").tobytes():
            checksum = (checksum ^ byte) * 0x100000001B3 % 2**64
        sums[name] = f"{checksum:016x}"
    return sums


def main():
    DATA.mkdir(exist_ok=True)
    eighths = {"f8": values(4).to(torch.float8_e4m3fn), "c64": values(2).to(torch.complex64)}
    save_file(plain_tensors() | eighths, DATA / "dtypes.safetensors", metadata={"format": "pt"})
    write_torch_files()
    write_shards("sharded", "model.safetensors",
                 lambda tensors, path: save_file(tensors, path, metadata={"format": "pt"}), plain_tensors())
    write_shards("torch_sharded", "pytorch_model.bin", torch.save, plain_tensors())
    (DATA / "conversions.json").write_text(json.dumps(conversion_checksums(), indent=2) + "\n")


if __name__ == "__main__":
    main()
