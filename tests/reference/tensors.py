# SPDX-License-Identifier: MIT
"""Writes safetensors files whose bytes depend on their content alone.

The safetensors package keeps `__metadata__` in a hash map, so that files with several entries
differ from run to run. The format is simple enough to write: 8 bytes of header length, a JSON
header, the data.
"""

import json

import torch

NAMES = {torch.float64: "F64", torch.float32: "F32", torch.int64: "I64"}
NAMES_OF_WEIGHTS = {**NAMES, torch.float16: "F16", torch.bfloat16: "BF16"}


def save(path, tensors, metadata):
    """Writes `tensors` (name to tensor) in name order, aligned to 8 bytes, with string metadata."""
    header = {"__metadata__": {key: str(metadata[key]) for key in sorted(metadata)}}
    blocks, offset = [], 0
    for name in sorted(tensors):
        block = tensors[name].detach().contiguous()
        data = block.numpy().tobytes()
        header[name] = {
            "dtype": NAMES[block.dtype],
            "shape": list(block.shape),
            "data_offsets": [offset, offset + len(data)],
        }
        blocks.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(blocks))
